"""Does the model survive KI's blur?"""

from __future__ import annotations

import numpy as np
from PIL import Image as Pillow
from PIL import ImageFilter

from ood.corruptions._pixels import setting
from ood.corruptions.record import KI_IMPACT, KI_PAPER, Corruption, Image

RADII = (1.0, 3.0, 6.0)


def ki_gaussian_blur(image: Image, severity: int, rng: np.random.Generator) -> Image:
    """`image` uint8[h, w, 3] under Pillow's `GaussianBlur` of radius 1, 3 or 6 pixels (three box blurs of about that sigma).

    Severity 1 to 3 (shallow, medium, heavy); `rng` is not drawn from. The radius is in pixels whatever the size of the picture, so a small
    picture is hurt more. Raises ValueError for other severities or pictures. Source: KI.
    """
    radius = setting(RADII, severity, image)
    return np.array(Pillow.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))


RECORD = Corruption("ki_gaussian_blur", ki_gaussian_blur, "blur", "radius (pixels)", RADII, True, KI_IMPACT, KI_PAPER)
