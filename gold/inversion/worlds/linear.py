"""y = w x with standard normal weights: exact attributions are faithful, and yet R falls with the number of features."""

from __future__ import annotations

import numpy as np
import torch

from gold.inversion.settings import InversionSettings
from gold.inversion.worlds.tabular import regression
from gold.inversion.worlds.world import Inputs, PerUnit, Rows, Setup, World
from lake.identity import rng

UNITS = 6


def make(model: str, seed: int, n: int, settings: InversionSettings) -> Setup:
    """The linear model of this seed's weights; the slot x6 has weight 0."""
    weights = rng(seed, "linear", "weights").standard_normal(UNITS).astype(np.float32)
    weights[-1] = 0.0
    w = torch.from_numpy(weights)

    def exact(inputs: Inputs, outputs: np.ndarray, rows: Rows) -> PerUnit:
        return np.asarray(inputs[:, :, 0] * weights.astype(np.float64))

    return regression("linear", model, seed, n, settings, lambda x: x @ w, UNITS, tuple(range(UNITS - 1)), exact)


WORLD = World("linear", "tabular", ("formula",), make)
