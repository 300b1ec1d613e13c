"""Do the retrieved training examples hold a prediction up? A class head is fitted anew without them, and without as many random ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gold.provenance.frozen_head import Features, FrozenHead
from lake.identity import rng
from models.provenance.slots import NOBODY, Positions


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
