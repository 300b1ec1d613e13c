"""How is an npz file of strangers opened: never a pickle, never more memory than its header admits?"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from math import prod
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from models.errors import RejectedInput

MAX_ARRAY_BYTES = 2 * 2**30  # one array must fit into a worker beside the model
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
UNREADABLE = (zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError, RuntimeError)  # RuntimeError: encrypted


@dataclass(frozen=True)
class Member:
    """What the header of one array says."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


def headers(path: str) -> dict[str, Member]:
    """Name -> header of every array, in code-point order, loading none. Raises as `load` does."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy"))
            found = {name: _header(archive, name) for name in names}
    except UNREADABLE as error:
        raise RejectedInput("bad_record", f"must be an npz file of arrays: {error}") from error
    for name, header in found.items():
        _require_plain(name, header)
    return found


def _header(archive: zipfile.ZipFile, name: str) -> Member:
    with archive.open(f"{name}.npy") as stream:
        return _read_header(stream)


def _read_header(stream: IO[bytes]) -> Member:
    version = npy.read_magic(stream)
    if version not in HEADERS:
        raise ValueError(f"array format must be 1.0 or 2.0, found {version}")
    shape, _, dtype = HEADERS[version](stream)
    return Member(shape, dtype)


def load(path: str, name: str) -> NDArray[Any]:
    """One array. Raises RejectedInput `pickle` for Python objects, `too_large` by the header, `bad_record` when damaged, or OSError."""
    header = headers(path).get(name)
    if header is None:
        raise RejectedInput("bad_record", f"array {name} must be in the file, is not")
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as stream:
            return np.asarray(npy.read_array(stream, allow_pickle=False))
    except UNREADABLE as error:
        raise RejectedInput("bad_record", f"array {name} is damaged: {error}") from error


def _require_plain(name: str, header: Member) -> None:
    if header.dtype.hasobject:
        raise RejectedInput("pickle", f"array {name} holds pickled Python objects, which are never opened: store plain arrays")
    if prod(header.shape) * header.dtype.itemsize > MAX_ARRAY_BYTES:
        raise RejectedInput("too_large", f"array {name} must be at most {MAX_ARRAY_BYTES:,} bytes, is {header}: split the file")
