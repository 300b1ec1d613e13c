"""What does a forecast give who reads it from one end: error of the rows it trusts most, failures among those it flags first?

Each figure is taken in every stratum on its own (a test fold, whose model has a scale of its own, or an adapter in one) and averaged over
the strata in which it exists, weighted by their rows; NaN where it exists in none. AURC, AUGRC and FPR at 95 % TPR: lower is better;
the others: higher.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import MappingProxyType

import numpy as np

from gold.forecast.ranking import ranking
from gold.scores import Bools
from gold.statistics.estimate import Codes, Floats

MISSED = 20  # one failed row of 20 may be missed: a true positive rate of 95 %


@dataclass(frozen=True)
class Steps:
    """Rows of all strata by risk, in ties: how many, and how many failed, up to the end of each tie.

    failed, rows int64[ties + 1] from 0, running over all strata. starts int64[strata + 1]: the first tie of each stratum, and the number of
    ties.
    """

    failed: Codes
    rows: Codes
    starts: Codes

    @cached_property
    def n_failed(self) -> Codes:
        """int64[strata]."""
        return np.diff(self.failed[self.starts])

    @cached_property
    def n_rows(self) -> Codes:
        """int64[strata]."""
        return np.diff(self.rows[self.starts])

    @cached_property
    def failed_of_tie(self) -> Codes:
        return np.diff(self.failed)

    @cached_property
    def rows_of_tie(self) -> Codes:
        return np.diff(self.rows)

    @cached_property
    def failed_before(self) -> Codes:
        """int64[ties]: failed rows of the stratum that are less risky than the tie."""
        return self.failed[:-1] - self.of_ties(self.failed[self.starts[:-1]])

    @cached_property
    def rows_before(self) -> Codes:
        """int64[ties]."""
        return self.rows[:-1] - self.of_ties(self.rows[self.starts[:-1]])

    def of_ties(self, of_strata: Codes | Floats) -> Codes:
        """[strata] -> [ties]."""
        return np.repeat(of_strata, np.diff(self.starts))

    def summed(self, of_ties: Floats) -> Floats:
        """float64[ties] -> float64[strata]."""
        return np.add.reduceat(of_ties, self.starts[:-1])


def _where(exists: Bools, value: Floats) -> Floats:
    return np.where(exists, value, np.nan)


def average_precision(steps: Steps) -> Floats:
    """Area under precision over recall by steps from the riskiest row on, no interpolation, in [0, 1]; exists where a row failed."""
    failed_from = steps.of_ties(steps.failed[steps.starts[1:]]) - steps.failed[:-1]
    rows_from = steps.of_ties(steps.rows[steps.starts[1:]]) - steps.rows[:-1]
    area = steps.summed(steps.failed_of_tie * failed_from / np.maximum(rows_from, 1))
    return _where(steps.n_failed > 0, area / np.maximum(steps.n_failed, 1))


def aurc(steps: Steps) -> Floats:
    """Mean over k = 1..n of the failure rate among the k least risky rows, in [0, 1]; exists where there is a row.

    Rows of a tie come in every order alike: with F failed of A rows before a tie of f failed of a, the expected failure rate at A + i is
    (F + i f / a) / (A + i), whose sum over i = 1..a is f + (F - A f / a) (H(A + a) - H(A)) with harmonic numbers H.
    """
    rate = steps.failed_of_tie / np.maximum(steps.rows_of_tie, 1)
    harmonic = harmonics(1 << int(steps.n_rows.max()).bit_length())
    before = harmonic.take(steps.rows_before)
    after = np.append(before[1:], 0.0)
    after[steps.starts[1:] - 1] = harmonic.take(steps.n_rows)  # behind the last tie of a stratum the next one begins
    grown = after - before
    total = steps.n_failed + steps.summed((steps.failed_before - steps.rows_before * rate) * grown)
    return _where(steps.n_rows > 0, total / np.maximum(steps.n_rows, 1))


def augrc(steps: Steps) -> Floats:
    """Area under the generalised risk (share of all rows that are accepted and failed) over coverage, in [0, 1/2].

    Trapezoid from (0, 0); the expected curve of a tie is straight. Exists where there is a row. Equal to
    (1 - AUROC) p (1 - p) + p^2 / 2 at failure rate p (Traub et al. 2024).
    """
    area = steps.summed(steps.rows_of_tie * (2.0 * steps.failed_before + steps.failed_of_tie))
    return _where(steps.n_rows > 0, area / (2.0 * np.maximum(steps.n_rows, 1).astype(np.float64) ** 2))


def fpr95(steps: Steps) -> Floats:
    """Share of the correct rows flagged when rows from a risk t up are flagged, t the highest that flags 95 % of the failed, in [0, 1].

    No interpolation: t is the risk of a row. Exists where a stratum holds both classes.
    """
    n_correct = steps.n_rows - steps.n_failed
    first_failed, first_rows = steps.failed[steps.starts[:-1]], steps.rows[steps.starts[:-1]]
    # The last end of a tie with few enough failed before it; without a failed row it may lie in another stratum, and does not count.
    at = np.searchsorted(steps.failed, first_failed + steps.n_failed // MISSED, side="right") - 1
    trusted = (steps.rows[at] - first_rows) - (steps.failed[at] - first_failed)
    return _where((steps.n_failed > 0) & (n_correct > 0), (n_correct - trusted) / np.maximum(n_correct, 1))


FIGURES: Mapping[str, Callable[[Steps], Floats]] = MappingProxyType(
    {"average_precision": average_precision, "aurc": aurc, "augrc": augrc, "fpr95": fpr95}
)
LIFT = "lift"


class Curves:
    """Rows in order of risk inside their strata, for any weights."""

    def __init__(self, risk: Floats, failed: Bools, strata: Codes) -> None:
        """risk float[n] finite, higher where failure is likelier; failed bool[n]; strata int[n]."""
        self._ranking = ranking(risk, strata)
        self._failed: Codes = failed[self._ranking.order].astype(np.int64)

    def steps(self, weights: Codes) -> Steps:
        """The ties when each row counts weights int64[n] times."""
        ordered = weights.take(self._ranking.order)
        failed, rows = self._ranking.running(ordered * self._failed), self._ranking.running(ordered)
        return Steps(failed, rows, self._ranking.starts)

    def figures(self, weights: Codes, wanted: Sequence[str]) -> dict[str, float]:
        """Averages of the wanted figures of `FIGURES`, and `lift`: average precision over the failure rate of the same strata.

        Lift is from 0 up, and 1 for a constant forecast. The ratio of averages: an average of ratios would be ruled by strata with few
        failures.
        """
        steps = self.steps(weights)
        if not len(self._failed):
            return dict.fromkeys(wanted, np.nan)
        needed = {"average_precision" if name == LIFT else name for name in wanted}
        found = {name: _average(steps.n_rows, FIGURES[name](steps)) for name in needed}
        if LIFT in wanted:
            rate = _where(steps.n_failed > 0, steps.n_failed / np.maximum(steps.n_rows, 1))
            found[LIFT] = found["average_precision"] / _average(steps.n_rows, rate)
        return found


@lru_cache(maxsize=4)
def harmonics(n: int) -> Floats:
    """H(0)..H(n), float64[n + 1]; H(k) = 1 + 1/2 + … + 1/k."""
    return np.concatenate(([0.0], np.cumsum(1.0 / np.arange(1, n + 1))))


def _average(n_rows: Codes, values: Floats) -> float:
    """Over the strata whose value is not NaN, weighted by rows; NaN where there is none."""
    exists = ~np.isnan(values)
    total = n_rows[exists].sum()
    return float(n_rows[exists] @ values[exists] / total) if total > 0 else float("nan")
