"""Does a forecast of 20 % fail in 20 % of the rows? Brier and ECE of probabilities, over the rows of all folds together.

Probabilities of different folds are on one scale, that of frequencies: that is what these figures test.
"""

from __future__ import annotations

import numpy as np

from gold.forecast.ranking import ranking
from gold.scores import Bools
from gold.statistics.estimate import Codes, Floats

BINS = 15


class Calibration:
    """Forecast probabilities of failure in order, for any weights."""

    def __init__(self, probability: Floats, failed: Bools) -> None:
        """probability float[n] in [0, 1]; failed bool[n]."""
        self._ranking = ranking(probability, np.zeros(len(probability), dtype=np.int64))
        self._excess = (probability - failed)[self._ranking.order]

    def brier(self, weights: Codes) -> float:
        """Mean squared distance of forecast and outcome, in [0, 1]; lower is better; NaN without rows. weights int64[n]."""
        rows, total = weights.take(self._ranking.order), weights.sum()
        return float(rows @ self._excess**2 / total) if total > 0 else float("nan")

    def ece(self, weights: Codes) -> float:
        """Mean over 15 bins of equal mass of |mean forecast - failure rate|, in [0, 1]; lower is better; NaN without rows.

        Equal forecasts share their mean label, so that their order decides nothing. Bins hold exactly n / 15 rows each: a row on an edge
        is divided between its two bins. weights int64[n].
        """
        rows = weights.take(self._ranking.order)
        excess, mass = self._ranking.running(rows * self._excess), self._ranking.running(rows)
        if mass[-1] == 0:
            return float("nan")
        at_edges = np.interp(np.linspace(0.0, mass[-1], BINS + 1), mass, excess)
        return float(np.abs(np.diff(at_edges)).sum() / mass[-1])
