"""Is this JSON file harmless, and what does it say? For files that strangers wrote."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from models.errors import ArtifactError

MAX_BYTES = 1 << 20
MAX_DEPTH = 64


def read_object(path: Path, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """The JSON object in a file. Raises ArtifactError `bad_config` for a file over 1 MB (before reading it), text that is not UTF-8
    JSON, nesting over 64, duplicate keys, NaN or infinity, or a value that is not an object."""
    size = path.stat().st_size
    if size > max_bytes:
        raise ArtifactError("bad_config", f"{path.name} must be at most {max_bytes:,} bytes, found {size:,}: it is no adapter config")
    return parse_object(path.read_bytes(), path.name)


def parse_object(content: bytes, name: str) -> dict[str, Any]:
    """The same for bytes; `name` is what the messages call them."""
    try:
        value = json.loads(content.decode("utf-8"), object_pairs_hook=unique, parse_float=_finite, parse_constant=_finite)
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # a lone surrogate would fail later, far from its file
    except RecursionError as error:
        raise ArtifactError("bad_config", f"{name} must nest at most {MAX_DEPTH} deep, found more: write a plain config") from error
    except ValueError as error:  # JSONDecodeError and UnicodeError are ValueErrors too
        raise ArtifactError("bad_config", f"{name} must be UTF-8 JSON with unique keys and finite numbers: {error}") from error
    if (depth := _depth(value)) > MAX_DEPTH:
        raise ArtifactError("bad_config", f"{name} must nest at most {MAX_DEPTH} deep, found {depth}: write a plain config")
    if not isinstance(value, dict):
        raise ArtifactError("bad_config", f"{name} must hold a JSON object, found {type(value).__name__}")
    return value


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Hook of `json.loads` for objects: raises ValueError for a key that stands twice."""
    value: dict[str, Any] = {}
    for key, item in pairs:
        if key in value:
            raise ValueError(f"key {key!r:.80} stands twice")
        value[key] = item
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a finite number")
    return number


def _depth(value: Any) -> int:
    """Nesting of arrays and objects; a loop, because recursion is what a hostile file attacks."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, (dict, list))]:
        depth += 1
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
    return depth
