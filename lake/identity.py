"""What makes two records the same record? Content hashes, settings hashes and randomness keyed by the record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

ID_CHARACTERS = 32
SETTINGS_CHARACTERS = 16


def content_id(modality: str, content: bytes) -> str:
    """Identity of one example: hex sha256 of modality and content, cut to 32 characters (128 bits).

    Two paths with the same bytes are one example; one changed byte is another example.
    """
    return hashlib.sha256(modality.encode() + b"\0" + content).hexdigest()[:ID_CHARACTERS]


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: keys sorted, no white space, NaN refused. Raises ValueError on NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain)


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"settings must be plain data, got {type(value).__name__}")


def settings_id(settings: Any) -> str:
    """Hash of everything that defines a row: hex sha256 of the canonical JSON, cut to 16 characters."""
    return hashlib.sha256(canonical_json(settings).encode()).hexdigest()[:SETTINGS_CHARACTERS]


def rng(seed: int, example_id: str, *what: object) -> np.random.Generator:
    """The generator of one record: a function of (seed, example, what) alone, never of partition, order or worker.

    The same example draws the same noise under every adapter (METHODS 0, paired design).
    """
    key = "\0".join([str(int(seed)), example_id, *(str(part) for part in what)])
    return np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(key.encode()).digest(), "little")))


def unit_interval(*key: object) -> float:
    """A number in [0, 1) fixed by the key: for splits and samples that never move. 53 bits of sha256."""
    digest = hashlib.sha256("\0".join(str(part) for part in key).encode()).digest()
    return int.from_bytes(digest[:8], "little") / 2.0**64
