"""Does the model survive KI's loss of contrast?"""

from __future__ import annotations

import numpy as np

from ood.corruptions._pixels import setting, to_uint8
from ood.corruptions.record import KI_IMPACT, KI_PAPER, Corruption, Image

FACTORS = (0.7, 0.4, 0.15)


def ki_contrast(image: Image, severity: int, rng: np.random.Generator) -> Image:
    """Every value of `image` uint8[h, w, 3] drawn towards the one mean of the whole picture: mean + factor (value - mean).

    Factor 0.7, 0.4 or 0.15 for severity 1 to 3 (shallow, medium, heavy); `rng` is not drawn from. The mean is taken over all pixels and
    channels together, so colours fade as well (ImageNet-C's `contrast` keeps each channel's mean). Raises ValueError for other severities
    or pictures. Source: KI.
    """
    factor = setting(FACTORS, severity, image)
    # the integer sum is exact, so the mean does not depend on the order of summation
    mean = int(image.sum(dtype=np.int64)) / image.size
    levels = np.arange(256)
    return to_uint8(mean + factor * (levels - mean))[image]


RECORD = Corruption("ki_contrast", ki_contrast, "digital", "contrast factor", FACTORS, True, KI_IMPACT, KI_PAPER)
