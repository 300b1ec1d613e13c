"""Does a forecast of 20 % fail in 20 % of the rows? Brier and ECE of probabilities, over the rows of all folds together.

Probabilities of different folds are on one scale, that of frequencies: that is what these figures test.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise

import numpy as np

from gold.forecast.ranking import Ranking, ranking
from gold.scores import Bools
from gold.statistics.estimate import Codes, Floats

BINS = 15


class Calibration:
    """Forecast probabilities of failure in order, for any weights."""

    def __init__(self, probability: Floats, failed: Bools, adapters: Codes) -> None:
        """probability float[n] in [0, 1]; failed bool[n]; adapters int[n]."""
        self._probability, self._adapters, self._excess = probability, adapters, probability - failed

    def brier(self, weights: Codes) -> float:
        """Mean squared distance of forecast and outcome, in [0, 1]; lower is better; NaN without rows. weights int64[n]."""
        total = weights.sum()
        return float(weights @ self._excess**2 / total) if total > 0 else float("nan")

    def ece(self, weights: Codes) -> float:
        """Mean over 15 bins of equal mass of |mean forecast - failure rate|, in [0, 1]; lower is better; NaN without rows.

        Equal forecasts share their mean label, so that their order decides nothing. Bins hold exactly n / 15 rows each: a row on an edge
        is divided between its two bins. weights int64[n].
        """
        return self._ece(self._together, weights)

    def ece_within(self, weights: Codes) -> float:
        """`ece` of each adapter's rows, mean over adapters by their rows."""
        return self._ece(self._by_adapter, weights)

    @cached_property
    def _together(self) -> Ranking:
        return ranking(self._probability, np.zeros(len(self._probability), dtype=np.int64))

    @cached_property
    def _by_adapter(self) -> Ranking:
        return ranking(self._probability, self._adapters)

    def _ece(self, ranked: Ranking, weights: Codes) -> float:
        """What bins miss over all strata, over all rows: the mean over strata by their rows."""
        rows = weights.take(ranked.order)
        excess, mass = ranked.running(rows * self._excess.take(ranked.order)), ranked.running(rows)
        missed = 0.0
        for start, end in pairwise(ranked.starts.tolist()):
            part = slice(start, end + 1)
            edges = np.linspace(mass[start], mass[end], BINS + 1)
            missed += float(np.abs(np.diff(np.interp(edges, mass[part], excess[part]))).sum())
        return missed / float(mass[-1]) if mass[-1] > 0 else float("nan")
