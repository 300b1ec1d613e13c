"""Is this safetensors file whole and honest, before anything maps it?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from models.errors import ArtifactError
from models.strict_json import parse_object

# An adapter has some hundred tensors of about 150 header bytes; the format's own limit of 100 MB would be read into memory.
MAX_HEADER_BYTES = 8 << 20
ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
PICKLE_SIGNATURES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_PREFIX = 8


@dataclass(frozen=True)
class TensorEntry:
    """What the header says of one tensor: dtype name of the format, shape, first and last+1 byte of its data."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def read_header(path: Path) -> dict[str, TensorEntry]:
    """Name -> entry of every tensor, checked by hand: the header fits the file, every extent is as long as its dtype and shape say,
    the extents follow one another from the first to the last byte. Raises ArtifactError `bad_safetensors` (truncated, trailing
    bytes, giant header, overlap, unknown dtype) or `pickle` for a pickle under a safetensors name, which is never opened."""
    size = path.stat().st_size
    with path.open("rb") as file:
        prefix = file.read(_PREFIX)
        if len(prefix) < _PREFIX:
            raise _bad(path, f"at least {_PREFIX} bytes", f"{size}")
        length = int.from_bytes(prefix, "little")
        if prefix.startswith(PICKLE_SIGNATURES) and length > MAX_HEADER_BYTES:
            raise ArtifactError("pickle", f"{path.name} is a pickle under another name and was not opened: save it as safetensors")
        if length > min(MAX_HEADER_BYTES, size - _PREFIX):
            raise _bad(path, f"a header of at most {min(MAX_HEADER_BYTES, size - _PREFIX):,} bytes in a file of {size:,}", f"{length:,}")
        header = file.read(length)
    entries = {name: _entry(path, name, entry) for name, entry in _parse(path, header).items() if name != "__metadata__"}
    _check_extents(path, entries, size - _PREFIX - length)
    return entries


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Every tensor of a file whose header was checked. Raises ArtifactError `nonfinite` for the first NaN or infinity."""
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}  # noqa: SIM118 (safe_open is no mapping)
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise ArtifactError("nonfinite", f"{path.name}: {name} must be finite, found NaN or infinity: train the adapter again")
    return tensors


def _parse(path: Path, header: bytes) -> dict[str, Any]:
    try:
        return parse_object(header, f"the header of {path.name}")
    except ArtifactError as error:
        raise ArtifactError("bad_safetensors", error.message) from error


def _entry(path: Path, name: str, entry: Any) -> TensorEntry:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise _bad(path, f"dtype, shape and data_offsets for {name!r}", repr(entry)[:80])
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in ITEM_BYTES:
        raise _bad(path, f"one of {', '.join(ITEM_BYTES)} as dtype of {name!r}", repr(dtype)[:80])
    if not _counts(shape) or not _counts(offsets) or len(offsets) != 2:
        raise _bad(path, f"whole numbers as shape and two offsets of {name!r}", f"{shape!r:.60} and {offsets!r:.60}")
    if offsets[1] - offsets[0] != math.prod(shape) * ITEM_BYTES[dtype]:
        raise _bad(path, f"{math.prod(shape) * ITEM_BYTES[dtype]:,} bytes for {name!r}", f"{offsets[1] - offsets[0]:,}")
    return TensorEntry(dtype, tuple(shape), offsets[0], offsets[1])


def _counts(value: Any) -> bool:
    # bool is an int to Python; a shape of more than 2**48 items is an attack on the product, not a tensor
    return isinstance(value, list) and len(value) <= 8 and all(type(item) is int and 0 <= item < 2**48 for item in value)


def _check_extents(path: Path, entries: dict[str, TensorEntry], data_bytes: int) -> None:
    position = 0
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].start, item[1].stop)):
        if entry.start != position:
            raise _bad(path, f"the data of {name!r} to start at byte {position:,} (no overlap, no hole)", f"{entry.start:,}")
        position = entry.stop
    if position != data_bytes:
        what = "truncated" if position > data_bytes else "trailing bytes"
        raise _bad(path, f"{position:,} bytes of data", f"{data_bytes:,} ({what})")


def _bad(path: Path, expected: str, found: str) -> ArtifactError:
    return ArtifactError("bad_safetensors", f"{path.name} must have {expected}, found {found}: copy or save the file again")
