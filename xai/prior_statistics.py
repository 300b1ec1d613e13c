"""How alike are two priors?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from xai.ragged import by_size
from xai.units import BatchIncluded, BatchUnits, PerRow

Scores = Float64[NDArray[np.float64], "group size"]

NO_SPREAD = 1e-12  # of the largest magnitude (METHODS 9): rounding alone stays below


@dataclass(frozen=True)
class Agreement:
    """Mean correlation of two priors over the `n` examples where both correlations exist; NaN when n is 0."""

    pearson: float
    spearman: float
    n: int


def correlations(a: BatchUnits, b: BatchUnits, included: BatchIncluded) -> tuple[PerRow, PerRow]:
    """Pearson and Spearman correlation of two priors over the units of each example, both in [-1, 1], [batch].

    Spearman is Pearson of ranks, ties sharing their mean rank. Null (NaN) for one unit, a prior that is the same on all units, and a
    non-finite prior. Raises ValueError when shapes differ.
    """
    if not a.shape == b.shape == included.shape:
        raise ValueError(f"both priors must have the shape of `included`, {included.shape}, got {a.shape} and {b.shape}")
    pearson, spearman = np.empty(len(a)), np.empty(len(a))
    for group in by_size(included):
        own_a, own_b = group.of_units(a).astype(np.float64), group.of_units(b).astype(np.float64)
        pearson[group.rows] = _pearson(own_a, own_b)
        known = np.isfinite(pearson[group.rows])
        spearman[group.rows] = np.where(known, _pearson(_mean_ranks(own_a), _mean_ranks(own_b)), np.nan)
    return pearson, spearman


def agreement(a: BatchUnits, b: BatchUnits, included: BatchIncluded) -> Agreement:
    """Both correlations averaged over the examples where they exist."""
    pearson, spearman = correlations(a, b, included)
    known = np.isfinite(pearson) & np.isfinite(spearman)
    if not known.any():
        return Agreement(float("nan"), float("nan"), 0)
    return Agreement(float(pearson[known].mean()), float(spearman[known].mean()), int(known.sum()))


def agreements(priors: Mapping[str, BatchUnits], included: BatchIncluded) -> dict[tuple[str, str], Agreement]:
    """(source, source) -> their agreement, for every pair of sources once, names in ascending order."""
    return {(one, other): agreement(priors[one], priors[other], included) for one, other in combinations(sorted(priors), 2)}


def _pearson(a: Scores, b: Scores) -> PerRow:
    with np.errstate(invalid="ignore"):  # inf - inf is NaN: the null that belongs there
        ours, theirs = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    spread = np.sqrt((ours**2).sum(axis=1) * (theirs**2).sum(axis=1))
    found: PerRow = np.divide((ours * theirs).sum(axis=1), spread, out=np.full(len(a), np.nan), where=_spread(a) & _spread(b))
    return np.asarray(np.clip(found, -1.0, 1.0))


def _spread(values: NDArray[Any]) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return np.asarray(values.max(axis=1) - values.min(axis=1) > NO_SPREAD * np.abs(values).max(axis=1))


def _mean_ranks(values: Scores) -> Scores:
    """Rank from 1, ascending, by counting: those below, and half of the others that are equal."""
    below = (values[:, None, :] < values[:, :, None]).sum(axis=2)
    equal = (values[:, None, :] == values[:, :, None]).sum(axis=2)
    return np.asarray(below + (equal + 1) / 2)
