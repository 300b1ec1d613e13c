"""Does the model survive dead and saturated sensor cells?"""

from __future__ import annotations

import numpy as np

from ood.corruptions._pixels import setting
from ood.corruptions.record import IMAGENET_C_IMPACT, IMAGENET_C_PAPER, Corruption, Image

SHARES = (0.03, 0.06, 0.09, 0.17, 0.27)


def impulse_noise(image: Image, severity: int, rng: np.random.Generator) -> Image:
    """Salt and pepper: each value of `image` uint8[h, w, 3] is struck with probability 0.03 to 0.27, half to 255 and half to 0.

    Severity 1 to 5; the three channels of a pixel are struck independently, as in the source. Raises ValueError for other severities or
    pictures. Source: ImageNet-C.
    """
    share = np.float32(setting(SHARES, severity, image))
    draw = rng.random(image.shape, dtype=np.float32)
    struck = np.where(draw < share / 2, np.uint8(255), image)
    struck[(draw >= share / 2) & (draw < share)] = 0
    return struck


RECORD = Corruption("impulse_noise", impulse_noise, "noise", "share of values struck", SHARES, True, IMAGENET_C_IMPACT, IMAGENET_C_PAPER)
