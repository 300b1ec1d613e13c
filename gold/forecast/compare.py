"""What is each feature set's forecast worth under one regime? Records of gold.forecast_comparison."""

from __future__ import annotations

from gold.forecast.bootstrap import Bootstrap
from gold.forecast.figures import FIGURES
from gold.forecast.records import Record, left_out, name_of, shared
from gold.forecast.regimes import Regime
from gold.forecast.rows import Rows
from gold.forecast.run_regime import Key, OutOfFold
from gold.forecast.tables.forecast_comparison import COLUMN_OF


def compared(rows: Rows, regime: Regime, forecasts: OutOfFold, drawn: Bootstrap, key: Key) -> Record:
    """Every figure with its interval; why one is lacking."""
    features, model = key
    record = shared(rows, regime) | {"features": features, "model": model, "is_headline": model == forecasts.headline}
    reasons: dict[str, list[str]] = {}
    for figure in FIGURES:
        estimate = drawn.estimate(name_of(key), figure)
        column = COLUMN_OF[figure]
        record |= {column: estimate.value, f"{column}_ci_low": estimate.low, f"{column}_ci_high": estimate.high}
        if estimate.reason:
            reasons.setdefault(estimate.reason, []).append(column)
    return record | {
        "failure_rate": float(rows.failed.mean()),
        "columns": ",".join(forecasts.columns[features]) or None,
        "left_out": left_out(rows.left_out),
        "n_blocks": int(forecasts.folds.max()) + 1,
        "n_incomplete": rows.n_incomplete,
        "reason": "; ".join(f"{reason} ({', '.join(names)})" for reason, names in reasons.items()) or None,
    }


def absent(rows: Rows, regime: Regime, features: str, model: str, reason: str) -> Record:
    """No figure at all, and why."""
    columns = [COLUMN_OF[figure] for figure in FIGURES]
    empty: Record = {name: None for column in columns for name in (column, f"{column}_ci_low", f"{column}_ci_high")}
    return shared(rows, regime) | empty | {
        "features": features, "model": model, "is_headline": False, "columns": None, "left_out": left_out(rows.left_out), "n_blocks": None,
        "failure_rate": float(rows.failed.mean()) if len(rows) else None, "n_incomplete": rows.n_incomplete, "reason": reason,
    }  # fmt: skip
