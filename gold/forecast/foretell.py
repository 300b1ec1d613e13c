"""Which failure rates are forecast for adapters, each as if it were new, and what forecaster is kept for the next one?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gold.forecast.calibrated import Map, cross_mapped, learn_map
from gold.forecast.cells import Spread, cell_means, residuals_of, without
from gold.forecast.features import BY_NAME, cell_logit, columns_of, group_rate
from gold.forecast.forecaster import Forecaster, Spec, pack
from gold.forecast.learners import BOOSTED, boost, held_back
from gold.forecast.regimes import REGIMES, Regime, obstacle
from gold.forecast.rows import Rows
from gold.forecast.run_regime import MEANS, OutOfFold, out_of_fold
from gold.forecast.settings import ForecastSettings
from gold.statistics.estimate import Floats
from lake.identity import settings_id

FEATURES, CELL = BY_NAME["confidence+xai|cell"], BY_NAME["cell"]
_BY_REGIME = {regime.name: regime for regime in REGIMES}
HELD_OUT, GROUPED = _BY_REGIME["leave_adapter_out"], _BY_REGIME["grouped"]


@dataclass(frozen=True)
class CellForecast:
    """One adapter and cell. Rates in [0, 1]; `cell_mean` is that of the other adapters; the interval is for a new adapter, None with
    `reason`; `upper_bound`: split-conformal."""

    adapter_id: str
    corruption: str
    severity: int
    predicted: float
    low: float | None
    high: float | None
    upper_bound: float | None
    observed: float
    cell_mean: float
    n: int
    reason: str | None


@dataclass(frozen=True)
class Foretold:
    """`forecasts`: adapters held out in turn. `forecaster`: for the next one. Either is empty or None, with `reason`."""

    forecasts: tuple[CellForecast, ...] = ()
    forecaster: Forecaster | None = None
    reason: str | None = None


def foretell(rows: Rows, settings: ForecastSettings, dataset: str, versions: Mapping[str, int]) -> Foretold:
    """Forecasts by confidence, explanations and the cell, by boosted trees. With one adapter none is held out: the forecaster is then
    calibrated on held-out examples and gives no interval."""
    columns = columns_of(rows, FEATURES)
    if isinstance(columns, str):
        return Foretold(reason=columns)
    regime = HELD_OUT if obstacle(rows, HELD_OUT, settings) is None else GROUPED
    if reason := obstacle(rows, regime, settings):
        return Foretold(reason=reason)
    found = out_of_fold(rows, regime, settings, (CELL, FEATURES), (BOOSTED,))
    raw = found.risks[FEATURES.name, BOOSTED.name]
    risk = cross_mapped("isotonic", raw, rows.failed, rows.examples % settings.n_folds)
    spreads = residuals_of(rows, risk) if regime is HELD_OUT else {}
    forecasts = tuple(_held_out(rows, found, risk, spreads, settings)) if regime is HELD_OUT else ()
    calibration = learn_map("isotonic", raw, rows.failed)
    spec, model = _trained(rows, columns, regime, calibration, spreads, settings, dataset, versions)
    return Foretold(forecasts, pack(spec, model), None if regime is HELD_OUT else "one adapter only: none can be held out")


def _held_out(
    rows: Rows, found: OutOfFold, risk: Floats, spreads: Mapping[tuple[str, int], Spread], settings: ForecastSettings
) -> list[CellForecast]:
    adapters, cells, predicted, n = cell_means(rows, risk)
    observed = cell_means(rows, rows.failed.astype(np.float64))[2]
    usual = cell_means(rows, found.risks[CELL.name, MEANS])[2]
    seen = dict.fromkeys(rows.cell_names, 0)
    records = []
    for adapter, cell, forecast, truth, mean, count in zip(adapters, cells, predicted, observed, usual, n, strict=True):
        name = rows.cell_names[cell]
        others = without(spreads[name], seen[name])  # cells list their adapters in the order of these rows
        seen[name] += 1
        low, high, reason = others.interval(float(forecast), settings.level)
        bound = others.conformal(float(forecast), settings.bound_level)
        corruption, severity = name
        records.append(
            CellForecast(
                adapter_id=rows.adapter_ids[adapter],
                corruption=corruption,
                severity=severity,
                predicted=float(forecast),
                low=low,
                high=high,
                upper_bound=bound,
                observed=float(truth),
                cell_mean=float(mean),
                n=int(count),
                reason=reason,
            )
        )
    return records


def _trained(
    rows: Rows,
    columns: tuple[str, ...],
    regime: Regime,
    calibration: Map,
    spreads: Mapping[tuple[str, int], Spread],
    settings: ForecastSettings,
    dataset: str,
    versions: Mapping[str, int],
) -> tuple[Spec, bytes]:
    """Trees on all rows; the cell's rate is that of all adapters, as it is for one that was not seen."""
    every = np.arange(len(rows))
    rates = group_rate(rows, every, every, "cell", adapter_known=False, cell_known=True)
    x = np.hstack([rows.matrix(columns), cell_logit(rates)])
    booster, n_trees = boost(x, rows.failed, held_back(rows.examples, settings.seed), settings)
    first = {name: int(np.flatnonzero(rows.cells == place)[0]) for place, name in enumerate(rows.cell_names)}
    spec = Spec(
        dataset=dataset,
        columns=columns,
        n_trees=n_trees,
        cells=tuple((*name, float(rates[row])) for name, row in first.items()),
        residuals=tuple((*name, spread.residuals) for name, spread in spreads.items()),
        map=calibration,
        calibrated_on=regime.name,
        versions=dict(versions),
        settings_id=settings_id(settings),
        level=settings.level,
        bound_level=settings.bound_level,
        n=len(rows),
        n_adapters=len(rows.adapter_ids),
        n_examples=len(np.unique(rows.examples)),
    )
    return spec, bytes(booster.save_raw("ubj"))
