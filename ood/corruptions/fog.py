"""Does the model survive fog?"""

from __future__ import annotations

import numpy as np

from ood.corruptions._pixels import setting, to_uint8
from ood.corruptions._plasma import plasma
from ood.corruptions.record import IMAGENET_C_IMPACT, IMAGENET_C_PAPER, Corruption, Image

FOGS = ((1.5, 2.0), (2.0, 2.0), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4))
"""(thickness in units of full white, decay of the cloud's detail), one per severity."""


def fog(image: Image, severity: int, rng: np.random.Generator) -> Image:
    """`image` uint8[h, w, 3] under a plasma cloud of thickness 1.5 to 3, scaled back so that its brightest value is kept.

    Severity 1 to 5. Raises ValueError for other severities or pictures. Source: ImageNet-C; its cloud is 256 px wide, ours the next power
    of two of the picture, which is the same at 224 px.
    """
    thickness, decay = setting(FOGS, severity, image)
    cloud = plasma(image.shape[0], image.shape[1], decay, rng)
    brightest = int(image.max()) / 255
    share = np.float32(brightest / (brightest + thickness))
    return to_uint8((image + np.float32(255 * thickness) * cloud[..., None]) * share)


RECORD = Corruption(
    "fog",
    fog,
    "weather",
    "thickness (1 = full white)",
    tuple(thickness for thickness, _ in FOGS),
    False,  # severity 4 is as thick as 3 and only rougher
    IMAGENET_C_IMPACT,
    IMAGENET_C_PAPER,
)
