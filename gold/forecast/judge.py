"""What do the forecasts of one regime say? Records of its tables, from rows alone: no Spark, no files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from gold.forecast.bootstrap import Bootstrap, Estimated, bootstrap
from gold.forecast.calibrated import KINDS, coverage_risk, cross_mapped, reliability
from gold.forecast.features import FEATURE_SETS
from gold.forecast.figures import FIGURES, Scored
from gold.forecast.learners import FOREST, LEARNERS
from gold.forecast.regimes import Regime, obstacle
from gold.forecast.rows import Rows, rows_of
from gold.forecast.run_regime import MEANS, Key, OutOfFold, out_of_fold
from gold.forecast.settings import ForecastSettings
from gold.forecast.tables.forecast_comparison import COLUMN_OF
from gold.forecast.verdict import Gains, sentence, verdict
from gold.statistics import wilson
from gold.statistics.estimate import Floats
from lake.identity import canonical_json, rng, settings_id

BASE, FULL, CONTROL = "confidence", "confidence+xai", "confidence+shuffled_xai"
SHOWN = (BASE, FULL, "all")  # sets whose reliability and coverage are tabled
Record = dict[str, object]


@dataclass
class Records:
    """Rows for the tables, by table name."""

    comparison: list[Record] = field(default_factory=list)
    verdict: list[Record] = field(default_factory=list)
    reliability: list[Record] = field(default_factory=list)
    coverage_risk: list[Record] = field(default_factory=list)


def judge(frame: pd.DataFrame, regime: Regime, settings: ForecastSettings) -> Records:
    """All records of one regime. Poor data give nulls with reasons, never an error."""
    rows = rows_of(frame, settings)
    found = Records()
    if reason := obstacle(rows, regime, settings):
        found.comparison = [_absent(rows, regime, one.name, model, reason) for one in FEATURE_SETS for model in _models(one.means, regime)]
        found.verdict = [_no_verdict(rows, regime, reason, settings)]
        return found
    forecasts = out_of_fold(rows, regime, settings)
    scored = {_name(key): _scored(rows, forecasts, key) for key in forecasts.risks}
    generator = rng(settings.seed, "", "forecast", "bootstrap", regime.name)
    drawn = bootstrap(scored, rows.examples, settings.resamples, settings.level, generator, adapters_too=regime.adapters)
    found.comparison = [_compared(rows, regime, forecasts, drawn, key) for key in forecasts.risks]
    found.comparison += [
        _absent(rows, regime, name, model, why) for name, why in forecasts.skipped.items() for model in _models(None, regime)
    ]
    found.verdict = [_verdict(rows, regime, forecasts, drawn, settings)]
    for name in SHOWN:
        if forecasts.headline is not None and (name, forecasts.headline) in forecasts.risks:
            found.reliability += _reliability(rows, regime, forecasts, name, settings)
            found.coverage_risk += _coverage(rows, regime, forecasts, name, settings)
    return found


def _name(key: Key) -> str:
    return "\0".join(key)


def _models(means: str | None, regime: Regime) -> tuple[str, ...]:
    names = tuple(learner.name for learner in LEARNERS)
    return (MEANS,) if means is not None else (*names, FOREST.name) if regime.leaky else names


def _scored(rows: Rows, forecasts: OutOfFold, key: Key) -> Scored:
    return Scored(np.clip(forecasts.risks[key], 0.0, 1.0), rows.failed, forecasts.folds, rows.adapters, is_probability=True)


def _shared(rows: Rows, regime: Regime) -> Record:
    return {
        "protocol": regime.name,
        "leaky": regime.leaky,
        "n_examples": len(np.unique(rows.examples)),
        "n_adapters": len(rows.adapter_ids),
        "n": len(rows),
    }


def _compared(rows: Rows, regime: Regime, forecasts: OutOfFold, drawn: Bootstrap, key: Key) -> Record:
    features, model = key
    record = _shared(rows, regime) | {"features": features, "model": model, "is_headline": model == forecasts.headline}
    reasons: dict[str, list[str]] = {}
    for figure in FIGURES:
        estimate = drawn.estimate(_name(key), figure)
        column = COLUMN_OF[figure]
        record |= {column: estimate.value, f"{column}_ci_low": estimate.low, f"{column}_ci_high": estimate.high}
        if estimate.reason:
            reasons.setdefault(estimate.reason, []).append(column)
    return record | {
        "failure_rate": float(rows.failed.mean()),
        "columns": ",".join(forecasts.columns[features]) or None,
        "left_out": _left_out(rows.left_out),
        "n_blocks": int(forecasts.folds.max()) + 1,
        "n_incomplete": rows.n_incomplete,
        "reason": "; ".join(f"{reason} ({', '.join(names)})" for reason, names in reasons.items()) or None,
    }


def _left_out(found: Mapping[str, str]) -> str | None:
    return "; ".join(f"{name}: {why}" for name, why in sorted(found.items())) or None


def _absent(rows: Rows, regime: Regime, features: str, model: str, reason: str) -> Record:
    columns = [COLUMN_OF[figure] for figure in FIGURES]
    empty: Record = {name: None for column in columns for name in (column, f"{column}_ci_low", f"{column}_ci_high")}
    return _shared(rows, regime) | empty | {
        "features": features, "model": model, "is_headline": False, "columns": None, "left_out": _left_out(rows.left_out), "n_blocks": None,
        "failure_rate": float(rows.failed.mean()) if len(rows) else None, "n_incomplete": rows.n_incomplete, "reason": reason,
    }  # fmt: skip


def _gains(drawn: Bootstrap, model: str) -> Gains:
    full, base, control = (_name((name, model)) for name in (FULL, BASE, CONTROL))
    return Gains(
        drawn.difference(full, base, "auroc"), drawn.difference(full, base, "auroc_within"), drawn.difference(full, control, "auroc")
    )


def _verdict(rows: Rows, regime: Regime, forecasts: OutOfFold, drawn: Bootstrap, settings: ForecastSettings) -> Record:
    model = forecasts.headline
    lacking = {name: forecasts.skipped[name] for name in (BASE, FULL) if name in forecasts.skipped}
    if model is None or lacking:
        return _no_verdict(rows, regime, _left_out(lacking) or "no training block holds both classes", settings)
    other = next(learner.name for learner in LEARNERS if learner.name != model)
    gains, others = _gains(drawn, model), _gains(drawn, other)
    found, reason = verdict(gains, settings.verdict)
    errors = gains.pooled.standard_error
    detectable = None if errors is None else settings.verdict.power_errors * errors
    aurc = drawn.difference(_name((FULL, model)), _name((BASE, model)), "aurc")
    return _judged(rows, regime, settings) | {
        "model": model,
        "verdict": found,
        "sentence": sentence(found, reason, gains, detectable, _what(regime), settings.verdict),
        **_interval("delta_auroc", gains.pooled, "ci_low", "ci_high"),
        "min_detectable_delta": detectable,
        **_interval("delta_within_adapter", gains.within),
        **_interval("delta_over_control", gains.over_control),
        **_interval("delta_aurc", aurc),
        "auroc_confidence": drawn.estimate(_name((BASE, model)), "auroc").value,
        "auroc_confidence_xai": drawn.estimate(_name((FULL, model)), "auroc").value,
        "other_model": other,
        "other_verdict": verdict(others, settings.verdict)[0],
        "other_delta_auroc": others.pooled.value,
        "reason": reason,
    }


def _interval(name: str, estimate: Estimated, low: str | None = None, high: str | None = None) -> Record:
    return {name: estimate.value, low or f"{name}_ci_low": estimate.low, high or f"{name}_ci_high": estimate.high}


def _judged(rows: Rows, regime: Regime, settings: ForecastSettings) -> Record:
    return _shared(rows, regime) | {"rule": canonical_json(settings.verdict), "rule_sha256": settings_id(settings)}


def _no_verdict(rows: Rows, regime: Regime, reason: str, settings: ForecastSettings) -> Record:
    empty = dict.fromkeys(
        ("model", "verdict", "delta_auroc", "ci_low", "ci_high", "min_detectable_delta", "auroc_confidence", "auroc_confidence_xai",
         "other_model", "other_verdict", "other_delta_auroc")
    )  # fmt: skip
    for name in ("delta_within_adapter", "delta_over_control", "delta_aurc"):
        empty |= dict.fromkeys((name, f"{name}_ci_low", f"{name}_ci_high"))
    return _judged(rows, regime, settings) | empty | {"sentence": f"No verdict for {_what(regime)}: {reason}.", "reason": reason}


def _what(regime: Regime) -> str:
    held = [name for name, is_held in (("adapters", regime.adapters), ("corruptions", regime.corruptions)) if is_held]
    if regime.leaky:
        return "rows drawn at random (leaky: their pictures were seen)"
    return f"new {' and '.join(['examples', *held])}" if held else "new examples"


def _reliability(rows: Rows, regime: Regime, forecasts: OutOfFold, features: str, settings: ForecastSettings) -> list[Record]:
    key = (features, str(forecasts.headline))
    parts = np.asarray(rows.examples % settings.n_folds, dtype=np.int64)
    share = len(np.unique(rows.examples)) / len(rows)
    records = []
    for kind in KINDS:
        forecast = cross_mapped(kind, forecasts.risks[key], rows.failed, parts)
        for place, one in enumerate(reliability(forecast, rows.failed)):
            ends = wilson(one.failure_rate * max(1.0, one.n * share), max(1.0, one.n * share), settings.level)
            records.append({
                "protocol": regime.name, "features": features, "model": key[1], "calibration": kind, "bin": place,
                "mean_forecast": one.mean_forecast, "failure_rate": one.failure_rate, "ci_low": ends.low, "ci_high": ends.high,
                "n": one.n, "reason": None,
            })  # fmt: skip
    return records


def _coverage(rows: Rows, regime: Regime, forecasts: OutOfFold, features: str, settings: ForecastSettings) -> list[Record]:
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
