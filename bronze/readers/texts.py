"""How are the texts of one file held, so that each can be had by its number without reading the file again?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from bronze.readers.files import resolved_inside
from bronze.reference import Reference, raw_bytes
from lake.errors import ConfigError
from models.errors import RejectedInput
from models.text_content import too_large

MAX_TEXTS_BYTES = 2 * 2**30  # all texts of a file stand in a worker's memory, beside the model
FILES_HELD = 4  # per process; records come file by file, but a shuffle mixes a few

# (real path, location, field) -> the file's texts, bytes that are no UTF-8 as surrogate escapes
Load = Callable[[str, str, str | None], Iterable[str | None]]


def text_of(reference: Reference, root: Path, max_bytes: int, load: Load) -> bytes:
    """The bytes of one text; its file is loaded once per process. None is the empty text.

    Raises RejectedInput: `outside_root`; `bad_record` where the file has changed since it was listed; `too_large`; or OSError.
    """
    path = resolved_inside(root, reference.location)
    found = os.stat(path)
    texts = _texts(load, path, reference.location, reference.field, found.st_size, found.st_mtime_ns)
    if isinstance(texts, RejectedInput):
        raise RejectedInput(texts.code, texts.message)
    if reference.ordinal is None or not 0 <= reference.ordinal < len(texts):
        raise RejectedInput("bad_record", f"{reference.location} holds {len(texts):,} texts, none of number {reference.ordinal}")
    content: bytes = texts[reference.ordinal].as_py() or b""
    if len(content) > max_bytes:
        raise too_large(len(content), max_bytes)
    return content


@lru_cache(maxsize=FILES_HELD)
def _texts(load: Load, path: str, location: str, field: str | None, size: int, mtime_ns: int) -> pa.Array | RejectedInput:
    """The texts as large_binary, or why there are none: kept too, else every record would load a damaged file again."""
    held: list[bytes | None] = []
    total = 0
    try:
        for text in load(path, location, field):
            held.append(None if text is None else raw_bytes(text))
            total += len(held[-1] or b"")
            if total > MAX_TEXTS_BYTES:
                return RejectedInput("too_large", f"the texts of a file must be at most {MAX_TEXTS_BYTES:,} bytes: split it")
    except ConfigError as error:
        return RejectedInput("bad_record", str(error))
    return pa.array(held, pa.large_binary())
