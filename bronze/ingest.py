"""What becomes of each reference: an example with its bytes, or a rejected row with its reason?"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from bronze.bounded import MAX_BYTES, MAX_ROWS, bounded
from bronze.readers import Reader
from bronze.reference import Reference, printable, references_of
from lake.identity import content_id
from models.decode import DecodeLimits, decode
from models.errors import RejectedInput
from models.text_content import TextLimits, decode_text
from models.words import word_spans

LABEL_CODES = frozenset({"label_missing", "label_unknown"})
VANISHED = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO})

INGEST_SCHEMA = pa.schema(
    [
        ("kind", pa.string()),  # example | rejected
        ("dataset", pa.string()),
        ("source_path", pa.string()),
        ("example_id", pa.string()),  # null where rejected
        ("modality", pa.string()),
        ("label", pa.string()),
        ("source_split", pa.string()),
        ("image", pa.binary()),  # the bytes as read; null for texts and where rejected
        ("text", pa.string()),  # as read; null for pictures and where rejected
        ("notes", pa.list_(pa.string())),
        ("stage", pa.string()),  # read | label; null for examples
        ("error_code", pa.string()),
        ("message", pa.string()),
        ("run_id", pa.string()),
    ]
)

# Words, each of a token at least, that fit the 512 positions of BERT and RoBERTa beside their two specials: of a longer text they read the
# beginning. Whether a text within this is cut depends on the tokenizer, see bronze.embeddings.
LONGEST = 510


@dataclass(frozen=True)
class Ingest:
    """What one worker needs to read one source.

    `limits`: those of the reader's modality. `max_rows`, `max_bytes`: bounds of an output batch.
    """

    reader: Reader
    root: Path
    limits: DecodeLimits | TextLimits
    dataset: str
    run_id: str
    max_rows: int = MAX_ROWS
    max_bytes: int = MAX_BYTES


def ingest(references: Iterable[pa.RecordBatch], work: Ingest) -> Iterator[pa.RecordBatch]:
    """Batches of REFERENCE_SCHEMA in, batches of INGEST_SCHEMA out: exactly one row per reference, in order.

    Every picture and text is decoded once to prove that it can be; its bytes are passed on as they are. A refused, unreadable or
    vanished input is a row of kind `rejected`; nothing else is caught.
    """
    rows = (_row(reference, work) for batch in references for reference in references_of(batch))
    return bounded(rows, INGEST_SCHEMA, work.max_rows, work.max_bytes)


def _row(reference: Reference, work: Ingest) -> dict[str, Any]:
    if reference.error_code is not None:
        return _rejected(reference, work, reference.error_code, reference.message or "")
    try:
        content = work.reader.content(reference, work.root, work.limits.max_bytes)
        found = _content_columns(content, work.limits)
    except RejectedInput as refusal:
        return _rejected(reference, work, refusal.code, refusal.message)
    except OSError as error:
        code = "not_a_file" if error.errno in VANISHED else "decode_error"
        return _rejected(reference, work, code, f"cannot be read: {error.strerror or type(error).__name__}")
    return _base(reference, work) | {"example_id": content_id(work.reader.modality, content)} | found


def _content_columns(content: bytes, limits: DecodeLimits | TextLimits) -> dict[str, Any]:
    """The columns that hold the content. Raises RejectedInput."""
    if isinstance(limits, TextLimits):
        found = decode_text(content, limits)
        cut = ["text_truncated"] if len(word_spans(found.text)) > LONGEST else []
        return {"text": found.text, "notes": [*found.notes, *cut]}
    return {"image": content, "notes": list(decode(content, limits).notes)}


def _rejected(reference: Reference, work: Ingest, code: str, message: str) -> dict[str, Any]:
    stage = "label" if code in LABEL_CODES else "read"
    return _base(reference, work) | {"kind": "rejected", "stage": stage, "error_code": code, "message": printable(message)}


def _base(reference: Reference, work: Ingest) -> dict[str, Any]:
    empty = dict.fromkeys(INGEST_SCHEMA.names)
    known = {"kind": "example", "dataset": work.dataset, "modality": work.reader.modality, "run_id": work.run_id, "notes": []}
    return empty | known | {name: getattr(reference, name) for name in ("source_path", "label", "source_split")}
