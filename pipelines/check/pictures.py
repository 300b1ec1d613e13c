"""Which pictures of a source would be rejected? Headers of all, and a few tried whole."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from bronze.readers.files import resolved_inside
from bronze.reference import Reference
from lake.progress import Progress
from models.decode import BOMB, DAMAGE, FORMATS, SIGNATURES, DecodeLimits
from models.errors import RejectedInput

FILE_READERS = ("folder", "manifest", "pet")  # one picture a file; the others hold arrays, checked when they are listed


@dataclass(frozen=True)
class Headers:
    """`n_places`: references of the source, refused ones too. `codes`: error code -> places rejected so far. `n_read`: headers opened."""

    n_places: int
    codes: Counter[str]
    n_read: int


def read_headers(references: Iterable[Reference], reader: str, root: Path, limits: DecodeLimits) -> Headers:
    """What the listing and the header of every file reject. Damage behind a header is not found here, only by decoding the whole file."""
    codes: Counter[str] = Counter()
    n_places = n_read = 0
    with Progress(f"reading headers below {root}"):
        for reference in references:
            n_places += 1
            code = reference.error_code
            if code is None and reader in FILE_READERS:
                n_read += 1
                code = header_code(root, reference.location, limits)
            if code is not None:
                codes[code] += 1
    return Headers(n_places, codes, n_read)


def header_code(root: Path, location: str, limits: DecodeLimits) -> str | None:
    """Why this file makes no example, as far as its length and header tell; None where they say nothing against it."""
    try:
        path = resolved_inside(root, location)
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            return "not_a_file"
        if found.st_size > limits.max_bytes:
            return "too_large"
        with open(path, "rb") as handle:
            return _picture_code(handle, limits)
    except RejectedInput as refusal:
        return refusal.code
    except FileNotFoundError:
        return "not_a_file"
    except OSError:  # the ingest gives the same code to a file that cannot be read
        return "decode_error"


def _picture_code(handle: BinaryIO, limits: DecodeLimits) -> str | None:
    """`truncated` for damage behind a known signature, else `decode_error`, as decoding says it."""
    start = handle.read(16)
    handle.seek(0)
    try:
        with Image.open(handle, formats=FORMATS) as picture:
            return "bomb" if picture.width * picture.height > limits.max_pixels else None
    except BOMB:
        return "bomb"
    except DAMAGE:
        known = start.startswith(SIGNATURES) or (start.startswith(b"RIFF") and start[8:12] == b"WEBP")
        return "truncated" if known else "decode_error"
