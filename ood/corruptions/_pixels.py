"""What may enter a corruption, and how do its numbers become a picture again?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ood.corruptions.record import Image

Setting = TypeVar("Setting")


def check_image(image: Image) -> None:
    """Raises ValueError unless `image` is uint8[h, w, 3] with at least one pixel."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        found = image.dtype if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(f"a picture must be a uint8 array, found {found}: convert it to 0-255 first")
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"a picture must have shape (height, width, 3) and at least one pixel, found {image.shape}: make it RGB first")


def setting(table: Sequence[Setting], severity: int, image: Image) -> Setting:
    """The constants of `severity` (1 = first row), after picture and severity were checked. Raises ValueError for either."""
    check_image(image)
    if not isinstance(severity, (int, np.integer)) or not 1 <= severity <= len(table):
        raise ValueError(f"severity must be a whole number from 1 to {len(table)}, found {severity!r}")
    return table[severity - 1]


def to_uint8(values: NDArray[np.floating]) -> Image:
    """Numbers on the 0-255 scale, clipped and rounded to the nearest level (half to even).

    ImageNet-C's generator cuts the fraction off instead, which darkens every picture by half a level.
    """
    levels: Image = np.rint(np.clip(values, 0, 255)).astype(np.uint8)
    return levels
