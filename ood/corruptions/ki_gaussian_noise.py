"""Does the model survive KI's sensor noise?"""

from __future__ import annotations

import numpy as np

from ood.corruptions._noise import add_normal
from ood.corruptions._pixels import setting
from ood.corruptions.record import KI_IMPACT, KI_PAPER, Corruption, Image

SIGMAS = (15.0, 40.0, 80.0)


def ki_gaussian_noise(image: Image, severity: int, rng: np.random.Generator) -> Image:
    """`image` uint8[h, w, 3] plus normal noise of sigma 15, 40 or 80 levels, per pixel and channel; clipped and rounded.

    Severity 1 to 3 (shallow, medium, heavy). Raises ValueError for other severities or pictures. Source: KI; it corrupted the
    original-size file, we do so wherever `apply_at` says.
    """
    return add_normal(image, setting(SIGMAS, severity, image), rng)


RECORD = Corruption("ki_gaussian_noise", ki_gaussian_noise, "noise", "sigma (0-255 scale)", SIGMAS, True, KI_IMPACT, KI_PAPER)
