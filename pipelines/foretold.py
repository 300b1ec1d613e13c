"""What does a person read of a new adapter's forecast?"""

from __future__ import annotations

from typing import TextIO

import pandas as pd

HEAD = f"  {'corruption':<22} {'severity':>8} {'forecast':>9} {'interval':>17} {'bound':>7} {'others':>7} {'observed':>9}"


def show(rows: pd.DataFrame, name: str, is_tried: bool, stream: TextIO) -> None:
    """Prints rows of gold.forecasts of one adapter: failure rates in percent; `others` is the mean of the adapters tried before."""
    if rows.empty:
        stream.write(f"\n{name}: it was tried already, and gold has no forecast of it: run `assay run` to bring gold up to date\n")
        return
    told = "it was tried already, so this is no forecast ahead" if is_tried else "stored before it is tried"
    stream.write(f"\n{name}: share of wrong answers to expect, in percent; {told}\n{HEAD}\n")
    for row in rows.sort_values(["corruption", "severity"]).to_dict("records"):
        ends = f"{_percent(row['ci_low'])} to {_percent(row['ci_high'])}" if pd.notna(row["ci_low"]) else "–"
        figures = [_percent(row[column]) for column in ("upper_bound", "cell_mean")]
        stream.write(
            f"  {row['corruption']:<22} {row['severity']:>8} {_percent(row['predicted_failure_rate']):>9} {ends:>17} {figures[0]:>7} "
            f"{figures[1]:>7} {_percent(row['observed_failure_rate']):>9}\n"
        )
    overall = rows[["predicted_failure_rate", "cell_mean", "observed_failure_rate"]].astype("float64").mean()
    stream.write(
        f"  {'mean':<22} {'':>8} {_percent(overall['predicted_failure_rate']):>9} {'':>17} {'':>7} {_percent(overall['cell_mean']):>7} "
        f"{_percent(overall['observed_failure_rate']):>9}\n"
    )
    n = int(rows["n"].max())
    reasons = sorted({str(reason) for reason in rows["reason"].dropna()})
    stream.write(f"  n = {n:,} clean examples" + (f"; {'; '.join(reasons)}" if reasons else "") + "\n\n")


def _percent(value: float | None) -> str:
    return "–" if value is None or pd.isna(value) else f"{100 * float(value):.1f}"
