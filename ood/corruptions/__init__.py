"""Which image corruptions are there? One file each; adding one is a file and its line in `CORRUPTIONS`."""

from __future__ import annotations

from difflib import get_close_matches

import numpy as np

from ood.corruptions import (
    brightness,
    contrast,
    defocus_blur,
    elastic_transform,
    fog,
    frost,
    gaussian_noise,
    glass_blur,
    impulse_noise,
    jpeg_compression,
    ki_contrast,
    ki_gaussian_blur,
    ki_gaussian_noise,
    motion_blur,
    none,
    pixelate,
    shot_noise,
    snow,
    zoom_blur,
)
from ood.corruptions.record import IMAGENET_C_PAPER, KI_PAPER, Corruption, Image

CORRUPTIONS: tuple[Corruption, ...] = (
    none.RECORD,
    ki_gaussian_noise.RECORD,
    ki_gaussian_blur.RECORD,
    ki_contrast.RECORD,
    gaussian_noise.RECORD,
    shot_noise.RECORD,
    impulse_noise.RECORD,
    defocus_blur.RECORD,
    glass_blur.RECORD,
    motion_blur.RECORD,
    zoom_blur.RECORD,
    snow.RECORD,
    frost.RECORD,
    fog.RECORD,
    brightness.RECORD,
    contrast.RECORD,
    elastic_transform.RECORD,
    pixelate.RECORD,
    jpeg_compression.RECORD,
)

KI: tuple[str, ...] = tuple(record.name for record in CORRUPTIONS if record.paper == KI_PAPER)
IMAGENET_C: tuple[str, ...] = tuple(record.name for record in CORRUPTIONS if record.paper == IMAGENET_C_PAPER)

__all__ = ["CORRUPTIONS", "IMAGENET_C", "KI", "Corruption", "Image", "by_name", "corrupt"]


def by_name(name: str) -> Corruption:
    """The record of a corruption. Raises ValueError, with the nearest names, when there is none."""
    for record in CORRUPTIONS:
        if record.name == name:
            return record
    names = [record.name for record in CORRUPTIONS]
    near = get_close_matches(name, names, n=2)
    hint = f"did you mean {' or '.join(near)}?" if near else f"use one of {', '.join(names)}"
    raise ValueError(f"no corruption is called {name!r}: {hint}")


def corrupt(image: Image, name: str, severity: int, rng: np.random.Generator) -> Image:
    """`image` uint8[h, w, 3] under the named corruption, as a new array of the same shape and dtype.

    The same generator state gives the same bytes. Raises ValueError for an unknown name, for a severity that the corruption does not have,
    and for an array that is not such a picture.
    """
    return by_name(name).function(image, severity, rng)
