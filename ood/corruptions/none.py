"""What does a model answer on the picture as it is? The clean row that every degradation is measured from."""

from __future__ import annotations

import numpy as np

from ood.corruptions._pixels import check_image
from ood.corruptions.record import Corruption, Image


def none(image: Image, severity: int, rng: np.random.Generator) -> Image:
    """A copy of `image` uint8[h, w, 3]. Only severity 0 exists; `rng` is not drawn from. Raises ValueError for other input."""
    check_image(image)
    if severity != 0:
        raise ValueError(f"severity must be 0 for the clean row, found {severity!r}")
    return image.copy()


RECORD = Corruption("none", none, "clean", "", (), True, ("clean",), "")
