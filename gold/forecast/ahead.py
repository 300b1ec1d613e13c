"""How do forecasts that were stored ahead meet their truth, beside those made by holding adapters out?"""

from __future__ import annotations

import pandas as pd

CELL = ["adapter_id", "corruption", "severity"]
STORED = ["predicted_failure_rate", "ci_low", "ci_high", "upper_bound", "cell_mean", "forecaster", "run_id", "n", "reason"]


def with_truth(held_out: pd.DataFrame, stored: pd.DataFrame, rates: pd.DataFrame, why: str | None = None) -> pd.DataFrame:
    """Rows for gold.forecasts but dataset and settings_id: stored ones as they were, held-out ones of all other adapters.

    held_out: records of `CellForecast`. stored: rows of gold.forecasts that were made ahead. rates: per cell `observed`, `atc` and `doc`,
    of adapters that were tried. What a stored row said is never changed; its truth and the estimates that need corrupted inputs are
    filled in. An adapter that was tried and has no forecast keeps its rows, without one and with the reason: `why`, or that its rows lack
    features.
    """
    held_out = _complete(held_out, rates, why)
    parts = []
    if len(stored):
        parts.append(stored[[*CELL, *STORED]].assign(origin="ahead"))
    if len(held_out):
        renamed = held_out.rename(columns={"predicted": "predicted_failure_rate", "low": "ci_low", "high": "ci_high"})
        fresh = renamed[~renamed["adapter_id"].isin(set(stored["adapter_id"]) if len(stored) else set())]
        parts.append(fresh[[*CELL, *(name for name in STORED if name in fresh.columns)]].assign(origin="held_out"))
    if not parts:
        return pd.DataFrame()
    rows = pd.concat([part.astype(object) for part in parts], ignore_index=True)
    for name in STORED:
        if name not in rows.columns:
            rows[name] = None
    known = rates.set_index(CELL) if len(rates) else pd.DataFrame(columns=["observed", "atc", "doc"])
    found = known.reindex(pd.MultiIndex.from_frame(rows[CELL])) if len(rates) else pd.DataFrame(index=rows.index, columns=known.columns)
    rows = rows.assign(observed_failure_rate=found["observed"].to_numpy(), atc=found["atc"].to_numpy(), doc=found["doc"].to_numpy())
    for name in ("predicted_failure_rate", "ci_low", "ci_high", "upper_bound", "observed_failure_rate", "cell_mean", "atc", "doc"):
        rows[name] = pd.to_numeric(rows[name]).astype("float64")
    return rows


def _complete(held_out: pd.DataFrame, rates: pd.DataFrame, why: str | None) -> pd.DataFrame:
    """Held-out forecasts, and a row without one for every other cell whose truth is known."""
    if not len(rates):
        return held_out
    told = set(held_out[CELL].itertuples(index=False, name=None)) if len(held_out) else set()
    lacking = rates[[cell not in told for cell in rates[CELL].itertuples(index=False, name=None)]][CELL]
    reason = why or "none of its clean rows has every feature that is read"
    empty = lacking.assign(predicted=None, low=None, high=None, upper_bound=None, cell_mean=None, n=0, reason=reason)
    parts = [part.astype(object) for part in (held_out, empty) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else held_out
