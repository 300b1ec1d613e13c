"""Does the model survive a moving camera?"""

from __future__ import annotations

import numpy as np

from ood.corruptions._pixels import setting, to_uint8
from ood.corruptions._streak import streak
from ood.corruptions.record import IMAGENET_C_IMPACT, IMAGENET_C_PAPER, Corruption, Image

STREAKS = ((10, 3.0), (15, 5.0), (15, 8.0), (15, 12.0), (20, 15.0))
"""(radius, sigma) in pixels, one per severity."""


def motion_blur(image: Image, severity: int, rng: np.random.Generator) -> Image:
    """`image` uint8[h, w, 3] smeared along a random direction within ±45 degrees of horizontal, sigma 3 to 15 pixels.

    Severity 1 to 5. Raises ValueError for other severities or pictures. Source: ImageNet-C; the source calls ImageMagick, ours is the same
    one-sided kernel in NumPy.
    """
    radius, sigma = setting(STREAKS, severity, image)
    return to_uint8(streak(image.astype(np.float32), radius, sigma, rng.uniform(-45, 45)))


RECORD = Corruption(
    "motion_blur",
    motion_blur,
    "blur",
    "sigma (pixels)",
    tuple(sigma for _, sigma in STREAKS),
    True,
    IMAGENET_C_IMPACT,
    IMAGENET_C_PAPER,
)
