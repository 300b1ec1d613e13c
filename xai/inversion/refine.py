"""What is left of an attribution when each unit's share is discounted by how much it changes under pokes that change nothing?

Reproduce-by-Poking (RBP, arXiv 2504.08919): a unit whose attribution moves although the prediction stays is a story, and is told less
loudly. Whether that does more than telling everything less loudly, `shrink` says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64
from numpy.typing import NDArray

from xai.units import BatchIncluded, BatchUnits, BatchUnits64, PerRow, included_or_all

PerPoke = Float[NDArray[np.floating], "batch units pokes"]
Admissible = Bool[NDArray[np.bool_], "batch units pokes"]
Marginals = Float[NDArray[np.floating], "batch units sizes"]
Deltas = Float64[NDArray[np.float64], "batch units"]


@dataclass(frozen=True)
class Refined:
    """`values`, `delta` [batch, units]: the refined attribution, and what each unit was discounted by (before lambda); 0 on excluded units.

    [batch]: `mean_delta` over units, from 0 up; `mass_kept`, sum |refined| / sum |attribution| in (0, 1], NaN for an all-zero one;
    `rejected`, share of pokes that changed the prediction, in [0, 1]; `unpoked`, units without an admissible poke: unchanged, and counted.
    An example with a non-finite attribution, its own or that of a poke that counts, is NaN in all but `rejected` and `unpoked`.
    """

    values: BatchUnits64
    delta: Deltas
    mean_delta: PerRow
    mass_kept: PerRow
    rejected: PerRow
    unpoked: PerRow


def reproduce_by_poking(
    attribution: BatchUnits,
    poked: PerPoke,
    admissible: Admissible,
    strength: float = 0.1,
    scale_free: bool = False,
    included: BatchIncluded | None = None,
) -> Refined:
    """a_j / (1 + lambda delta_j) with delta_j = mean over admissible pokes of unit j alone of |a_j(x') - a_j(x)|.

    attribution [batch, units]; poked [batch, units, pokes]: the same unit's attribution at each of its pokes; admissible: the poke kept the
    prediction. `strength` is lambda >= 0. `scale_free` divides delta by the mean |a| over the example's units, so that an attribution and
    its multiples are discounted alike. Without an admissible poke delta_j = 0. Signs and order of equals stay.
    Raises ValueError when shapes differ or strength < 0. Source: IQ, whose form is the literal one with lambda = 0.1.
    """
    if poked.ndim != 3 or poked.shape[:2] != attribution.shape or admissible.shape != poked.shape:
        raise ValueError(
            f"pokes must be [batch, units, pokes] beside {attribution.shape}, got {poked.shape} and admissible {admissible.shape}"
        )
    inside = included_or_all(attribution, included)
    counted = admissible & inside[..., None]
    n = counted.sum(axis=-1)
    moved = np.abs(np.where(counted, poked.astype(np.float64) - attribution[..., None], 0.0)).sum(axis=-1) / np.maximum(n, 1)
    asked = inside.sum(axis=-1) * poked.shape[-1]
    rejected = np.where(asked > 0, 1.0 - counted.sum(axis=(1, 2)) / np.maximum(asked, 1), np.nan)
    return _refined(
        attribution, moved, inside, strength, _mean_size(attribution, inside) if scale_free else None, rejected, (n == 0) & inside
    )


def shapley_stability(
    attribution: BatchUnits, marginals: Marginals, strength: float = 0.1, included: BatchIncluded | None = None
) -> Refined:
    """The same with delta_j = population variance over coalition sizes of unit j's mean marginal contribution, over (mean |a|)^2.

    marginals [batch, units, sizes]: mean of v(S with j) - v(S) over coalitions S of each size 0..N-1, NaN for sizes beyond an example's own
    units. It favours units that add up: report it, do not assume that it gains (METHODS 9). No poke is drawn, so none is rejected.
    Raises ValueError when shapes differ or strength < 0.
    """
    if marginals.ndim != 3 or marginals.shape[:2] != attribution.shape:
        raise ValueError(f"marginals must be [batch, units, sizes] beside {attribution.shape}, got {marginals.shape}")
    inside = included_or_all(attribution, included)
    sizes = np.arange(marginals.shape[2]) < inside.sum(axis=-1)[:, None, None]
    n = np.maximum(sizes.sum(axis=-1), 1)
    mean = np.where(sizes, marginals, 0.0).sum(axis=-1) / n
    variance = np.where(sizes, (marginals - mean[..., None]) ** 2, 0.0).sum(axis=-1) / n
    return _refined(
        attribution, variance, inside, strength, _mean_size(attribution, inside) ** 2, np.zeros(len(attribution)), ~inside & False
    )


def shrink(attribution: BatchUnits, refined: BatchUnits64) -> BatchUnits64:
    """The control: every unit of an example by the one factor sum |refined| / sum |attribution|; what RBP adds lies beyond it.

    An all-zero attribution stays as it is. [batch, units]. Source: METHODS 9, one factor for each explained input, poked ones included.
    """
    total, left = (np.abs(one.astype(np.float64)).sum(axis=-1, keepdims=True) for one in (attribution, refined))
    return np.asarray(attribution.astype(np.float64) * np.where(total > 0.0, left / np.where(total > 0.0, total, 1.0), 1.0))


def _mean_size(attribution: BatchUnits, inside: BatchIncluded) -> PerRow:
    return np.asarray(np.where(inside, np.abs(attribution.astype(np.float64)), 0.0).sum(axis=-1) / inside.sum(axis=-1))


def _refined(
    attribution: BatchUnits,
    moved: Deltas,
    inside: BatchIncluded,
    strength: float,
    scale: PerRow | None,
    rejected: PerRow,
    unpoked: BatchIncluded,
) -> Refined:
    if not strength >= 0:
        raise ValueError(f"strength must be 0 or above, got {strength}")
    known = np.asarray(np.isfinite(np.where(inside, attribution + moved, 0.0)).all(axis=-1))
    given = np.where(inside, np.where(known[:, None], attribution.astype(np.float64), np.nan), 0.0)
    by = np.ones(len(given)) if scale is None else np.where(scale > 0.0, scale, 1.0)  # an all-zero attribution has nothing to discount
    delta = np.where(inside, np.where(known[:, None], moved / by[:, None], np.nan), 0.0)
    values = given / (1.0 + strength * delta)
    total = np.abs(given).sum(axis=-1)
    kept = np.where(total > 0.0, np.abs(values).sum(axis=-1) / np.where(total > 0.0, total, 1.0), np.nan)
    return Refined(
        values,
        delta,
        np.asarray(delta.sum(axis=-1) / inside.sum(axis=-1)),
        kept,
        rejected,
        np.asarray(unpoked.sum(axis=-1, dtype=np.float64)),
    )
