"""Does the model survive flat light?"""

from __future__ import annotations

import numpy as np

from ood.corruptions._pixels import setting, to_uint8
from ood.corruptions.record import IMAGENET_C_IMPACT, IMAGENET_C_PAPER, Corruption, Image

FACTORS = (0.4, 0.3, 0.2, 0.1, 0.05)


def contrast(image: Image, severity: int, rng: np.random.Generator) -> Image:
    """Each channel of `image` uint8[h, w, 3] drawn towards its own mean: mean + factor (value - mean), factor 0.4 to 0.05.

    Severity 1 to 5; `rng` is not drawn from. Raises ValueError for other severities or pictures. Source: ImageNet-C (KI's `ki_contrast`
    uses one mean for the whole picture).
    """
    factor = setting(FACTORS, severity, image)
    # the integer sum is exact, so the mean does not depend on the order of summation
    means = image.sum(axis=(0, 1), dtype=np.int64) / (image.shape[0] * image.shape[1])
    return to_uint8(means + factor * (image - means))


RECORD = Corruption("contrast", contrast, "digital", "contrast factor", FACTORS, True, IMAGENET_C_IMPACT, IMAGENET_C_PAPER)
