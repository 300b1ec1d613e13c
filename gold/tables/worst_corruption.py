"""Which corruption hurts an adapter most? All severities of a corruption together, ranked per adapter."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from gold.aggregates import clean_accuracy, corrupted, summed, unpaired
from gold.frames import Frames
from gold.table import TAIL, GoldTable, as_table, rank_column, share, signed
from lake.spec import ADAPTER, DATASET, Column, Table

SPEC = Table(
    layer="gold",
    name="worst_corruption",
    comment="corruptions of an adapter, the most harmful first; all severities weigh by their rows",
    key=("dataset", "adapter_id", "corruption"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        ADAPTER,
        Column("corruption", "string", "name of the corruption or, of texts, the attack; natural:NAME = shifted data of the user's own"),
        rank_column("1 = lowest accuracy of this adapter"),
        share("accuracy", "share of rows answered correctly over all severities"),
        signed("drop_from_clean", "clean accuracy - accuracy; positive = worse than clean", unit="share"),
        share("flip_rate", "share of rows correct on clean and wrong here; null for natural:NAME"),
        Column("worst_severity", "int", "severity with the lowest accuracy; the mildest of equals", low=1),
        share("worst_accuracy", "accuracy at that severity"),
        *TAIL,
    ),
)


def build(frames: Frames) -> pd.DataFrame:
    """One row per (adapter, corruption) with corrupted rows."""
    cells = corrupted(frames.cells)
    totals = summed(cells, ["adapter_id", "corruption"]).merge(clean_accuracy(frames.cells), on="adapter_id", how="left")
    by_severity = summed(cells, ["adapter_id", "corruption", "severity"]).sort_values(["accuracy", "severity"])
    worst = by_severity.drop_duplicates(["adapter_id", "corruption"])[["adapter_id", "corruption", "severity", "accuracy"]]
    worst = worst.rename(columns={"severity": "worst_severity", "accuracy": "worst_accuracy"})
    found = totals.merge(worst, on=["adapter_id", "corruption"])
    found = found.assign(
        drop_from_clean=found["clean_accuracy"] - found["accuracy"],
        rank=found.groupby("adapter_id")["accuracy"].rank(method="min"),
    )
    found["reason"] = [_reason(row) for row in found.to_dict("records")]
    return as_table(SPEC, frames.dataset, found.drop(columns=["clean_accuracy", "n_examples", "n_correct", "n_flipped"]))


def _reason(row: dict[Hashable, Any]) -> str | None:
    parts = ["no clean rows"] if pd.isna(row["clean_accuracy"]) else []
    return "; ".join([*parts, *unpaired(row)]) or None


TABLE = GoldTable(SPEC, build)
