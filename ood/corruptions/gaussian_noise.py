"""Does the model survive low-light noise?"""

from __future__ import annotations

import numpy as np

from ood.corruptions._noise import add_normal
from ood.corruptions._pixels import setting
from ood.corruptions.record import IMAGENET_C_IMPACT, IMAGENET_C_PAPER, Corruption, Image

SIGMAS = (0.08, 0.12, 0.18, 0.26, 0.38)


def gaussian_noise(image: Image, severity: int, rng: np.random.Generator) -> Image:
    """`image` uint8[h, w, 3] plus normal noise of sigma 0.08 to 0.38 of the full range, per pixel and channel; clipped and rounded.

    Severity 1 to 5. Raises ValueError for other severities or pictures. Source: ImageNet-C.
    """
    return add_normal(image, setting(SIGMAS, severity, image) * 255, rng)


RECORD = Corruption("gaussian_noise", gaussian_noise, "noise", "sigma (0-1 scale)", SIGMAS, True, IMAGENET_C_IMPACT, IMAGENET_C_PAPER)
