"""What is the one text, and the one hash, of a value or a file of this room?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ID_CHARACTERS = 32


def canonical_json(value: Any) -> str:
    """The one JSON text of plain data: keys sorted, no white space, NaN refused (ValueError). The lake keeps its own twin of this
    rule: the ground rooms do not import each other."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def hash_of(parts: Iterable[bytes]) -> str:
    """Hex sha256, cut to 32 characters (128 bits), of a sequence of byte strings; each is preceded by its length, so ("ab", "c")
    and ("a", "bc") differ."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()[:ID_CHARACTERS]


def seed_of(*key: object) -> int:
    """A 63-bit seed fixed by its key: equal keys draw the same numbers in any process, order and hash seed."""
    digest = hashlib.sha256("\0".join(str(part) for part in key).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def file_sha256(path: Path) -> str:
    """Hex sha256 (64 characters) of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
