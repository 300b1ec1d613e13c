"""Which part of a training set shall a provenance network learn from? At random, or by where the examples lie; always the same classes.

Prototypes and boundary examples follow from the features alone: several draws of them come from features of several seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lake.identity import unit_interval
from models.provenance.slots import Positions

Selection = Literal["stratified", "prototypes", "boundary", "diversity"]
Features = NDArray[np.float32] | NDArray[np.float64]
Floats = NDArray[np.float64]


def spread_order(labels: Positions, ids: Sequence[str], seed: int, what: str) -> Positions:
    """All positions, int64[N], in an order in which every beginning has the classes in their shares: the r-th of K_y examples of a class
    (by a key of seed, `what` and id) stands at (r + 1/2) / K_y. That is Sainte-Laguë's rule; largest remainders can take an example away
    from a class when the whole grows, and subsets would not lie in one another. The order of the rows changes nothing."""
    keys = np.array([unit_interval(what, seed, one) for one in ids], dtype=np.float64)
    by_class = np.lexsort((keys, labels))
    sizes = np.bincount(labels)
    starts = np.r_[0, np.cumsum(sizes)[:-1]]
    place = np.empty(len(labels))
    place[by_class] = (np.arange(len(labels)) - np.repeat(starts, sizes) + 0.5) / np.repeat(sizes, sizes)
    return np.lexsort((keys, place))


def stratified(labels: Positions, share: float, ids: Sequence[str], seed: int) -> Positions:
    """Ascending positions of round(share N) training examples (halves up) with the classes in their shares, and one at least of every class
    there is. A smaller share lies in a larger one of the same seed. `labels` int64[N]; share in (0, 1]; `ids` unique."""
    if not 0 < share <= 1 or len(set(ids)) != len(labels):
        raise ValueError(f"share must lie in (0, 1] and ids be {len(labels)} different ones, found {share} and {len(set(ids))}")
    order = spread_order(labels, ids, seed, "subset")
    first = np.unique(labels[order], return_index=True)[1]  # of every class the first stands in front
    order = np.r_[order[np.sort(first)], np.delete(order, first)]
    return np.sort(order[: max(len(first), math.floor(share * len(labels) + 0.5))])


def select(kind: Selection, features: Features, labels: Positions, share: float, ids: Sequence[str], seed: int) -> Positions:
    """Ascending positions of as many examples of every class as `stratified` takes, chosen by `kind`; `features` [N, d]. Raises ValueError
    as the functions of this file do."""
    drawn = stratified(labels, share, ids, seed)
    sizes = np.bincount(labels[drawn], minlength=int(labels.max()) + 1)
    if kind == "prototypes":
        return prototypes(features, labels, sizes)
    if kind == "boundary":
        return boundary(features, labels, sizes)
    return diversity(features, labels, sizes, ids, seed) if kind == "diversity" else drawn


def prototypes(features: Features, labels: Positions, sizes: Positions) -> Positions:
    """Of each class the `sizes` int64[C] examples nearest to its mean (Euclid), ties by position; ascending positions."""
    own = np.take_along_axis(_distances(features, labels), labels[:, None], axis=1)[:, 0]
    return _per_class(labels, sizes, lambda members, size: members[np.argsort(own[members], kind="stable")[:size]])


def boundary(features: Features, labels: Positions, sizes: Positions) -> Positions:
    """Of each class the `sizes` int64[C] examples of smallest margin: distance to the nearest other class's mean minus that to the own
    mean, below 0 on the wrong side, which comes first. Ties by position; ascending positions. Raises ValueError with one class only."""
    if len(np.unique(labels)) < 2:
        raise ValueError("a boundary needs two classes at least, found one")
    distances = _distances(features, labels)
    own = np.take_along_axis(distances, labels[:, None], axis=1)[:, 0]
    np.put_along_axis(distances, labels[:, None], np.inf, axis=1)
    margin = distances.min(axis=1) - own
    return _per_class(labels, sizes, lambda members, size: members[np.argsort(margin[members], kind="stable")[:size]])


def diversity(features: Features, labels: Positions, sizes: Positions, ids: Sequence[str], seed: int) -> Positions:
    """Of each class `sizes` int64[C] examples by k-center greedy: the first by a key of seed and id, then always the one farthest (Euclid)
    from those taken, ties by position; ascending positions."""

    def greedy(members: Positions, size: int) -> Positions:
        points = features[members].astype(np.float64)
        keys = [unit_interval("diversity", seed, ids[place]) for place in members]
        taken, nearest = [int(np.argmin(keys))], np.full(len(members), np.inf)
        for _ in range(size - 1):
            nearest = np.minimum(nearest, ((points - points[taken[-1]]) ** 2).sum(axis=1))
            nearest[taken[-1]] = -1.0  # an equal of it may still be taken, itself never again
            taken.append(int(np.argmax(nearest)))
        return members[taken]

    return _per_class(labels, sizes, greedy)


def _distances(features: Features, labels: Positions) -> Floats:
    """Euclidean distance of every example to every class's mean, float64[N, C]; infinite to a class without examples."""
    points = features.astype(np.float64)
    found = np.full((len(points), int(labels.max()) + 1), np.inf)
    for label in np.unique(labels):
        found[:, label] = np.linalg.norm(points - points[labels == label].mean(axis=0), axis=1)
    return found


def _per_class(labels: Positions, sizes: Positions, chosen: Callable[[Positions, int], Positions]) -> Positions:
    members = [np.flatnonzero(labels == label) for label in range(len(sizes))]
    if any(size > len(one) for size, one in zip(sizes, members, strict=True)):
        raise ValueError(f"no class can give more examples than it has: has {[len(one) for one in members]}, asked {sizes.tolist()}")
    parts = [chosen(one, int(size)) for one, size in zip(members, sizes, strict=True) if size]
    return np.sort(np.concatenate([*parts, np.zeros(0, dtype=np.int64)]))
