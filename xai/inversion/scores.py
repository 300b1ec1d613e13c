"""How far does a poke move an explanation, and does it still follow the output once the truth's own movement is held fixed?

Reliance, faithfulness and the inversion score themselves are `xai.metrics`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from xai.metrics.correlation import Distances, Output, Outputs, correlation, effects
from xai.units import Attribution, Included, PerExample, included_or_all

UNEXPLAINED = 1e-9  # of a movement's variance: less is rounding of float32 outputs
Poked = Float[NDArray[np.floating], "*batch pokes units"]


def movement(attribution: Attribution, poked: Poked, included: Included | None = None) -> Distances:
    """How far each poke moves the explanation: ||a(x') - a(x)||_2 over the included units, from 0 up, in the unit of the attribution.

    attribution [..., units], poked [..., pokes, units]. NaN where either is not finite. Raises ValueError when shapes differ.
    """
    if poked.ndim != attribution.ndim + 1 or poked.shape[:-2] + poked.shape[-1:] != attribution.shape:
        raise ValueError(f"poked attributions must be [..., pokes, units] beside {attribution.shape}, got {poked.shape}")
    inside = included_or_all(attribution, included)
    moved = np.where(inside[..., None, :], poked.astype(np.float64) - attribution[..., None, :], 0.0)
    return np.asarray(np.sqrt((moved**2).sum(axis=-1)))


def partial_reliance(moved: Distances, output: Output, poked_output: Outputs, true_moved: Distances) -> PerExample:
    """R when what the truth itself moves is held fixed: partial correlation of both movements given that of the true attribution.

    true_moved [..., pokes]: `movement` of the units' true effects, or of the oracle's attribution. In [0, 1]. Null where R is, and where
    the truth explains either movement but for a share of 1e-9 of its variance, which float32 outputs cannot tell from nothing.
    Source: the control of METHODS 7.
    """
    sizes = effects(moved, output, poked_output)
    if true_moved.shape != moved.shape:
        raise ValueError(f"true movements must have the shape {moved.shape}, got {true_moved.shape}")
    r_xy, r_xz, r_yz = correlation(moved, sizes), correlation(moved, true_moved), correlation(sizes, true_moved)
    unexplained = 1.0 - r_xz**2, 1.0 - r_yz**2
    some = (unexplained[0] > UNEXPLAINED) & (unexplained[1] > UNEXPLAINED)
    left = unexplained[0] * unexplained[1]
    return np.abs(np.where(some, (r_xy - r_xz * r_yz) / np.sqrt(np.where(some, left, 1.0)), np.nan)).clip(0.0, 1.0)
