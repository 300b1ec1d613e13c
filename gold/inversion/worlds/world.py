"""What is a probe world: how a model is trained there, on which inputs it is explained, and what is known of the truth?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

from gold.inversion.settings import InversionSettings
from models.probes import Probe

Inputs = Float[NDArray[np.floating], "examples units width"]
Included = Bool[NDArray[np.bool_], "examples units"]
PerUnit = Float[NDArray[np.floating], "examples units"]
Rows = NDArray[np.int64]
Oracle = Callable[[Inputs, NDArray[np.floating], Rows], PerUnit]
"""(inputs, the model's outputs for them, which example each comes from) -> attribution by the truth."""


@dataclass(frozen=True)
class Setup:
    """One trained model and the examples on which it is explained; the slot is a unit of every one of them.

    inputs [n, units, width]. `true_units`: units known to decide; None where nobody knows. `oracle`: what the truth itself attributes.
    `mean` [units, width] and `background` [rows, units, width] are of the training rows, `spread` [units, width] their sd; the baseline of
    all methods is zero. `direction` [width]: the slot's features are an amount times it. `by_norm`: pokes are sized by the norm of a
    unit's features (words), else by each feature. `output_sd`: of M on training rows. `score`: accuracy, or R2 of a regression.
    """

    probe: Probe
    inputs: Inputs
    included: Included
    slot: int
    mean: NDArray[np.float32]
    background: Inputs
    spread: NDArray[np.float32]
    output_sd: float
    score: float
    true_units: Included | None = None
    oracle: Oracle | None = None
    direction: NDArray[np.float32] | None = None
    by_norm: bool = False


@dataclass(frozen=True)
class World:
    """`make(model, seed, n, settings)` trains one of `models` with this seed and draws `n` examples that it has not seen."""

    name: str
    domain: str
    models: tuple[str, ...]
    make: Callable[[str, int, int, InversionSettings], Setup]


def told_by(outputs: NDArray[np.floating], true_units: Included) -> PerUnit:
    """The oracle of a classifier: its p, shared equally by the units that decide."""
    shares = true_units / np.maximum(true_units.sum(axis=1, keepdims=True), 1)
    return np.asarray(shares * outputs[:, None])
