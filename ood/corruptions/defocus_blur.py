"""Does the model survive a lens out of focus?"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ood.corruptions._pixels import setting, to_uint8
from ood.corruptions.record import IMAGENET_C_IMPACT, IMAGENET_C_PAPER, Corruption, Image

DISKS = ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5))
"""(radius of the disk in pixels, sigma in pixels that softens its rim), one per severity."""


def defocus_blur(image: Image, severity: int, rng: np.random.Generator) -> Image:
    """`image` uint8[h, w, 3] averaged over a disk of radius 3 to 10 pixels with a softened rim, mirrored at the border.

    Severity 1 to 5; `rng` is not drawn from; pixels whatever the size of the picture. Raises ValueError for other severities or pictures.
    Source: ImageNet-C. The source softens the disk inside a kernel that is just as large, which folds a little of the rim back; our rim
    is whole.
    """
    radius, rim = setting(DISKS, severity, image)
    mean, reach = disk_mean(image, radius), 1 if radius <= 8 else 2
    return to_uint8(ndimage.gaussian_filter(mean, rim, radius=reach, mode="mirror", axes=(0, 1)))


def disk_mean(image: Image, radius: int) -> NDArray[np.float32]:
    """float32[h, w, 3]: mean over all pixels at most `radius` away, the picture mirrored about its edge pixels.

    Each row of the disk is a difference of two running sums: 2 radius + 1 subtractions per pixel instead of about 3 radius² products, and
    in whole numbers, so exact.
    """
    height, width = image.shape[:2]
    around = np.pad(image, ((radius, radius), (radius + 1, radius), (0, 0)), mode="reflect")
    running = around.cumsum(axis=1, dtype=np.int32)
    total = np.zeros(image.shape, np.int32)
    pixels = 0
    for row in range(2 * radius + 1):
        half = math.isqrt(radius**2 - (row - radius) ** 2)
        rows = running[row : row + height]
        total += rows[:, radius + half + 1 : radius + half + 1 + width]
        total -= rows[:, radius - half : radius - half + width]
        pixels += 2 * half + 1
    return total.astype(np.float32) / np.float32(pixels)


RECORD = Corruption(
    "defocus_blur",
    defocus_blur,
    "blur",
    "radius of the disk (pixels)",
    tuple(float(radius) for radius, _ in DISKS),
    True,
    IMAGENET_C_IMPACT,
    IMAGENET_C_PAPER,
)
