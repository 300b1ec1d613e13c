"""Do the retrieved training examples hold a prediction up? A class head is fitted anew without them, and without as many random ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from gold.provenance.frozen_head import Features, FrozenHead
from gold.statistics import mean_interval
from lake.identity import rng
from models.provenance.slots import NOBODY, Positions


@dataclass(frozen=True)
class PairedDifference:
    """Change of p(target) without the retrieved examples, without the random ones, and the first minus the second with its interval: below
    0 where the retrieved ones held the prediction up more. `n` test examples; no interval, with `reason`, below two."""

    n: int
    retrieved: float
    random: float
    difference: float
    low: float | None = None
    high: float | None = None
    reason: str | None = None


def leave_out(fitted: FrozenHead, features: Features, targets: Positions, removed: Positions) -> NDArray[np.float64]:
    """p(target) of a head refitted without some training examples, minus p(target) of the head on all: float64[T, R] in [-1, 1].

    `features` [T, d] and `targets` int64[T] of the test examples; `removed` int64[T, R, k]: R sets of training positions for each, filled
    up with NOBODY. A set that several ask for is fitted once; an empty one changes exactly 0. See `FrozenHead.without` for errors.
    """
    if removed.ndim != 3 or len(features) != len(targets) or len(removed) != len(targets):
        raise ValueError(
            f"removed must be [T, R, k] with T features and targets, found {removed.shape}, {len(features)} and {len(targets)}"
        )
    asked: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for t, r in np.ndindex(removed.shape[:2]):
        positions = np.unique(removed[t, r][removed[t, r] != NOBODY])
        if len(positions):
            asked.setdefault(tuple(positions.tolist()), []).append((t, r))
    found, before = np.zeros(removed.shape[:2]), fitted.head.probabilities(features)
    heads = fitted.without([np.asarray(one, dtype=np.int64) for one in asked])
    for places, head in zip(asked.values(), heads, strict=True):
        for t, r in places:
            found[t, r] = head.probabilities(features[t : t + 1])[0, targets[t]] - before[t, targets[t]]
    return found


def random_same_class(
    labels: Positions, targets: Positions, counts: Positions, ids: Sequence[str], seed: int, draws: int
) -> NDArray[np.int64]:
    """int64[T, draws, k] training positions: per test example `counts` int64[T] different ones of the class `targets` int64[T], drawn by
    (seed, test example, draw) and filled up with NOBODY. A class that has fewer gives all it has, whatever the draw."""
    found = np.full((len(targets), draws, int(counts.max(initial=0))), NOBODY, dtype=np.int64)
    for t, (target, count, example_id) in enumerate(zip(targets, counts, ids, strict=True)):
        members = np.flatnonzero(labels == target)
        size = min(int(count), len(members))
        for draw in range(draws):
            found[t, draw, :size] = rng(seed, example_id, "causal", draw).choice(members, size, replace=False)
    return found


def paired_difference(retrieved: npt.ArrayLike, random: npt.ArrayLike, clusters: Sequence[str], level: float = 0.95) -> PairedDifference:
    """`retrieved` [n] and `random` [n, draws] changes of p(target); `clusters` [n]: the test example of each row, which may come back under
    several seeds. Draws, then rows of a test example are averaged; Student's t interval over test examples, each counting once."""
    first, second = np.asarray(retrieved, dtype=np.float64), np.asarray(random, dtype=np.float64)
    if first.ndim != 1 or second.ndim != 2 or not len(first) == len(second) == len(clusters) or not second.size:
        raise ValueError(f"changes must be [n], [n, draws] and n clusters, found {first.shape}, {second.shape} and {len(clusters)}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("changes of p(target) must be finite, found NaN or infinity: leave the row out of both")
    names, codes = np.unique(np.asarray(clusters), return_inverse=True)
    sizes = np.bincount(codes)
    own, chance = (np.bincount(codes, weights=values) / sizes for values in (first, second.mean(axis=1)))
    interval = mean_interval(own - chance, level)
    reason = None if interval.reason is None else "an interval over test examples needs at least two of them"
    return PairedDifference(
        len(names), float(own.mean()), float(chance.mean()), float((own - chance).mean()), interval.low, interval.high, reason
    )
