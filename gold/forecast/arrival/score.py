"""Clean rows of an adapter and a forecaster -> probability of failure of every row in every cell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from gold.forecast.cells import Cell
from gold.forecast.forecaster import Forecaster, load
from gold.forecast.inputs import wide
from gold.statistics.estimate import Floats

RISKS = "example_id string, adapter_id string, corruption string, severity int, risk double"


def features_of(clean: pd.DataFrame, forecaster: Forecaster) -> Floats:
    """float64[n, columns] of rows `gold.forecast.inputs.CLEAN`; NaN where a row lacks a feature. Raises ArtifactError where all do: then
    these are other features."""
    frame = wide(clean)
    if len(frame):
        forecaster.require(frame.columns)
    columns = [pd.to_numeric(frame[name]) for name in forecaster.spec.columns if name in frame.columns]
    found = [column.to_numpy(dtype=np.float64, na_value=np.nan) for column in columns]
    return np.column_stack(found) if len(frame) else np.zeros((0, len(forecaster.spec.columns)))


def risks(clean: pd.DataFrame, forecaster: Forecaster) -> pd.DataFrame:
    """One row per clean row and cell the forecaster knows: `RISKS`, the risk calibrated; null where the row lacks a feature."""
    scorer, spec = forecaster.scorer(), forecaster.spec
    x = features_of(clean, forecaster)
    complete, of = np.isfinite(x).all(axis=1), scorer.parts_of(clean["example_id"])
    parts = []
    for corruption, severity, _ in spec.cells:
        risk = np.full(len(clean), np.nan)
        if complete.any():
            risk[complete] = scorer.risk(x[complete], (corruption, severity), of[complete])
        keys = {"example_id": clean["example_id"].to_numpy(), "adapter_id": clean["adapter_id"].to_numpy()}
        parts.append(pd.DataFrame(keys | {"corruption": corruption, "severity": np.int32(severity), "risk": risk}))
    return pd.concat(parts, ignore_index=True)


def score(frames: Iterator[pd.DataFrame], folder: str) -> Iterator[pd.DataFrame]:
    """`risks` of each frame, by the forecaster in `folder`."""
    forecaster = load(Path(folder))
    for frame in frames:
        yield risks(frame, forecaster)


def records(adapter_id: str, means: pd.DataFrame, forecaster: Forecaster, run_id: str) -> list[dict[str, object]]:
    """Rows for gold.forecasts, made ahead. means: corruption, severity, predicted (NaN or None without a complete row), n, n_lacking."""
    usual: dict[Cell, float] = {(name, severity): rate for name, severity, rate in forecaster.spec.cells}
    found = []
    for row in means.sort_values(["corruption", "severity"]).to_dict("records"):
        cell = (str(row["corruption"]), int(row["severity"]))
        predicted, lacking = row["predicted"], int(row["n_lacking"])
        reasons = [f"{lacking} clean rows lack a feature"] if lacking else []
        low = high = bound = None
        if pd.isna(predicted):
            predicted = None
        else:
            spread = forecaster.spread(cell)
            low, high, why = spread.interval(float(predicted), forecaster.spec.level)
            bound = spread.conformal(float(predicted), forecaster.spec.bound_level)
            reasons += [why] if why else []
        found.append({
            "adapter_id": adapter_id, "corruption": cell[0], "severity": cell[1], "origin": "ahead", "predicted_failure_rate": predicted,
            "ci_low": low, "ci_high": high, "upper_bound": bound, "observed_failure_rate": None, "cell_mean": usual[cell], "atc": None,
            "doc": None, "forecaster": forecaster.identity, "run_id": run_id, "n": int(row["n"]), "reason": "; ".join(reasons) or None,
        })  # fmt: skip
    return found
