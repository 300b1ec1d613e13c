"""How many pairs of a failed and a correct row does a forecast put in the right order, inside each stratum?

A stratum is a test fold, or an adapter inside a test fold. Pairs across folds are no pairs: the folds' models have scales of their own, so
that even constant forecasts would rank across them (METHODS 4.2).
"""

from __future__ import annotations

import numpy as np

from gold.forecast.ranking import ranking
from gold.scores import Bools
from gold.statistics.estimate import Codes, Floats


class Pairs:
    """The failed and the correct rows of every stratum that has both, each in order of risk; the rest makes no pairs.

    `first` int64[strata] is one row of each of these strata.
    """

    def __init__(self, risk: Floats, failed: Bools, strata: Codes) -> None:
        """risk float[n] finite, higher where failure is likelier; failed bool[n]; strata int[n]."""
        _, codes = np.unique(strata, return_inverse=True)
        n_failed, n_rows = np.bincount(codes, weights=failed), np.bincount(codes)
        rows = np.flatnonzero(((n_failed > 0) & (n_failed < n_rows))[codes])
        ranked = ranking(risk[rows], codes[rows])
        order = rows[ranked.order]
        is_failed = failed[order]
        correct_until = np.r_[0, np.cumsum(~is_failed)]
        tie = np.repeat(np.arange(len(ranked.ends) - 1), np.diff(ranked.ends))[is_failed]
        bounds = ranked.ends[ranked.starts]
        self.first = order[bounds[:-1]]
        self._failed, self._correct = order[is_failed], order[~is_failed]
        self._before, self._through = correct_until[ranked.ends[tie]], correct_until[ranked.ends[tie + 1]]
        self._correct_bounds = correct_until[bounds]
        self._failed_starts = (bounds - correct_until[bounds])[:-1]

    def counts(self, weights: Codes) -> tuple[Codes, Codes]:
        """Per stratum, both int64 and exact: twice the pairs in the right order (a tie is half a pair), and twice all pairs.

        weights int64[n]: how often each row counts; a pair counts as often as the product of its rows.
        """
        correct = np.zeros(len(self._correct) + 1, dtype=np.int64)
        np.cumsum(weights.take(self._correct), out=correct[1:])
        failed = weights.take(self._failed)
        starts = correct.take(self._correct_bounds)
        n_failed = np.add.reduceat(failed, self._failed_starts)
        right = np.add.reduceat(failed * (correct.take(self._before) + correct.take(self._through)), self._failed_starts)
        return right - 2 * n_failed * starts[:-1], 2 * n_failed * np.diff(starts)


def share(right: Codes | Floats, pairs: Codes | Floats) -> float:
    """AUROC over the pairs of all strata together, in [0, 1]; NaN where there is no pair."""
    total = pairs.sum()
    return float(right.sum() / total) if total > 0 else float("nan")


def share_of_copies(over_folds: tuple[Codes, Codes], within: tuple[Codes, Codes], copies: Codes) -> float:
    """`share` where rows of an adapter that was drawn several times pair only inside their own copy of it.

    A copy stands for another adapter. Weights alone would count the pairs of an adapter drawn twice four times, and where every fold is
    one adapter that makes the bootstrap's standard error 1.66 times too wide (sd of the square of a Poisson(1) over its mean). So
    `within` (the same pairs inside each adapter and fold) counts once per copy. copies int64[strata of `within`].
    """
    twice = 1.0 - 1.0 / np.maximum(copies, 1)
    right, pairs = (np.r_[total.sum(), -(twice * inside).sum()] for total, inside in zip(over_folds, within, strict=True))
    return share(right, pairs)
