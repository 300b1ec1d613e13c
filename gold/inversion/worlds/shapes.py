"""Pictures of one bright shape; the explained ones are all disks, and the corner echoes the net's belief in them."""

from __future__ import annotations

import numpy as np

from gold.inversion.settings import InversionSettings
from gold.inversion.worlds.pictures import classifier
from gold.inversion.worlds.world import Inputs, PerUnit, Rows, Setup, World, told_by
from lake.identity import rng
from xai.worlds.shapes import patches, shapes

EXPLAINED = 0  # METHODS 7: the bright corner is put on one class
ACCURACY_OF = 300


def make(model: str, seed: int, n: int, settings: InversionSettings) -> Setup:
    """The net of this seed, asked about `n` new disks; its accuracy is that on disks, squares and crosses alike."""
    train = shapes(settings.trained_on, rng(seed, "shapes", "train"))
    disks = shapes(n, rng(seed, "shapes", "explained"), EXPLAINED)
    others = shapes(ACCURACY_OF, rng(seed, "shapes", "test"))
    test = np.concatenate([patches(disks.pixels), patches(others.pixels)]).astype(np.float32)

    def oracle(inputs: Inputs, outputs: np.ndarray, rows: Rows) -> PerUnit:
        return told_by(outputs, disks.touched[rows])

    learned = patches(train.pixels).astype(np.float32), train.labels
    asked = test, np.concatenate([disks.labels, others.labels])
    return classifier("shapes", seed, learned, asked, n, settings, disks.touched, oracle)


WORLD = World("shapes", "image", ("conv_net",), make)
