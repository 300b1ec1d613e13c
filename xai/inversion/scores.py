"""Does an explanation move with the model's output, and does it name the units whose removal moves it?

Explanatory inversion (IQ, arXiv 2504.08919) asks both: an explanation that follows the output and not the units tells a story after the
fact. The score is never shown alone: where reliance is 1 an exact explanation has 0.707, worse than a random one's 0.60 (METHODS 7).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64
from numpy.typing import NDArray

from xai.prior_statistics import NO_SPREAD
from xai.units import Attribution, Included, PerExample, included_or_all

Poked = Float[NDArray[np.floating], "*batch pokes units"]
Outputs = Float[NDArray[np.floating], "*batch pokes"]
Output = Float[NDArray[np.floating], "*batch"]
Distances = Float64[NDArray[np.float64], "*batch pokes"]


def movement(attribution: Attribution, poked: Poked, included: Included | None = None) -> Distances:
    """How far each poke moves the explanation: ||a(x') - a(x)||_2 over the included units, from 0 up, in the unit of the attribution.

    attribution [..., units], poked [..., pokes, units]. NaN where either is not finite. Raises ValueError when shapes differ.
    """
    if poked.ndim != attribution.ndim + 1 or poked.shape[:-2] + poked.shape[-1:] != attribution.shape:
        raise ValueError(f"poked attributions must be [..., pokes, units] beside {attribution.shape}, got {poked.shape}")
    inside = included_or_all(attribution, included)
    moved = np.where(inside[..., None, :], poked.astype(np.float64) - attribution[..., None, :], 0.0)
    return np.asarray(np.sqrt((moved**2).sum(axis=-1)))


def reliance(moved: Distances, output: Output, poked_output: Outputs, rank: bool = False) -> PerExample:
    """R = |correlation| over pokes of the explanation's movement and the output's, |M(x') - M(x)|; in [0, 1], it describes only.

    moved [..., pokes] from `movement`; output [...], poked_output [..., pokes]: M, one number per input, any unit. Pearson, or Spearman
    (`rank`, ties share their mean rank). Null (NaN) where the output does not move, for fewer than two pokes, and for what is not finite;
    0 where only the explanation stands still. "No spread" is below 1e-12 of the largest magnitude. Raises ValueError when shapes
    differ. Source: IQ. The absolute value, and 0 for an explanation that stands still, are ours (METHODS 7, 9).
    """
    effects = _effects(moved, output, poked_output)
    if rank:
        moved, effects = _mean_ranks(moved), _mean_ranks(effects)
    return np.abs(_correlation(moved, effects))


def partial_reliance(moved: Distances, output: Output, poked_output: Outputs, true_moved: Distances) -> PerExample:
    """R when what the truth itself moves is held fixed: partial correlation of both movements given that of the true attribution.

    true_moved [..., pokes]: `movement` of the oracle's attribution (the true effect of each unit). In [0, 1]. Null where R is, and where
    the truth explains either movement wholly: then nothing is left to correlate. Source: the control of METHODS 7.
    """
    effects = _effects(moved, output, poked_output)
    if true_moved.shape != moved.shape:
        raise ValueError(f"true movements must have the shape {moved.shape}, got {true_moved.shape}")
    r_xy, r_xz, r_yz = _correlation(moved, effects), _correlation(moved, true_moved), _correlation(effects, true_moved)
    left = (1.0 - r_xz**2) * (1.0 - r_yz**2)
    some = left > NO_SPREAD
    return np.abs(np.where(some, (r_xy - r_xz * r_yz) / np.sqrt(np.where(some, left, 1.0)), np.nan)).clip(0.0, 1.0)


def faithfulness(attribution: Attribution, effect: Attribution, included: Included | None = None) -> PerExample:
    """F = correlation over units of |a_j| and |M(x) - M(x, unit j at its baseline)|, floored at 0; in [0, 1], higher is better.

    attribution, effect [..., units]; signs of both are ignored. Null (NaN) where no effect differs from another (also for one unit) and for
    what is not finite; 0 where only the attribution has no spread. Raises ValueError when shapes differ. Source: IQ; reference arms
    (baseline zero, training mean, background rows) differ in `effect` alone.
    """
    if effect.shape != attribution.shape:
        raise ValueError(f"effects must have the attribution's shape {attribution.shape}, got {effect.shape}")
    inside = included_or_all(attribution, included)
    sizes = [np.where(inside, np.abs(one.astype(np.float64)), 0.0) for one in (attribution, effect)]
    return np.maximum(_correlation(sizes[0], sizes[1], inside), 0.0)


def inversion_score(reliance: PerExample, faithfulness: PerExample, p: float = 2.0) -> PerExample:
    """IS = [(R^p + (1 - F)^p) / 2]^(1/p), in [0, 1]; null where R or F is. Raises ValueError unless p > 0.

    The source reads a low score as a faithful explanation. It is none where R is high because the explanation is exact: show R, F and
    controls beside it. Source: IQ; p = 2, also 1.
    """
    if not p > 0:
        raise ValueError(f"p must be above 0, got {p}")
    return np.asarray(((reliance**p + (1.0 - faithfulness) ** p) / 2.0) ** (1.0 / p))


def _effects(moved: Distances, output: Output, poked_output: Outputs) -> Distances:
    if poked_output.shape != moved.shape or output.shape != moved.shape[:-1]:
        raise ValueError(
            f"outputs must be [...] and poked outputs [..., pokes] beside movements {moved.shape}, got {output.shape} and "
            f"{poked_output.shape}"
        )
    return np.abs(poked_output.astype(np.float64) - output[..., None])


def _correlation(x: Distances, y: Distances, inside: Included | None = None) -> PerExample:
    """Pearson over the last axis: NaN where y has no spread or anything is not finite, 0 where x alone has none."""
    some = np.ones(x.shape, dtype=bool) if inside is None else inside
    n = some.sum(axis=-1, keepdims=True)
    known = np.isfinite(np.where(some, x + y, 0.0)).all(axis=-1) & (n[..., 0] > 1)
    centred = []
    for values in (x, y):
        safe = np.where(some & known[..., None], values, 0.0)
        largest = np.abs(safe).max(axis=-1, keepdims=True, initial=0.0)
        scaled = safe / np.where(largest > 0.0, largest, 1.0)  # so that neither squares nor the bound depend on the unit
        centred.append(np.where(some, scaled - scaled.sum(axis=-1, keepdims=True) / np.maximum(n, 1), 0.0))
    spread = [np.abs(part).max(axis=-1, initial=0.0) > NO_SPREAD for part in centred]
    product = np.sqrt((centred[0] ** 2).sum(axis=-1) * (centred[1] ** 2).sum(axis=-1))
    both = spread[0] & spread[1]
    r = np.where(both, (centred[0] * centred[1]).sum(axis=-1) / np.where(both, product, 1.0), 0.0)
    return np.asarray(np.where(known & spread[1], r.clip(-1.0, 1.0), np.nan))


def _mean_ranks(values: Distances) -> Distances:
    """Ranks from 1 along the last axis, ties sharing their mean; NaN stays NaN."""
    from scipy.stats import rankdata

    return np.asarray(np.where(np.isfinite(values), rankdata(values, axis=-1), np.nan))
