"""Which failure rates are forecast for adapters, each as if it were new, and what forecaster is kept for the next one?

Trees stop, and their map is learned, on the training examples held back: what an adapter did never reaches its own forecast. (A map learned
from other adapters' out-of-fold forecasts would: their models had seen this adapter, and moved it against its own truth.) Residuals of
held-out adapters come from the very procedure that the next one meets: an example is scored by trees of the other half of the examples, the
halves being the same ones. Trees of all examples would know it again, and other halves would err elsewhere: in a planted world intervals of
95 % then held 82 and 88 of 100 new adapters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gold.forecast.calibrated import Map, learn_map
from gold.forecast.cells import Cell, Spread, cell_means, residuals_of, without
from gold.forecast.features import BY_NAME, cell_logit, columns_of, group_rate
from gold.forecast.forecaster import Forecaster, Origin, Part, Spec, pack
from gold.forecast.learners import BOOSTED, Learner, boost, can_be_watched, held_back, scored
from gold.forecast.learners import Forecaster as Fitted
from gold.forecast.regimes import GROUPED, REGIMES, halves, obstacle
from gold.forecast.rows import Bools, Rows
from gold.forecast.run_regime import MEANS, OutOfFold, out_of_fold
from gold.forecast.settings import ForecastSettings
from gold.statistics.estimate import Codes, Floats
from lake.identity import settings_id

FEATURES, CELL = BY_NAME["confidence+xai|cell"], BY_NAME["cell"]
HELD_OUT = next(regime for regime in REGIMES if regime.name == "leave_adapter_out")


@dataclass(frozen=True)
class CellForecast:
    """One adapter and cell. Rates in [0, 1]; `cell_mean` is that of the other adapters; the interval is for a new adapter, None with
    `reason`; `upper_bound`: cross-conformal."""

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


def foretell(rows: Rows, settings: ForecastSettings, origin: Origin) -> Foretold:
    """Forecasts by confidence, explanations and the cell, by boosted trees. With one adapter none is held out: the forecaster then gives
    no interval."""
    columns = columns_of(rows, FEATURES)
    if isinstance(columns, str):
        return Foretold(reason=columns)
    regime = HELD_OUT if obstacle(rows, HELD_OUT, settings) is None else GROUPED
    if reason := obstacle(rows, regime, settings):
        return Foretold(reason=reason)
    spreads: Mapping[Cell, Spread] = {}
    forecasts: tuple[CellForecast, ...] = ()
    if regime is HELD_OUT:
        found = out_of_fold(rows, regime, settings, (CELL, FEATURES), (CALIBRATED,))
        spreads = residuals_of(rows, found.risks[FEATURES.name, CALIBRATED.name])
        forecasts = tuple(_held_out(rows, found, spreads, settings))
    parts = halves(rows, settings)
    if len(np.unique(parts)) < settings.example_parts:
        return Foretold(reason=f"{len(rows.example_ids)} examples do not fill {settings.example_parts} parts")
    forecaster = _trained(rows, columns, parts, spreads, settings, origin)
    return Foretold(forecasts, forecaster, None if regime is HELD_OUT else "one adapter only: none can be held out")


def _mapped_trees(x: Floats, failed: Bools, back: Bools, settings: ForecastSettings):  # type: ignore[no-untyped-def]  # xgboost is late
    """A Booster, how many of its trees count, and the map of its forecasts: Platt's, on the rows that it has not learned from."""
    booster, n_trees = boost(x, failed, back, settings)
    if not can_be_watched(failed, back):
        return booster, n_trees, Map("none")
    return booster, n_trees, learn_map("platt", scored(booster, x[back], n_trees, settings.n_jobs), failed[back])


def _fit(x: Floats, failed: Bools, back: Bools, settings: ForecastSettings) -> Fitted:
    booster, n_trees, curve = _mapped_trees(x, failed, back, settings)
    return lambda asked: curve(scored(booster, asked, n_trees, settings.n_jobs))


CALIBRATED = Learner(BOOSTED.name, _fit)


def _held_out(rows: Rows, found: OutOfFold, spreads: Mapping[Cell, Spread], settings: ForecastSettings) -> list[CellForecast]:
    adapters, cells, predicted, n = cell_means(rows, found.risks[FEATURES.name, CALIBRATED.name])
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
    rows: Rows, columns: tuple[str, ...], parts: Codes, spreads: Mapping[Cell, Spread], settings: ForecastSettings, origin: Origin
) -> Forecaster:
    """Trees for each part of the examples, of all adapters; the cell's rate is that of all adapters, as it is for one that was not seen."""
    first = {name: int(np.flatnonzero(rows.cells == place)[0]) for place, name in enumerate(rows.cell_names)}
    every, places = np.arange(len(rows)), list(first.values())
    made, models = [], []
    for part in range(settings.example_parts):
        train = np.flatnonzero(parts != part)
        rates = group_rate(rows, train, every, "cell", adapter_known=False, cell_known=True)
        x = np.hstack([rows.matrix(columns), cell_logit(rates)])[train]
        booster, n_trees, curve = _mapped_trees(x, rows.failed[train], held_back(rows.examples[train], settings.seed), settings)
        made.append(Part(n_trees, tuple(float(rate) for rate in rates[places]), curve))
        models.append(bytes(booster.save_raw("ubj")))
    usual = group_rate(rows, every, every, "cell", adapter_known=False, cell_known=True)
    spec = Spec(
        origin=origin,
        columns=columns,
        cells=tuple((*name, float(usual[row])) for name, row in first.items()),
        residuals=tuple((*name, spread.residuals) for name, spread in spreads.items()),
        parts=tuple(made),
        seed=settings.seed,
        settings_id=settings_id(settings),
        level=settings.level,
        bound_level=settings.bound_level,
        n=len(rows),
        n_adapters=len(rows.adapter_ids),
        n_examples=len(rows.example_ids),
    )
    return pack(spec, models)
