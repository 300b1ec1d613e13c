"""Can one act on a forecast? Records of gold.reliability and gold.coverage_risk, of the headline learner."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gold.forecast.calibrated import KINDS, coverage_risk, reliability
from gold.forecast.records import Record
from gold.forecast.regimes import Regime
from gold.forecast.rows import Rows
from gold.forecast.run_regime import OutOfFold
from gold.forecast.settings import ForecastSettings
from gold.statistics import wilson
from gold.statistics.estimate import Floats


def reliabilities(rows: Rows, regime: Regime, forecasts: OutOfFold, features: str, settings: ForecastSettings) -> list[Record]:
    """Bins of the headline learner's forecasts as they are and after each map."""
    key = (features, str(forecasts.headline))
    share = len(np.unique(rows.examples)) / len(rows)
    records = []
    for kind in KINDS:
        forecast = forecasts.risks[key] if kind == "none" else forecasts.mapped[key][kind]
        for place, one in enumerate(reliability(forecast, rows.failed)):
            ends = wilson(one.failure_rate * max(1.0, one.n * share), max(1.0, one.n * share), settings.level)
            records.append({
                "protocol": regime.name, "features": features, "model": key[1], "calibration": kind, "bin": place,
                "mean_forecast": one.mean_forecast, "failure_rate": one.failure_rate, "ci_low": ends.low, "ci_high": ends.high,
                "n": one.n, "reason": None,
            })  # fmt: skip
    return records


def coverages(rows: Rows, regime: Regime, forecasts: OutOfFold, features: str, settings: ForecastSettings) -> list[Record]:
    """The error that is left when the riskiest rows of every test block are rejected."""
    key = (features, str(forecasts.headline))
    risk = forecasts.risks[key]
    place = _within_blocks(risk, forecasts)
    share = len(np.unique(rows.examples)) / len(rows)
    records = []
    for kept in coverage_risk(place, rows.failed):
        ends = wilson(kept.error * max(1.0, kept.n * share), max(1.0, kept.n * share), settings.level)
        records.append({
            "protocol": regime.name, "features": features, "model": key[1], "coverage": kept.coverage, "error": kept.error,
            "ci_low": ends.low, "ci_high": ends.high, "error_all": kept.error_random, "n": kept.n, "reason": None,
        })  # fmt: skip
    return records


def _within_blocks(risk: Floats, forecasts: OutOfFold) -> Floats:
    """Each row's place among the risks of its test block, in (0, 1]: blocks' models are other scales."""
    found = pd.Series(risk).groupby(forecasts.folds).rank(pct=True, method="average")
    return np.asarray(found, dtype=np.float64)
