"""Where was an example found, and with which label? One record per place, made before any picture or text is opened."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import islice

import pyarrow as pa

REFERENCE_SCHEMA = pa.schema(
    [
        ("source_path", pa.string()),
        ("location", pa.string()),
        ("ordinal", pa.int64()),
        ("label", pa.string()),
        ("source_split", pa.string()),
        ("error_code", pa.string()),
        ("message", pa.string()),
        ("field", pa.string()),
    ]
)

_ESCAPE = re.compile(rb"\\(\\|x[0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Reference:
    """One place of a source. `error_code` and `message` are set together: then it is refused without being opened.

    `source_path`: escaped POSIX path relative to the root; `file#ordinal` for a record, 0-based after the header.
    `location`: escaped path of the file to open, relative to the root. `ordinal`: position of the record in its file.
    `field`: the column of that file which holds the content; None where the file or its line is the content.
    `metadata`: (column, value) of the columns that are kept beside the example; no part of REFERENCE_SCHEMA, since no worker needs it.
    """

    source_path: str
    location: str
    ordinal: int | None = None
    label: str | None = None
    source_split: str | None = None
    error_code: str | None = None
    message: str | None = None
    field: str | None = None
    metadata: tuple[tuple[str, str | None], ...] = ()

    def refused(self, code: str, message: str) -> Reference:
        """The same place with the reason why it makes no example."""
        return replace(self, error_code=code, message=printable(message))


class Listing:
    """What a reader found below a root, in one fixed order; iterate it as often as needed, it is never held in memory."""

    def __init__(self, found: Callable[[], Iterator[Reference | None]]) -> None:
        """`found` starts a new pass; None in it is a file that is neither an example nor refused."""
        self._found = found
        self._ignored: int | None = None

    def __iter__(self) -> Iterator[Reference]:
        ignored = 0
        for item in self._found():
            if item is None:
                ignored += 1
            else:
                yield item
        self._ignored = ignored

    @property
    def ignored(self) -> int:
        """Number of ignored files in the last complete pass; makes a pass if there was none."""
        if self._ignored is None:
            for _ in self:
                pass
        return self._ignored or 0


def batches(listing: Listing, rows: int = 4096) -> Iterator[pa.RecordBatch]:
    """The references as record batches of REFERENCE_SCHEMA with at most `rows` rows each."""
    references = iter(listing)
    while chunk := list(islice(references, rows)):
        yield pa.RecordBatch.from_pylist([asdict(reference) for reference in chunk], schema=REFERENCE_SCHEMA)


def references_of(batch: pa.RecordBatch) -> Iterator[Reference]:
    """The references of one batch; columns beyond REFERENCE_SCHEMA are left out."""
    for row in batch.select(REFERENCE_SCHEMA.names).to_pylist():
        yield Reference(**row)


def escaped(path: str) -> str:
    r"""A path as text that every table can hold: a byte that is no UTF-8 becomes \xNN, a backslash is doubled.

    Undone by `unescaped`; two paths never get the same text.
    """
    return os.fsencode(path.replace("\\", "\\\\")).decode("utf-8", "backslashreplace")


def unescaped(text: str) -> str:
    """The path that `escaped` made `text` from, as the operating system takes it."""
    return os.fsdecode(_ESCAPE.sub(_byte, text.encode()))


def _byte(match: re.Match[bytes]) -> bytes:
    return b"\\" if match[1] == b"\\" else bytes([int(match[1][1:], 16)])


def printable(text: str) -> str:
    r"""The same text with bytes that were no UTF-8 (surrogate escapes) shown as \xNN."""
    return raw_bytes(text).decode("utf-8", "backslashreplace")


def raw_bytes(text: str) -> bytes:
    """The bytes that a text was read from with `surrogateescape`. A lone surrogate that JSON spelt out gives bytes that are no UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
