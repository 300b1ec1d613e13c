"""What are scikit-learn's digits as a source: real pictures that need no download?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bronze.readers.checks import checked
from bronze.reference import Listing, Reference
from models.decode import encode_png
from models.errors import RejectedInput

if TYPE_CHECKING:
    from bronze.settings import SourceSettings

FILE = "digits"
INK = 16  # full ink in scikit-learn's copy of the UCI test set (Alpaydin, Kaynak 1998)


def listing(settings: SourceSettings, root: Path) -> Listing:
    """The 1,797 digits as `digits#ordinal`, labels `0` to `9`; `root` is not looked at."""
    return Listing(lambda: _references(settings))


def _references(settings: SourceSettings) -> Iterator[Reference]:
    _, labels = _digits()
    for ordinal, label in enumerate(labels.tolist()):
        yield checked(Reference(f"{FILE}#{ordinal}", FILE, ordinal, str(label)), settings)


def content(reference: Reference, root: Path, max_bytes: int) -> bytes:
    """One digit as grey PNG: 8 x 8, ink 0..16 scaled to 0..255. Raises RejectedInput `bad_record` beyond the last."""
    pictures, _ = _digits()
    if reference.ordinal is None or not 0 <= reference.ordinal < len(pictures):
        raise RejectedInput("bad_record", f"ordinal must be 0 to {len(pictures) - 1}, found {reference.ordinal}")
    return encode_png(pictures[reference.ordinal])


def stamp(location: str, root: Path) -> str:
    """The version of scikit-learn: the digits change with nothing else."""
    return version("scikit-learn")


@lru_cache(maxsize=1)
def _digits() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    from sklearn.datasets import load_digits  # costs a second, and only this reader needs it

    found = load_digits()
    return np.round(found.images * (255 / INK)).astype(np.uint8), found.target.astype(np.int64)
