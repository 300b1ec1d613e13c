"""What would one say about the dataset in words? Names of the best and the worst, and how the learners stand against what is free."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd

from gold.aggregates import corrupted, summed
from gold.frames import Frames
from gold.protocols import chosen
from gold.quotes import Quote, best_learner, quoted, strongest_feature
from gold.table import TAIL, GoldTable, as_table
from gold.tables import adapter_summary
from lake.spec import DATASET, Column, Table

SPEC = Table(
    layer="gold",
    name="qualitative_summary",
    comment="findings of a dataset in words, one per row; the order of close figures is not certain, see the intervals of their tables",
    key=("dataset", "metric"),
    partition_by=("dataset",),
    columns=(DATASET, Column("metric", "string", "what is asked"), Column("value", "string", "the answer"), *TAIL),
)


def build(frames: Frames) -> pd.DataFrame:
    """Names from the aggregates; learner and feature findings quoted from the tables in `built`."""
    quotes = [*_extremes(frames), *_learned(frames)]
    return as_table(SPEC, frames.dataset, [asdict(quote) for quote in quotes])


def _extremes(frames: Frames) -> list[Quote]:
    adapters = adapter_summary.build(frames).dropna(subset=["accuracy"]).sort_values(["accuracy", "adapter_id"])
    adapters["shown"] = adapters["name"].where(adapters["name"].notna(), adapters["adapter_id"])
    corruptions = summed(corrupted(frames.cells), ["corruption"]).sort_values(["accuracy", "corruption"])
    return [
        _first("most_robust_adapter", adapters[::-1], "shown"),
        _first("least_robust_adapter", adapters, "shown"),
        _first("most_harmful_corruption", corruptions, "corruption"),
        _first("least_harmful_corruption", corruptions[::-1], "corruption"),
    ]


def _first(metric: str, frame: pd.DataFrame, column: str) -> Quote:
    if len(frame) == 0:
        return Quote(metric, None, 0, "no corrupted rows")
    return Quote(metric, str(frame[column].iloc[0]), int(frame["n"].iloc[0]))


def _learned(frames: Frames) -> list[Quote]:
    quotes = [quoted(f"strongest_feature_{scope}", strongest_feature(frames, scope), "feature") for scope in ("pooled", "within_adapter")]
    for protocol in chosen(frames.settings):
        row = best_learner(frames, protocol.name)
        quotes.append(quoted(f"{protocol.name}_best_model", row, "model"))
        quotes.append(_against(f"{protocol.name}_accuracy_against_majority", row, "majority_accuracy"))
        quotes += [_against_auc(f"{protocol.name}_auc_against_{name}", row, f"{name}_auc") for name in ("confidence", "adapter")]
    return quotes


def _against(metric: str, row: pd.Series[Any] | str, baseline: str) -> Quote:
    known = quoted(metric, row, baseline)
    if isinstance(row, str) or known.value is None or pd.isna(row["accuracy"]):
        return Quote(metric, None, known.n, known.reason or "accuracy is null")
    ahead = float(row["accuracy"]) - float(row[baseline])
    return Quote(metric, "above" if ahead > 0 else "below" if ahead < 0 else "equal", known.n)


def _against_auc(metric: str, row: pd.Series[Any] | str, baseline: str) -> Quote:
    """`above` or `below` only when the baseline lies outside the learner's interval; no paired test, that is the forecast verdict's."""
    known = quoted(metric, row, baseline)
    if isinstance(row, str) or known.value is None or pd.isna(row["ci_low"]):
        return Quote(metric, None, known.n, known.reason or "the interval is null")
    value = float(row[baseline])
    return Quote(metric, "above" if value < row["ci_low"] else "below" if value > row["ci_high"] else "within the interval", known.n)


TABLE = GoldTable(SPEC, build)
