"""scikit-learn's handwritten digits: real pictures, of which nobody knows which patches decide."""

from __future__ import annotations

import numpy as np

from gold.inversion.settings import InversionSettings
from gold.inversion.worlds.pictures import classifier
from gold.inversion.worlds.world import Setup, World
from lake.identity import rng
from xai.worlds.shapes import patches

PATCH, TEST = 2, 400


def make(model: str, seed: int, n: int, settings: InversionSettings) -> Setup:
    """The net of this seed; which pictures it learns from is drawn with the seed."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    order = rng(seed, "digits", "split").permutation(len(pixels))
    apart = (patches(pixels.reshape(-1, 8, 8), PATCH) / 16.0).astype(np.float32)[order]
    told = labels.astype(np.int64)[order]
    return classifier("digits", seed, (apart[TEST:], told[TEST:]), (apart[:TEST], told[:TEST]), n, settings)


WORLD = World("digits", "image", ("conv_net",), make)
