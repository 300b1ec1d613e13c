"""Does the model survive a low resolution?"""

from __future__ import annotations

import numpy as np
from PIL import Image as Pillow

from ood.corruptions._pixels import setting
from ood.corruptions.record import IMAGENET_C_IMPACT, IMAGENET_C_PAPER, Corruption, Image

SHARES = (0.6, 0.5, 0.4, 0.3, 0.25)


def pixelate(image: Image, severity: int, rng: np.random.Generator) -> Image:
    """`image` uint8[h, w, 3] shrunk to 0.6, 0.5, 0.4, 0.3 or 0.25 of each side and blown up again, both with Pillow's box filter.

    Severity 1 to 5; `rng` is not drawn from. Raises ValueError for other severities or pictures. Source: ImageNet-C; the small side is
    rounded down as there, but never below one pixel.
    """
    share = setting(SHARES, severity, image)
    height, width = image.shape[:2]
    small = Pillow.fromarray(image).resize((max(1, int(width * share)), max(1, int(height * share))), Pillow.Resampling.BOX)
    return np.array(small.resize((width, height), Pillow.Resampling.BOX))


RECORD = Corruption("pixelate", pixelate, "digital", "share of the side kept", SHARES, True, IMAGENET_C_IMPACT, IMAGENET_C_PAPER)
