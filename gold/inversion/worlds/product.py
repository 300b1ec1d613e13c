"""y = x1 sin(x2) with dummies x3 to x6, of which x6 is the slot: an exact formula, and a net that learned it."""

from __future__ import annotations

import numpy as np
import torch

from gold.inversion.settings import InversionSettings
from gold.inversion.worlds.tabular import regression
from gold.inversion.worlds.world import Inputs, PerUnit, Rows, Setup, World

UNITS = 6
TRUE = (0, 1)


def formula(x: torch.Tensor) -> torch.Tensor:
    """x[b, 6] -> y[b]."""
    return x[:, 0] * torch.sin(x[:, 1])


def shapley(inputs: Inputs, outputs: np.ndarray, rows: Rows) -> PerUnit:
    """Exact Shapley values of the formula against zero: without one factor nothing is left, so each gets half of y."""
    x = inputs[:, :, 0].astype(np.float64)
    found = np.zeros(x.shape)
    found[:, TRUE] = (0.5 * x[:, 0] * np.sin(x[:, 1]))[:, None]
    return found


def make(model: str, seed: int, n: int, settings: InversionSettings) -> Setup:
    """The formula itself, or an MLP trained on it."""
    return regression("product", model, seed, n, settings, formula, UNITS, TRUE, shapley)


WORLD = World("product", "tabular", ("formula", "mlp"), make)
