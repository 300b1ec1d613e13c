"""Which pictures are in npz files of arrays `x_<split>` and `y_<split>`?"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bronze.readers.checks import checked
from bronze.readers.files import existing_root, read_inside, resolved_inside
from bronze.readers.npz_file import Member, headers, load
from bronze.readers.walk import walk
from bronze.reference import Listing, Reference, escaped, unescaped
from lake.errors import ConfigError
from models.decode import encode_png
from models.errors import RejectedInput

if TYPE_CHECKING:
    from bronze.settings import SourceSettings

MAX_LABEL_NAMES_BYTES = 2**20


def listing(settings: SourceSettings, root: Path) -> Listing:
    """Every picture of every npz below the root as `file#ordinal`: splits in code-point order, rows in theirs. Reads labels only.

    Pictures: uint8 [n, h, w], [n, h, w, 1] or [n, h, w, 3]; labels: n whole numbers or texts. A file that is not so is one refused
    row: `bad_record`, `too_large`, or `pickle`. Raises MissingInputError without a root, ConfigError for names that are no UTF-8.
    """
    real_root = existing_root(root)
    return Listing(lambda: _references(settings, real_root))


def _references(settings: SourceSettings, root: Path) -> Iterator[Reference | None]:
    for found in walk(root):
        location = escaped(found.path)
        if found.kind == "refused":
            yield Reference(location, location).refused(found.code, found.message)
        elif found.kind == "file" and found.path.lower().endswith(".npz"):
            yield from _records(settings, root, location)
        elif found.kind == "file":
            yield None


def _records(settings: SourceSettings, root: Path, location: str) -> Iterator[Reference]:
    names = _label_names(settings.npz.label_names, root, location)
    try:
        path = resolved_inside(root, location)
        labels = [(split, load(path, f"y_{split}")) for split in _splits(headers(path))]
    except RejectedInput as refusal:
        yield Reference(location, location).refused(refusal.code, refusal.message)
        return
    ordinal = 0
    for split, values in labels:
        for value in values.reshape(-1).tolist():
            yield checked(_labelled(Reference(f"{location}#{ordinal}", location, ordinal, source_split=split), value, names), settings)
            ordinal += 1


def _splits(members: dict[str, Member]) -> list[str]:
    """The names of the splits in code-point order. Raises RejectedInput `bad_record` when pictures and labels do not fit together."""
    splits = sorted(name[2:] for name in members if name.startswith("x_"))
    if not splits:
        raise RejectedInput("bad_record", f"must hold x_<split> and y_<split>, found {', '.join(members) or 'nothing'}")
    for split in splits:
        pictures, labels = members[f"x_{split}"], members.get(f"y_{split}")
        if pictures.dtype != np.uint8 or not _is_picture(pictures.shape[1:]):
            raise RejectedInput("bad_record", f"x_{split} must be uint8 [n, h, w], [n, h, w, 1] or [n, h, w, 3], found {pictures}")
        if labels is None or labels.dtype.kind not in "iuU" or labels.shape not in {pictures.shape[:1], (*pictures.shape[:1], 1)}:
            raise RejectedInput("bad_record", f"y_{split} must be {pictures.shape[0]} whole numbers or texts, found {labels or 'none'}")
    return splits


def _is_picture(shape: tuple[int, ...]) -> bool:
    return len(shape) in (2, 3) and 0 not in shape and (len(shape) == 2 or shape[2] in (1, 3))


def _label_names(file: str | None, root: Path, location: str) -> list[str] | None:
    if file is None:
        return None
    beside = str(PurePosixPath(location).parent / escaped(file))
    if not os.path.lexists(os.path.join(root, unescaped(beside))):
        return None
    try:
        return read_inside(root, beside, MAX_LABEL_NAMES_BYTES).decode("utf-8-sig").splitlines()
    except (RejectedInput, UnicodeDecodeError) as error:
        raise ConfigError(f"source.npz.label_names: {beside} must be a UTF-8 text file with a label per line: {error}") from error


def _labelled(reference: Reference, value: int | str, names: Sequence[str] | None) -> Reference:
    if isinstance(value, str) or names is None:
        return replace(reference, label=str(value))
    if not 0 <= value < len(names):
        return reference.refused("label_unknown", f"class number must be 0 to {len(names) - 1}, as many as label names, found {value}")
    return replace(reference, label=names[value])


def content(reference: Reference, root: Path, max_bytes: int) -> bytes:
    """One picture as PNG, grey or RGB; the file is loaded once per process. Raises RejectedInput `bad_record`."""
    path = resolved_inside(root, reference.location)
    found = os.stat(path)
    pictures = _pictures(path, found.st_size, found.st_mtime_ns)
    if isinstance(pictures, RejectedInput):
        raise RejectedInput(pictures.code, pictures.message)
    ordinal = -1 if reference.ordinal is None else reference.ordinal
    for part in pictures:
        if 0 <= ordinal < len(part):
            return encode_png(_plain(part[ordinal]))
        ordinal -= len(part)
    raise RejectedInput("bad_record", f"{reference.location} holds {sum(map(len, pictures))} pictures, none of number {reference.ordinal}")


@lru_cache(maxsize=2)
def _pictures(path: str, size: int, mtime_ns: int) -> tuple[NDArray[np.uint8], ...] | RejectedInput:
    """The pictures per split, or why there are none: kept too, else every row would load a damaged file again."""
    try:
        return tuple(load(path, f"x_{split}") for split in _splits(headers(path)))
    except RejectedInput as refusal:
        return refusal


def _plain(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[h, w] or [h, w, 3]: one channel is grey."""
    return picture[:, :, 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
