"""Does the model survive ice on the lens?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ood.corruptions._pixels import setting, to_uint8
from ood.corruptions._plasma import plasma
from ood.corruptions._streak import streak
from ood.corruptions.record import IMAGENET_C_IMPACT, IMAGENET_C_PAPER, Corruption, Image

MIXES = ((1.0, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))
"""(weight of the picture, weight of the ice), one per severity."""

ICE_COLOUR = np.array([205, 228, 255], dtype=np.float32)
NEEDLE_DIRECTIONS = 6


def frost(image: Image, severity: int, rng: np.random.Generator) -> Image:
    """`image` uint8[h, w, 3], dimmed, plus an icy texture, with the source's weights (1, 0.4) to (0.6, 0.75).

    Severity 1 to 5. Raises ValueError for other severities or pictures. Source: ImageNet-C, **with another texture**: the source overlays
    random crops of five photographs of frosted glass, which we do not ship; ours is drawn anew per picture (see `ice`). Numbers under this
    corruption are therefore comparable between our adapters, not with published ImageNet-C frost figures.
    """
    dimming, weight = setting(MIXES, severity, image)
    texture = ice(image.shape[0], image.shape[1], rng)[..., None] * ICE_COLOUR
    return to_uint8(np.float32(dimming) * image + np.float32(weight) * texture)


def ice(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """float32[height, width] in [0, 1], 1 = thick ice: a cloud of rime (plasma fractal) under bright needles in random directions.

    The same draws at every severity, so that one picture freezes over with the same ice, only thicker.
    """
    rime = plasma(height, width, 1.6, rng)
    needles = np.zeros((height, width), np.float32)
    reach = max(2, min(height, width) // 16)
    for angle in rng.uniform(0, 360, NEEDLE_DIRECTIONS):
        # needles as long as `reach`, so fewer seeds where they are long: the same share of any picture is covered
        seeds = (rng.random((height, width), dtype=np.float32) < 0.05 / reach).astype(np.float32)
        # times reach: a lone seed then starts a needle of brightness near 1
        needles = np.maximum(needles, streak(seeds, reach, reach, angle) * np.float32(reach))
    return np.minimum(np.float32(0.8) * rime + np.float32(0.5) * needles, 1)


RECORD = Corruption(
    "frost",
    frost,
    "weather",
    "weight of the ice",
    tuple(weight for _, weight in MIXES),
    False,  # severity 4 has the ice of 3 over a darker picture, which takes some of the added brightness back
    IMAGENET_C_IMPACT,
    IMAGENET_C_PAPER,
)
