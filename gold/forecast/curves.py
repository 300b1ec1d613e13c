"""What does a forecast give who reads it from one end: error of the rows it trusts most, failures among those it flags first?

Each figure is taken in every test fold on its own (folds' models have scales of their own) and averaged over the folds in which it exists,
weighted by their rows; NaN where it exists in none. AURC, AUGRC and FPR at 95 % TPR: lower is better; the others: higher.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from gold.forecast.ranking import Numbers, ranking
from gold.scores import Bools
from gold.statistics.estimate import Codes, Floats

MISSED = 20  # one failed row of 20 may be missed: a true positive rate of 95 %
NONE = float("nan")


@dataclass(frozen=True)
class Fold:
    """Rows of one fold by risk: how many, and how many failed, up to the end of each tie; both int64[ties + 1] from 0."""

    failed: Codes
    rows: Codes

    @cached_property
    def n_failed(self) -> int:
        return int(self.failed[-1])

    @cached_property
    def n_rows(self) -> int:
        return int(self.rows[-1])

    @cached_property
    def failed_of_tie(self) -> Codes:
        return steps(self.failed)

    @cached_property
    def rows_of_tie(self) -> Codes:
        return steps(self.rows)


def average_precision(fold: Fold) -> float:
    """Area under precision over recall by steps from the riskiest row on, no interpolation, in [0, 1]; exists where a row failed."""
    if fold.n_failed == 0:
        return NONE
    failed_from, rows_from = fold.n_failed - fold.failed[:-1], fold.n_rows - fold.rows[:-1]
    return float((fold.failed_of_tie * failed_from / np.maximum(rows_from, 1)).sum() / fold.n_failed)


def aurc(fold: Fold) -> float:
    """Mean over k = 1..n of the failure rate among the k least risky rows, in [0, 1]; exists where there is a row.

    Rows of a tie come in every order alike: with F failed of A rows before a tie of f failed of a, the expected failure rate at A + i is
    (F + i f / a) / (A + i), whose sum over i = 1..a is f + (F - A f / a) (H(A + a) - H(A)) with harmonic numbers H.
    """
    if fold.n_rows == 0:
        return NONE
    rate = fold.failed_of_tie / np.maximum(fold.rows_of_tie, 1)
    harmonic = harmonics(1 << fold.n_rows.bit_length()).take(fold.rows)
    return float((fold.n_failed + (fold.failed[:-1] - fold.rows[:-1] * rate) @ steps(harmonic)) / fold.n_rows)


def augrc(fold: Fold) -> float:
    """Area under the generalised risk (share of all rows that are accepted and failed) over coverage, in [0, 1/2].

    Trapezoid from (0, 0); the expected curve of a tie is straight. Exists where there is a row. Equal to
    (1 - AUROC) p (1 - p) + p^2 / 2 at failure rate p (Traub et al. 2024).
    """
    return float(fold.rows_of_tie @ (fold.failed[:-1] + fold.failed[1:]) / (2 * fold.n_rows**2)) if fold.n_rows else NONE


def fpr95(fold: Fold) -> float:
    """Share of the correct rows flagged when rows from a risk t up are flagged, t the highest that flags 95 % of the failed, in [0, 1].

    No interpolation: t is the risk of a row. Exists where the fold holds both classes.
    """
    n_correct = fold.n_rows - fold.n_failed
    if fold.n_failed == 0 or n_correct == 0:
        return NONE
    first = int(np.searchsorted(fold.failed, fold.n_failed // MISSED, side="right")) - 1  # the last tie with few enough failed before it
    return float((n_correct - (fold.rows[first] - fold.failed[first])) / n_correct)


FIGURES: Mapping[str, Callable[[Fold], float]] = MappingProxyType(
    {"average_precision": average_precision, "aurc": aurc, "augrc": augrc, "fpr95": fpr95}
)
LIFT = "lift"


class Curves:
    """Rows in order of risk inside their folds, for any weights."""

    def __init__(self, risk: Floats, failed: Bools, folds: Codes) -> None:
        """risk float[n] finite, higher where failure is likelier; failed bool[n]; folds int[n]."""
        self._ranking = ranking(risk, folds)
        self._failed: Codes = failed[self._ranking.order].astype(np.int64)

    def folds(self, weights: Codes) -> list[Fold]:
        """The folds when each row counts weights int64[n] times."""
        ordered, bounds = weights.take(self._ranking.order), self._ranking.starts.tolist()
        failed, rows = self._ranking.running(ordered * self._failed), self._ranking.running(ordered)
        parts = [slice(start, end + 1) for start, end in pairwise(bounds)]
        return [Fold(failed[part] - failed[part.start], rows[part] - rows[part.start]) for part in parts]

    def figures(self, weights: Codes, wanted: Sequence[str]) -> dict[str, float]:
        """Averages of the wanted figures of `FIGURES`, and `lift`: average precision over the failure rate of the same folds.

        Lift is from 0 up, and 1 for a constant forecast. The ratio of averages: an average of ratios would be ruled by folds with few
        failures.
        """
        folds = self.folds(weights)
        needed = {"average_precision" if name == LIFT else name for name in wanted}
        found = {name: _average(folds, [FIGURES[name](fold) for fold in folds]) for name in needed}
        if LIFT in wanted:
            failure_rate = _average(folds, [fold.n_failed / fold.n_rows if fold.n_failed else NONE for fold in folds])
            found[LIFT] = found["average_precision"] / failure_rate
        return found


def steps(running: Numbers) -> Numbers:
    """What each tie adds."""
    return running[1:] - running[:-1]


@lru_cache(maxsize=4)
def harmonics(n: int) -> Floats:
    """H(0)..H(n), float64[n + 1]; H(k) = 1 + 1/2 + … + 1/k."""
    return np.concatenate(([0.0], np.cumsum(1.0 / np.arange(1, n + 1))))


def _average(folds: Sequence[Fold], values: Sequence[float]) -> float:
    """Over the folds whose value is not NaN, weighted by rows; NaN where there is none."""
    pairs = [(fold.n_rows, value) for fold, value in zip(folds, values, strict=True) if not np.isnan(value)]
    return sum(n_rows * value for n_rows, value in pairs) / sum(n_rows for n_rows, _ in pairs) if pairs else NONE
