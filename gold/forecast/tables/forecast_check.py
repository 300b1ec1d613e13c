"""Did the forecasts come true, and do they beat what is simpler? Over all cells whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gold.forecast.tables.forecasts import ORIGINS
from gold.statistics import mean_interval, spearman
from gold.table import TAIL, count, share, signed
from lake.spec import DATASET, Column, Table

ESTIMATORS: Mapping[str, str] = {
    "forecast": "predicted_failure_rate", "cell_mean": "cell_mean", "atc": "atc", "doc": "doc",
}  # fmt: skip
SPEC = Table(
    layer="gold",
    name="forecast_check",
    comment="forecast failure rates against the truth: bias, error, order of adapters and of cells, and the error against the cell mean's",
    key=("dataset", "origin", "estimator"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        Column("origin", "string", "as in gold.forecasts", allowed=ORIGINS),
        Column("estimator", "string", "forecast, or what it competes with", allowed=tuple(ESTIMATORS)),
        share("mean_estimate", "mean over cells"),
        share("mean_observed", "mean over cells"),
        signed("bias", "calibration in the large: mean estimate minus mean truth"),
        share("mean_absolute_error", "mean over cells of |estimate - truth|"),
        signed("spearman_adapters", "rank correlation over adapters of their mean rates; null below 3"),
        signed("spearman_cells", "rank correlation over corruptions and severities of their mean rates; null below 3"),
        signed("error_over_cell_mean", "mean absolute error minus the cell mean's, paired by adapter; below 0 is better"),
        signed("ci_low", "lower end of its interval: Student's t over adapters"),
        signed("ci_high", "upper end of its interval"),
        Column("sentence", "string", "what that says, in plain words"),
        count("n_adapters", "adapters"),
        *TAIL,
    ),
)


def check(forecasts: pd.DataFrame, level: float) -> list[dict[str, object]]:
    """One record per origin and estimator of the rows whose truth is known; estimators without a value there have none."""
    known = forecasts.dropna(subset=["observed_failure_rate"])
    records = []
    for origin, rows in known.groupby("origin", sort=True):
        for estimator, column in ESTIMATORS.items():
            if not (mine := rows.dropna(subset=[column])).empty:
                records.append(_record(str(origin), estimator, mine, column, level))
    return records


def _record(origin: str, estimator: str, rows: pd.DataFrame, column: str, level: float) -> dict[str, object]:
    estimate, truth = rows[column].to_numpy(dtype=float), rows["observed_failure_rate"].to_numpy(dtype=float)
    over_adapters, over_cells = _ranks(rows, column, ["adapter_id"]), _ranks(rows, column, ["corruption", "severity"])
    compared = rows.dropna(subset=["cell_mean"])
    gain = (compared[column] - compared["observed_failure_rate"]).abs() - (compared["cell_mean"] - compared["observed_failure_rate"]).abs()
    by_adapter = gain.groupby(compared["adapter_id"]).mean().to_numpy(dtype=float)
    ends = mean_interval(by_adapter, level) if estimator != "cell_mean" else None
    difference = float(by_adapter.mean()) if ends is not None and len(by_adapter) else None
    low, high = (None, None) if ends is None else (ends.low, ends.high)
    return {
        "origin": origin, "estimator": estimator, "mean_estimate": float(estimate.mean()), "mean_observed": float(truth.mean()),
        "bias": float(estimate.mean() - truth.mean()), "mean_absolute_error": float(np.abs(estimate - truth).mean()),
        "spearman_adapters": over_adapters, "spearman_cells": over_cells, "error_over_cell_mean": difference,
        "ci_low": None if low is None else max(-1.0, low), "ci_high": None if high is None else min(1.0, high),
        "sentence": _sentence(estimator, difference, low, high), "n_adapters": int(rows["adapter_id"].nunique()), "n": len(rows),
        "reason": None if ends is None else ends.reason,
    }  # fmt: skip


def _ranks(rows: pd.DataFrame, column: str, by: list[str]) -> float | None:
    means = rows.groupby(by)[[column, "observed_failure_rate"]].mean()
    return spearman(means[column], means["observed_failure_rate"]).value if len(means) > 2 else None


def _sentence(estimator: str, difference: float | None, low: float | None, high: float | None) -> str | None:
    if estimator == "cell_mean":
        return "What the corruption did to other adapters, whatever this one is."
    if difference is None:
        return None
    what = {"forecast": "The forecast", "atc": "ATC", "doc": "DoC"}[estimator]
    if low is None or high is None:
        return f"{what} is off by {difference:+.3f} against the cell mean; too few adapters to be sure of it."
    interval = f"{difference:+.3f} ({low:+.3f} to {high:+.3f})"
    if high < 0:
        return f"{what} is closer to the truth than the cell mean, by {interval}."
    if low > 0:
        return f"{what} is further from the truth than the cell mean, by {interval}: use the cell mean."
    return f"{what} is not seen to beat the cell mean: {interval}."
