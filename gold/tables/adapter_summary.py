"""How good and how robust is each adapter, and what do its explanations look like on clean inputs?"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from gold.aggregates import clean_accuracy, corrupted, summed, unpaired, update_scale, with_wilson
from gold.frames import METRICS, Frames
from gold.table import TAIL, GoldTable, as_table, count, interval, share, signed
from lake.spec import ADAPTER, DATASET, Column, Table

_METRIC_COLUMNS = tuple(
    column
    for metric in METRICS
    for column in (
        Column(f"mean_{metric}", "double", f"mean of clean {metric} over examples"),
        Column(f"std_{metric}", "double", f"sample standard deviation of clean {metric} over examples", low=0.0),
    )
)

SPEC = Table(
    layer="gold",
    name="adapter_summary",
    comment="one row per adapter: accuracy clean and under corruption, and its clean explanation metrics",
    key=("dataset", "adapter_id"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        ADAPTER,
        Column("name", "string", "the adapter's label"),
        Column("rank", "int", "rank of the low-rank update", low=0),
        Column("update_scale", "double", "alpha / sqrt(rank) with rsLoRA, else alpha / rank"),
        share("clean_accuracy", "share of clean rows answered correctly"),
        share(
            "accuracy",
            "share of corrupted rows answered correctly, all corruptions and severities by their rows; each shifted source of the "
            "user's own is one more of them",
        ),
        *interval("accuracy", "Wilson with n = examples: as if the rows of an example said one thing, so never too narrow", 0.0, 1.0),
        signed("drop_from_clean", "clean_accuracy - accuracy; positive = worse than clean", unit="share"),
        share("flip_rate", "share of corrupted rows correct on clean and wrong here, of those that have a clean counterpart"),
        *_METRIC_COLUMNS,
        count("n_examples", "clean rows: one per example"),
        *TAIL,
    ),
)


def build(frames: Frames) -> pd.DataFrame:
    """One row per adapter that is registered or has rows; without rows its figures are null and `reason` says why."""
    known = frames.adapters.assign(update_scale=update_scale(frames.adapters))
    known = known[["adapter_id", "name", "rank", "update_scale", "status", "reason"]].rename(columns={"reason": "why"})
    found = known.merge(clean_accuracy(frames.cells), on="adapter_id", how="outer")
    totals = summed(corrupted(frames.cells), ["adapter_id"])
    found = found.merge(totals[["adapter_id", "accuracy", "flip_rate", "n"]], on="adapter_id", how="outer")
    found = found.merge(frames.means.drop(columns="n"), on="adapter_id", how="left")
    # with shifted sources alone the rows may be fewer than the clean ones
    found = with_wilson(
        found.assign(trials=found[["n_examples", "n"]].min(axis=1, skipna=False)), frames.settings.confidence_level, "trials"
    )
    found["drop_from_clean"] = found["clean_accuracy"] - found["accuracy"]
    found["reason"] = [_reason(row) for row in found.to_dict("records")]
    found[["n", "n_examples"]] = found[["n", "n_examples"]].fillna(0)
    return as_table(SPEC, frames.dataset, found.drop(columns=["status", "why", "trials"]))


def _reason(row: dict[Hashable, Any]) -> str | None:
    parts = [f"adapter is {row['status']}: {row['why']}"] if isinstance(row["status"], str) and row["status"] != "ready" else []
    parts += ["no clean rows"] if pd.isna(row["clean_accuracy"]) else []
    parts += ["no corrupted rows"] if pd.isna(row["accuracy"]) else unpaired(row)
    return "; ".join(parts) or None


TABLE = GoldTable(SPEC, build)
