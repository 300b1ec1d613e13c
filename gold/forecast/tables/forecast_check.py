"""Did the forecasts come true, and do they beat what is simpler? Over all cells whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gold.forecast.bootstrap import MIN_ADAPTERS
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
    comment="forecast failure rates against the truth: bias, error, order of adapters and cells, and what the forecast beats",
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
        signed(
            "spearman_adapters",
            "rank correlation over adapters of their mean rates; null below 3 and of cell_mean: a mean of others falls as one's own rises",
        ),
        signed("spearman_cells", "rank correlation over corruptions and severities of their mean rates; null below 3"),
        signed(
            "forecast_error_over", "mean absolute error of the forecast minus that of this estimator, paired by adapter; below 0: better"
        ),
        signed("ci_low", "lower end of its interval: Student's t over adapters; null below 8"),
        signed("ci_high", "upper end of its interval"),
        Column("sentence", "string", "what that says, in plain words"),
        count("n_adapters", "adapters"),
        *TAIL,
    ),
)
NAMES: Mapping[str, str] = {"cell_mean": "the cell mean", "atc": "ATC", "doc": "DoC"}
BETTER, WORSE, ALIKE, UNSURE = (
    "closer to the truth than",
    "further from the truth than",
    "not seen to beat",
    "of too few adapters to be told from",
)


@dataclass(frozen=True)
class Duel:
    """The forecast against one competitor: difference of mean absolute errors, both ends of its interval, and which of the four it is."""

    difference: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None

    @property
    def outcome(self) -> str:
        if self.low is None or self.high is None:
            return UNSURE
        return BETTER if self.high < 0 else WORSE if self.low > 0 else ALIKE


def check(forecasts: pd.DataFrame, level: float) -> list[dict[str, object]]:
    """One record per origin and estimator of the rows whose truth is known. Estimators without a value there have none, but for the
    forecast: its record says why."""
    known = forecasts.dropna(subset=["observed_failure_rate"])
    records = []
    for origin, rows in known.groupby("origin", sort=True):
        duels = {name: _duel(rows, ESTIMATORS[name], level) for name in NAMES}
        for estimator, column in ESTIMATORS.items():
            if not (mine := rows.dropna(subset=[column])).empty:
                records.append(_record(str(origin), estimator, mine, column, duels))
            elif estimator == "forecast":
                records.append(_nothing(str(origin), rows))
    return records


def _duel(rows: pd.DataFrame, column: str, level: float) -> Duel:
    both = rows.dropna(subset=["predicted_failure_rate", column])
    if both.empty:
        return Duel(reason="no cell has both")
    truth = both["observed_failure_rate"]
    gain = (both["predicted_failure_rate"] - truth).abs() - (both[column] - truth).abs()
    by_adapter = gain.groupby(both["adapter_id"]).mean().to_numpy(dtype=float)
    difference = float(by_adapter.mean())
    if len(by_adapter) < MIN_ADAPTERS:
        return Duel(
            difference,
            reason=f"{len(by_adapter)} adapter{'s' * (len(by_adapter) > 1)}; an interval over adapters needs at least {MIN_ADAPTERS}",
        )
    ends = mean_interval(by_adapter, level)
    return Duel(difference, max(-1.0, ends.low or 0.0), min(1.0, ends.high or 0.0))


def _record(origin: str, estimator: str, rows: pd.DataFrame, column: str, duels: Mapping[str, Duel]) -> dict[str, object]:
    estimate, truth = rows[column].to_numpy(dtype=float), rows["observed_failure_rate"].to_numpy(dtype=float)
    duel = duels.get(estimator, Duel())
    return {
        "origin": origin, "estimator": estimator, "mean_estimate": float(estimate.mean()), "mean_observed": float(truth.mean()),
        "bias": float(estimate.mean() - truth.mean()), "mean_absolute_error": float(np.abs(estimate - truth).mean()),
        "spearman_adapters": None if estimator == "cell_mean" else _ranks(rows, column, ["adapter_id"]),
        "spearman_cells": _ranks(rows, column, ["corruption", "severity"]),
        "forecast_error_over": duel.difference, "ci_low": duel.low, "ci_high": duel.high,
        "sentence": _summary(duels) if estimator == "forecast" else _sentence(NAMES[estimator], duel),
        "n_adapters": int(rows["adapter_id"].nunique()), "n": len(rows), "reason": duel.reason,
    }  # fmt: skip


def _nothing(origin: str, rows: pd.DataFrame) -> dict[str, object]:
    """The forecast's record where there is none at all."""
    why = "; ".join(sorted(set(rows["reason"].dropna()))) or "no forecast"
    empty = dict.fromkeys(
        ("mean_estimate", "bias", "mean_absolute_error", "spearman_adapters", "spearman_cells", "forecast_error_over", "ci_low", "ci_high")
    )
    return empty | {
        "origin": origin, "estimator": "forecast", "mean_observed": float(rows["observed_failure_rate"].mean()),
        "sentence": f"No forecast: {why}.", "n_adapters": int(rows["adapter_id"].nunique()), "n": len(rows), "reason": why,
    }  # fmt: skip


def _ranks(rows: pd.DataFrame, column: str, by: list[str]) -> float | None:
    means = rows.groupby(by)[[column, "observed_failure_rate"]].mean()
    return spearman(means[column], means["observed_failure_rate"]).value if len(means) > 2 else None


def _sentence(name: str, duel: Duel) -> str | None:
    if duel.difference is None:
        return None
    if duel.low is None or duel.high is None:
        return f"Against {name} the error of the forecast is {duel.difference:+.3f}: {duel.reason}."
    interval = f"{duel.difference:+.3f} ({duel.low:+.3f} to {duel.high:+.3f})"
    return f"The forecast is {duel.outcome} {name}: {interval}{f'; use {name}' if duel.outcome == WORSE else ''}."


def _summary(duels: Mapping[str, Duel]) -> str | None:
    """Which of its competitors the forecast beats."""
    met = {NAMES[name]: duel.outcome for name, duel in duels.items() if duel.difference is not None}
    told = {outcome: [name for name in met if met[name] == outcome] for outcome in (BETTER, ALIKE, WORSE, UNSURE)}
    parts = [f"{outcome} {', '.join(names)}" for outcome, names in told.items() if names]
    return f"The forecast is {'; '.join(parts)}." if parts else None
