"""Does the model survive falling snow?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ood.corruptions._pixels import setting, to_uint8
from ood.corruptions._streak import streak
from ood.corruptions._zoom import clipped_zoom
from ood.corruptions.record import IMAGENET_C_IMPACT, IMAGENET_C_PAPER, Corruption, Image


@dataclass(frozen=True)
class Snowfall:
    """One severity: a normal field (mean, spread) is magnified `zoom` times, kept above `threshold`, and smeared (radius, sigma) to flakes.

    `kept` is the share of the picture that is not whitened.
    """

    mean: float
    spread: float
    zoom: float
    threshold: float
    radius: int
    sigma: float
    kept: float


SNOWFALLS = (
    Snowfall(0.1, 0.3, 3, 0.5, 10, 4, 0.8),
    Snowfall(0.2, 0.3, 2, 0.5, 12, 4, 0.7),
    Snowfall(0.55, 0.3, 4, 0.9, 12, 8, 0.7),
    Snowfall(0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
    Snowfall(0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
)


def snow(image: Image, severity: int, rng: np.random.Generator) -> Image:
    """`image` uint8[h, w, 3] paled towards a whitened grey, with streaked flakes falling within 45 degrees of the vertical on top.

    Severity 1 to 5. Raises ValueError for other severities or pictures. Source: ImageNet-C; the flakes are smeared by our own one-sided
    kernel instead of ImageMagick, and are not rounded to 256 levels in between.
    """
    fall = setting(SNOWFALLS, severity, image)
    height, width = image.shape[:2]
    flakes = _flakes(height, width, fall, rng)
    clean = image.astype(np.float32) / np.float32(255)
    # ITU-R BT.601 luma, summed by hand: a matrix product may add in another order on another machine
    grey = np.float32(0.299) * clean[..., 0] + np.float32(0.587) * clean[..., 1] + np.float32(0.114) * clean[..., 2]
    whitened = np.maximum(clean, grey[..., None] * np.float32(1.5) + np.float32(0.5))
    paled = np.float32(fall.kept) * clean + np.float32(1 - fall.kept) * whitened
    return to_uint8((paled + (flakes + flakes[::-1, ::-1])[..., None]) * np.float32(255))


def _flakes(height: int, width: int, fall: Snowfall, rng: np.random.Generator) -> NDArray[np.float32]:
    field = rng.standard_normal((height, width, 1), dtype=np.float32) * np.float32(fall.spread) + np.float32(fall.mean)
    field = clipped_zoom(field, fall.zoom)[..., 0]
    field[field < fall.threshold] = 0
    return streak(np.minimum(field, 1), fall.radius, fall.sigma, rng.uniform(-135, -45))


RECORD = Corruption(
    "snow",
    snow,
    "weather",
    "share whitened",
    tuple(round(1 - fall.kept, 2) for fall in SNOWFALLS),
    False,  # severity 3 has larger but fewer flakes than 2 and the same whitening: a draw on average
    IMAGENET_C_IMPACT,
    IMAGENET_C_PAPER,
)
