"""How far apart is a feature between correct and wrong rows, over all rows or within adapters?

Within groups the difference is the fixed-effect one, sum(x~ y~) / sum(y~^2) with both centred in their group, and spreads are those inside
(group, correctness). With one group these are the plain difference of means and the plain sample standard deviations. (Subtracting group
means and comparing the classes as they stand would shrink the difference wherever groups differ in accuracy.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gold.statistics.estimate import Estimate, Floats, Pairs, complete_pairs, has_spread

LABELS = ("negligible", "small", "medium", "large")
_LIMITS = (0.2, 0.5, 0.8)


@dataclass(frozen=True)
class Contrast:
    """Means and sample standard deviations (n - 1) by correctness; within groups the means are adjusted to the grand mean.

    Always mean_correct - mean_wrong is the difference used. All None, with `reason`, when a class is missing or too small.
    """

    mean_correct: float | None = None
    mean_wrong: float | None = None
    std_correct: float | None = None
    std_wrong: float | None = None
    std_pooled: float | None = None
    reason: str | None = None


def contrast(x: npt.ArrayLike, is_correct: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Contrast:
    """The feature by correctness over the rows where it is finite. Raises ValueError on unequal lengths."""
    pairs = complete_pairs(x, is_correct, groups)
    correct = pairs.y == 1.0
    if not correct.any() or correct.all():
        return Contrast(reason="one class only: no correct or no wrong rows" if len(correct) else "no rows with a value")
    outcome = pairs.centred(pairs.y)
    if not has_spread(outcome, pairs.y):
        return Contrast(reason="no adapter has both correct and wrong rows")
    residual, freedom = _residuals(pairs)
    if min(freedom) < 1:
        return Contrast(reason="correct and wrong need at least two rows each")
    squares = (float(np.sum(residual[correct] ** 2)), float(np.sum(residual[~correct] ** 2)))
    difference = float(pairs.centred(pairs.x) @ outcome / (outcome @ outcome))
    share_correct, grand_mean = float(correct.mean()), float(pairs.x.mean())
    return Contrast(
        mean_correct=grand_mean + difference * (1.0 - share_correct),
        mean_wrong=grand_mean - difference * share_correct,
        std_correct=float(np.sqrt(squares[0] / freedom[0])),
        std_wrong=float(np.sqrt(squares[1] / freedom[1])),
        std_pooled=float(np.sqrt(sum(squares) / sum(freedom))),
    )


def _residuals(pairs: Pairs) -> tuple[Floats, tuple[int, int]]:
    """x minus the mean of its (group, correctness), and the degrees of freedom left for correct and wrong."""
    names, codes = np.unique(2 * pairs.groups + pairs.y.astype(np.int64), return_inverse=True)
    cells = Pairs(pairs.x, pairs.y, codes.astype(np.int64), len(names))
    n_correct, cells_correct = int(np.sum(pairs.y == 1.0)), int(np.sum(names % 2 == 1))
    freedom = (n_correct - cells_correct, len(pairs.x) - n_correct - (len(names) - cells_correct))
    residual = cells.centred(pairs.x)
    return (residual if has_spread(residual, pairs.x) else np.zeros_like(residual)), freedom


def cohens_d(x: npt.ArrayLike, is_correct: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Estimate:
    """Cohen's d: (mean correct - mean wrong) / pooled sd. Signed, unbounded; positive = higher where correct."""
    found = contrast(x, is_correct, groups)
    return _ratio(found, found.std_pooled)


def separation_ratio(x: npt.ArrayLike, is_correct: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Estimate:
    """|difference of means| / (sd correct + sd wrong), from 0 up: what KI's published values follow."""
    found = contrast(x, is_correct, groups)
    total = None if found.std_correct is None or found.std_wrong is None else found.std_correct + found.std_wrong
    return _absolute(_ratio(found, total))


def separation_ratio_pooled(x: npt.ArrayLike, is_correct: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Estimate:
    """|difference of means| / pooled sd, from 0 up: KI's prose. Equal to |Cohen's d|."""
    return _absolute(cohens_d(x, is_correct, groups))


def effect_size_label(d: float | None) -> str | None:
    """KI's word for |d|: negligible < 0.2 <= small < 0.5 <= medium < 0.8 <= large; None for None."""
    return None if d is None else LABELS[sum(abs(d) >= limit for limit in _LIMITS)]


def _ratio(found: Contrast, spread: float | None) -> Estimate:
    if found.mean_correct is None or found.mean_wrong is None or spread is None:
        return Estimate(reason=found.reason)
    if spread == 0.0:
        return Estimate(reason="the feature has no spread inside the classes")
    return Estimate((found.mean_correct - found.mean_wrong) / spread)


def _absolute(estimate: Estimate) -> Estimate:
    return estimate if estimate.value is None else Estimate(abs(estimate.value))
