"""Does the model survive the graininess of few photons?"""

from __future__ import annotations

import numpy as np

from ood.corruptions._pixels import setting, to_uint8
from ood.corruptions.record import IMAGENET_C_IMPACT, IMAGENET_C_PAPER, Corruption, Image

PHOTONS = (60.0, 25.0, 12.0, 5.0, 3.0)


def shot_noise(image: Image, severity: int, rng: np.random.Generator) -> Image:
    """Each value of `image` uint8[h, w, 3] becomes a Poisson count with 60, 25, 12, 5 or 3 photons expected at full white.

    Severity 1 to 5; black stays black, noise grows with brightness. Raises ValueError for other severities or pictures. Source: ImageNet-C.
    """
    photons = setting(PHOTONS, severity, image)
    counts = rng.poisson(image * (photons / 255))
    return to_uint8(counts * (255 / photons))


RECORD = Corruption("shot_noise", shot_noise, "noise", "photons at full white", PHOTONS, True, IMAGENET_C_IMPACT, IMAGENET_C_PAPER)
