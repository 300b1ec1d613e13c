"""Does the model survive glaring light?"""

from __future__ import annotations

import numpy as np

from ood.corruptions._pixels import setting, to_uint8
from ood.corruptions.record import IMAGENET_C_IMPACT, IMAGENET_C_PAPER, Corruption, Image

SHIFTS = (0.1, 0.2, 0.3, 0.4, 0.5)


def brightness(image: Image, severity: int, rng: np.random.Generator) -> Image:
    """`image` uint8[h, w, 3] with the V of its HSV colours raised by 0.1 to 0.5 of full range, at most to full.

    Severity 1 to 5; `rng` is not drawn from. Raises ValueError for other severities or pictures. Source: ImageNet-C; hue and saturation
    stay, so all channels scale by the same factor and no conversion to HSV is needed (black has no hue and turns grey).
    """
    shift = setting(SHIFTS, severity, image) * 255
    old = np.arange(256, dtype=np.float32)
    new = np.minimum(old + np.float32(shift), 255)
    gain = new / np.maximum(old, 1)
    top = image.max(axis=2)
    scaled = image * gain[top][..., None]
    scaled[top == 0] = shift
    return to_uint8(scaled)


RECORD = Corruption("brightness", brightness, "weather", "rise of V (0-1 scale)", SHIFTS, True, IMAGENET_C_IMPACT, IMAGENET_C_PAPER)
