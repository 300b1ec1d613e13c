"""What is the failure rate of an adapter under a corruption forecast to be, how sure is that, and what was it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from gold.forecast.bootstrap import MIN_ADAPTERS
from gold.forecast.rows import Rows
from gold.statistics.estimate import Codes, Floats

Cell = tuple[str, int]


@dataclass(frozen=True)
class Spread:
    """How far held-out adapters' failure rates lay from their forecasts in one cell, observed minus forecast: float64[adapters]."""

    residuals: tuple[float, ...]

    def interval(self, forecast: float, level: float) -> tuple[float | None, float | None, str | None]:
        """Student's t interval for one more adapter around its forecast, cut to [0, 1]: residuals count from 0, so that what they have in
        common widens it to both sides; None below 8 adapters, with the reason."""
        n = len(self.residuals)
        if n < MIN_ADAPTERS:
            return None, None, f"{n} adapters were held out; an interval for a new one needs at least {MIN_ADAPTERS}"
        values = np.asarray(self.residuals)
        half = float(stdtrit(n, 0.5 + level / 2.0)) * float(np.sqrt((values**2).mean()))
        return float(np.clip(forecast - half, 0.0, 1.0)), float(np.clip(forecast + half, 0.0, 1.0)), None

    def conformal(self, forecast: float, level: float) -> float | None:
        """Cross-conformal upper bound (Vovk 2015): the forecast plus the residual of rank level (n + 1), each residual from models that
        had not seen its adapter, and never below the forecast; about 1 - level of adapters like these exceed it. None where these are
        too few, fewer than level / (1 - level)."""
        place = int(np.ceil(level * (len(self.residuals) + 1) - 1e-9))
        if place > len(self.residuals) or not self.residuals:
            return None
        return float(np.clip(forecast + max(0.0, np.sort(self.residuals)[place - 1]), 0.0, 1.0))


def cell_means(rows: Rows, values: Floats) -> tuple[Codes, Codes, Floats, Codes]:
    """Per (adapter, cell) that has rows: adapter codes, cell codes, mean of the values, n."""
    n_cells = len(rows.cell_names)
    names, code = np.unique(rows.adapters * n_cells + rows.cells, return_inverse=True)
    n = np.bincount(code)
    means = np.bincount(code, weights=values) / n
    return names // n_cells, names % n_cells, means, n.astype(np.int64)


def residuals_of(rows: Rows, risk: Floats) -> Mapping[Cell, Spread]:
    """Per cell the residuals of every adapter, from forecasts that held it out."""
    _, cells, forecast, _ = cell_means(rows, risk)
    _, _, observed, _ = cell_means(rows, rows.failed.astype(np.float64))
    return {name: Spread(tuple(float(x) for x in (observed - forecast)[cells == place])) for place, name in enumerate(rows.cell_names)}


def without(spread: Spread, place: int) -> Spread:
    """The spread without its adapter at `place`: what is known before that one is seen."""
    return Spread(spread.residuals[:place] + spread.residuals[place + 1 :])
