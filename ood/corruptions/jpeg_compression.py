"""Does the model survive strong JPEG compression?"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image as Pillow

from ood.corruptions._pixels import setting
from ood.corruptions.record import IMAGENET_C_IMPACT, IMAGENET_C_PAPER, Corruption, Image

QUALITIES = (25, 18, 15, 10, 7)


def jpeg_compression(image: Image, severity: int, rng: np.random.Generator) -> Image:
    """`image` uint8[h, w, 3] written as JPEG of quality 25, 18, 15, 10 or 7 and read back (Pillow's defaults: 4:2:0 colour).

    Severity 1 to 5; `rng` is not drawn from; the bytes are those of the installed libjpeg. Raises ValueError for other severities or
    pictures. Source: ImageNet-C.
    """
    quality = setting(QUALITIES, severity, image)
    file = BytesIO()
    Pillow.fromarray(image).save(file, "JPEG", quality=quality)
    with Pillow.open(file) as picture:
        return np.array(picture)


RECORD = Corruption(
    "jpeg_compression",
    jpeg_compression,
    "digital",
    "JPEG quality",
    tuple(float(quality) for quality in QUALITIES),
    True,
    IMAGENET_C_IMPACT,
    IMAGENET_C_PAPER,
)
