"""Do the training examples that a network names find those whose label is wrong? Labels are flipped on purpose, then looked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from gold.provenance.selection import spread_order
from gold.scores import Ordered
from lake.identity import unit_interval
from models.provenance.ranking import Ranking
from models.provenance.slots import NOBODY, Positions

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Flipped:
    """`labels` int64[N] with the wrong ones among them, and `wrong` bool[N]: which those are."""

    labels: Positions
    wrong: NDArray[np.bool_]


@dataclass(frozen=True)
class Detection:
    """Of `n` examples `n_wrong` have a wrong label. After the `checked` ones of highest score: `precision`, the share of wrong labels among
    them, and `recall`, the share of all wrong labels found; in [0, 1]. `average_precision`: area under precision over recall by steps."""

    n: int
    n_wrong: int
    checked: tuple[int, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    average_precision: float


def flip_labels(labels: Positions, share: float, n_classes: int, ids: Sequence[str], seed: int) -> Flipped:
    """round(share N) labels (halves up), with the classes in their shares, replaced by another one drawn uniformly; which and by what
    follows from (seed, id) alone but for the counts. A smaller share's flips are among a larger one's. Raises ValueError on bad input."""
    if not 0 <= share <= 1 or n_classes < 2 or len(set(ids)) != len(labels):
        found = f"found {share}, {n_classes} and {len(set(ids))}"
        raise ValueError(f"share must lie in [0, 1], classes be 2 at least and ids {len(labels)} different ones, {found}")
    chosen = spread_order(labels, ids, seed, "mislabel")[: math.floor(share * len(labels) + 0.5)]
    changed, wrong = labels.copy(), np.zeros(len(labels), dtype=bool)
    for place in chosen:
        step = 1 + int(unit_interval("mislabel", seed, ids[place], "label") * (n_classes - 1))
        changed[place] = (labels[place] + step) % n_classes
    wrong[chosen] = True
    return Flipped(changed, wrong)


def disagreement(ranking: Ranking, own: Positions, given: Positions) -> Floats:
    """Per row the share of the retrieved probability that lies on training examples of another given label, float64[n] in [0, 1]: high
    where the label is likely wrong. The row's own example, `own` int64[n] in the training set, is left out and the rest counts as all; 0
    where nothing else was retrieved, for nothing speaks against the label. `given` int64[N]: the training set's labels, wrong or not."""
    others = (ranking.positions != NOBODY) & (ranking.positions != own[:, None])
    mass = np.where(others, ranking.probability, 0.0)
    against = np.where(given[ranking.positions] != given[own][:, None], mass, 0.0).sum(axis=1)
    total = mass.sum(axis=1)
    return np.where(total > 0, against / np.where(total > 0, total, 1.0), 0.0)


def losses(logits: NDArray[np.float32] | Floats, given: Positions) -> Floats:
    """Cross-entropy of each training example's `logits` [N, C] with its given label, float64[N] from 0 up."""
    values = logits.astype(np.float64)
    highest = values.max(axis=1)
    own = np.take_along_axis(values, given[:, None], axis=1)[:, 0]
    return np.asarray(np.log(np.exp(values - highest[:, None]).sum(axis=1)) + highest - own)


def detection(score: npt.ArrayLike, wrong: NDArray[np.bool_], checked: Sequence[int]) -> Detection:
    """How well a score, high where a label is likely wrong, finds the wrong ones. Equal scores are checked in no order: what is expected
    of one at random. Raises ValueError without a wrong label, on scores that are not finite, or `checked` outside 1..N."""
    ordered = Ordered(np.asarray(score, dtype=np.float64), wrong)
    area = ordered.average_precision()
    if area is None or any(not 1 <= number <= len(wrong) for number in checked):
        raise ValueError(f"detection needs a wrong label and checks of 1..{len(wrong)} examples, found {wrong.sum()} and {list(checked)}")
    sizes = np.bincount(ordered.level)[::-1]
    hits = np.bincount(ordered.level, weights=ordered.correct)[::-1]
    found = np.interp(checked, np.r_[0, np.cumsum(sizes)], np.r_[0.0, np.cumsum(hits)])  # linear within equal scores: the expectation
    n, n_wrong = len(wrong), int(wrong.sum())
    precision, recall = found / np.asarray(checked), found / n_wrong
    return Detection(n, n_wrong, tuple(checked), tuple(precision.tolist()), tuple(recall.tolist()), area)
