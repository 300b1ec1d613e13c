"""How good is a score at telling correct rows from wrong ones? Plain numpy, checked against scikit-learn.

The positive class is `correct` throughout (KI); scores are higher where correctness is more likely.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gold.statistics import Interval, cluster_counts, percentile_interval
from gold.statistics.estimate import Codes, Floats

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Confusion:
    """Counts at one threshold, and their ratios; a ratio over zero is None."""

    tp: int
    tn: int
    fp: int
    fn: int

    @property
    def accuracy(self) -> float | None:
        return _ratio(self.tp + self.tn, self.tp + self.tn + self.fp + self.fn)

    @property
    def precision(self) -> float | None:
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def specificity(self) -> float | None:
        return _ratio(self.tn, self.tn + self.fp)

    @property
    def f1(self) -> float | None:
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def confusion(probability: Floats, correct: Bools, threshold: float = 0.5) -> Confusion:
    """Counts when `correct` is said from the threshold up."""
    said = probability >= threshold
    return Confusion(int((said & correct).sum()), int((~said & ~correct).sum()), int((said & ~correct).sum()), int((~said & correct).sum()))


def brier(probability: Floats, correct: Bools) -> float | None:
    """Mean squared distance of forecast and outcome, in [0, 1]; lower is better; None without rows."""
    return float(np.mean((probability - correct) ** 2)) if len(correct) else None


class Ordered:
    """Scores put in order once, so that each resample of a bootstrap costs two sums and no sort."""

    def __init__(self, score: Floats, correct: Bools) -> None:
        """score float[n], correct bool[n]. Raises ValueError when the lengths differ or a score is not finite."""
        if score.shape != correct.shape or not np.isfinite(score).all():
            shapes = f"{score.shape} and {correct.shape}"
            raise ValueError(f"scores must be finite and as many as outcomes, got {shapes}; leave out rows without a score")
        self.order = np.argsort(score, kind="stable")
        ordered = score[self.order]
        self.correct = correct[self.order]
        self.level = np.cumsum(np.r_[False, ordered[1:] > ordered[:-1]]) if len(score) else np.zeros(0, dtype=np.int64)

    def auroc(self, weight: Codes | None = None) -> float | None:
        """Probability that a correct row scores above a wrong one, ties half, in [0, 1]; None with one class only.

        `weight` counts each row (int[n], in the order given to the constructor): a resample is a weight.
        """
        weights = np.ones(len(self.order)) if weight is None else weight[self.order].astype(np.float64)
        positive = np.bincount(self.level, weights=weights * self.correct)
        negative = np.bincount(self.level, weights=weights * ~self.correct)
        pairs = positive.sum() * negative.sum()
        below = np.cumsum(negative) - negative
        return float(positive @ (below + 0.5 * negative) / pairs) if pairs > 0 else None

    def average_precision(self) -> float | None:
        """Area under precision over recall by steps, no interpolation, in [0, 1]; None without a correct row."""
        positive = np.bincount(self.level, weights=self.correct)[::-1]
        flagged = np.cumsum(np.bincount(self.level)[::-1])
        found = np.cumsum(positive)
        return float(np.sum(positive * found / flagged) / found[-1]) if len(found) and found[-1] > 0 else None


def auroc(score: Floats, correct: Bools) -> float | None:
    """`Ordered.auroc` of one score. None with one class only or a score that is not finite."""
    return Ordered(score, correct).auroc() if np.isfinite(score).all() else None


def auroc_within(score: Floats, correct: Bools, groups: Codes) -> float | None:
    """AUROC over the pairs whose two rows share a group (adapter): what is left when knowing the group cannot help.

    None when no group holds both classes or a score is not finite.
    """
    if not np.isfinite(score).all():
        return None
    members = np.split(np.argsort(groups, kind="stable"), np.flatnonzero(np.diff(np.sort(groups))) + 1)
    found = [(Ordered(score[rows], correct[rows]).auroc(), float(correct[rows].sum()) * float((~correct[rows]).sum())) for rows in members]
    total = sum(pairs for _, pairs in found)
    return sum(value * pairs for value, pairs in found if value is not None) / total if total > 0 else None


def clustered_auroc_interval(
    score: Floats, correct: Bools, clusters: Codes, resamples: int, level: float, rng: np.random.Generator
) -> Interval:
    """Interval of the AUROC of a fixed score by drawing whole clusters (examples): test-set noise only, the model is not fitted again."""
    names, codes = np.unique(clusters, return_inverse=True)
    if len(names) < 2:
        return Interval(reason="an interval over examples needs at least two of them")
    ordered = Ordered(score, correct)
    draws = [ordered.auroc(counts[codes]) for counts in cluster_counts(len(names), resamples, rng)]
    return percentile_interval([np.nan if draw is None else draw for draw in draws], level)
