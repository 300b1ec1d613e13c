"""Does the model survive a camera that moves closer during the exposure?"""

from __future__ import annotations

import numpy as np

from ood.corruptions._pixels import setting, to_uint8
from ood.corruptions._zoom import clipped_zoom
from ood.corruptions.record import IMAGENET_C_IMPACT, IMAGENET_C_PAPER, Corruption, Image

RANGES = ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03))
"""(where the zoom factors stop, their step), one per severity."""

# the source's floating-point ranges: the first includes its stop, and the last bits decide how large a crop is where 224 / factor is whole
FACTORS = tuple(tuple(np.arange(1, stop, step).tolist()) for stop, step in RANGES)


def zoom_blur(image: Image, severity: int, rng: np.random.Generator) -> Image:
    """Mean of `image` uint8[h, w, 3] and its magnifications about the middle, from 1 up to 1.11, 1.15, 1.20, 1.24 or 1.30 times.

    Severity 1 to 5; `rng` is not drawn from. The factor 1 counts twice, as in the source. Raises ValueError for other severities or
    pictures. Source: ImageNet-C; each axis is cropped by its own side, so non-square pictures keep their shape.
    """
    factors = setting(FACTORS, severity, image)
    clean = image.astype(np.float32)
    total = clean.copy()
    for factor in factors:
        total += clipped_zoom(clean, factor)
    return to_uint8(total / np.float32(len(factors) + 1))


RECORD = Corruption(
    "zoom_blur",
    zoom_blur,
    "blur",
    "largest zoom factor",
    tuple(round(factors[-1], 2) for factors in FACTORS),
    True,
    IMAGENET_C_IMPACT,
    IMAGENET_C_PAPER,
)
