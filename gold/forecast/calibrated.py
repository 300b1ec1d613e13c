"""Does a forecast of 20 % fail one time in five? Maps that calibrate, reliability by bins, and what rejecting buys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from scipy.special import expit, logit

from gold.forecast.rows import Bools
from gold.statistics.estimate import Floats

Kind = Literal["none", "platt", "isotonic"]
MAPS: tuple[Kind, ...] = ("platt", "isotonic")
KINDS: tuple[Kind, ...] = ("none", *MAPS)
N_BINS = 15
COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)
EDGE = 1e-6  # forecasts stay that far from 0 and 1 before a logit is taken


@dataclass(frozen=True)
class Map:
    """A monotone map of forecasts: knots x ascending in [0, 1] and their y; between them straight lines (isotonic), or for `platt`
    expit(a * logit(p) + b) with x = (a, b) and y empty."""

    kind: Kind
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()

    def __call__(self, forecast: Floats) -> Floats:
        """float64[n] in [0, 1] -> float64[n] in [0, 1]."""
        if self.kind == "none":
            return forecast
        if self.kind == "platt":
            slope, offset = self.x
            return np.asarray(expit(slope * logit(np.clip(forecast, EDGE, 1 - EDGE)) + offset), dtype=np.float64)
        return np.interp(forecast, self.x, self.y)


def learn_map(kind: Kind, forecast: Floats, failed: Bools) -> Map:
    """The map that makes these forecasts fit these outcomes; the identity where only one class is there."""
    if kind == "none" or failed.all() or not failed.any():
        return Map("none")
    if kind == "platt":
        from sklearn.linear_model import LogisticRegression

        given = logit(np.clip(forecast, EDGE, 1 - EDGE))[:, None]
        model = LogisticRegression(C=1e6, max_iter=1000).fit(given, failed)
        return Map("platt", (float(model.coef_[0, 0]), float(model.intercept_[0])))
    from sklearn.isotonic import IsotonicRegression

    model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(forecast, failed)
    return Map("isotonic", tuple(float(x) for x in model.X_thresholds_), tuple(float(y) for y in model.y_thresholds_))


@dataclass(frozen=True)
class Bin:
    """Rows of about one forecast: `mean_forecast`, `failure_rate` in [0, 1], n rows."""

    mean_forecast: float
    failure_rate: float
    n: int


def reliability(forecast: Floats, failed: Bools, n_bins: int = N_BINS) -> list[Bin]:
    """Equal-mass bins from the lowest forecast up. Rows of one forecast share their mean outcome, so that their order says nothing."""
    order = np.argsort(forecast, kind="stable")
    ordered = forecast[order]
    _, level = np.unique(ordered, return_inverse=True)
    shared = (np.bincount(level, weights=failed[order]) / np.bincount(level))[level]
    edges = np.linspace(0, len(forecast), min(n_bins, len(forecast)) + 1).astype(int)
    return [Bin(float(ordered[a:b].mean()), float(shared[a:b].mean()), int(b - a)) for a, b in pairwise(edges) if b > a]


@dataclass(frozen=True)
class Kept:
    """When the riskiest are rejected: share of rows kept, n kept, their error; `error_random`: that of as many drawn at random."""

    coverage: float
    n: int
    error: float
    error_random: float


def coverage_risk(forecast: Floats, failed: Bools, coverages: tuple[float, ...] = COVERAGES) -> Iterator[Kept]:
    """Error among the least risky rows; of rows of one forecast as many count as fit, each with their mean outcome."""
    order = np.argsort(forecast, kind="stable")
    _, level = np.unique(forecast[order], return_inverse=True)
    shared = (np.bincount(level, weights=failed[order]) / np.bincount(level))[level]
    running = np.cumsum(shared)
    for coverage in coverages:
        n = max(1, round(coverage * len(forecast)))
        yield Kept(coverage, n, float(running[n - 1] / n), float(failed.mean()))
