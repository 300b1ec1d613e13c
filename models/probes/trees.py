"""Boosted trees in a probe world: a model without gradients, and flat almost everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.probes.probe import Included, Inputs, Outputs


@dataclass(frozen=True)
class TreeProbe:
    """A trained XGBoost classifier of two classes over all features of all units."""

    booster: Any

    def outputs(self, inputs: Inputs, included: Included) -> Outputs:
        """Probabilities of both classes, float32[examples, 2]."""
        found = np.asarray(self.booster.inplace_predict(_flat(inputs)))
        return np.stack([1.0 - found, found], axis=1)


def train_trees(inputs: Inputs, labels: NDArray[np.int64], seed: int, trees: int = 100, depth: int = 4) -> TreeProbe:
    """Histogram trees with logistic loss; rows and features are drawn by the seed, on one thread."""
    import xgboost

    parameters = {
        "objective": "binary:logistic", "tree_method": "hist", "max_depth": depth, "eta": 0.2, "subsample": 0.8, "colsample_bytree": 0.8,
        "seed": seed, "nthread": 1, "verbosity": 0,
    }  # fmt: skip
    booster = xgboost.train(parameters, xgboost.QuantileDMatrix(_flat(inputs), labels, nthread=1), trees)
    booster.set_param({"nthread": 1})
    return TreeProbe(booster)


def _flat(inputs: Inputs) -> NDArray[np.float32]:
    return np.ascontiguousarray(inputs.reshape(len(inputs), -1), dtype=np.float32)
