"""Which adapter holds up best? Ranked by accuracy under corruption, with its clean rank beside it."""

from __future__ import annotations

import pandas as pd

from gold.frames import Frames
from gold.table import TAIL, GoldTable, as_table, interval, rank_column, share, signed
from gold.tables import adapter_summary
from lake.spec import ADAPTER, DATASET, Column, Table

SPEC = Table(
    layer="gold",
    name="adapter_ranking",
    comment="adapters by accuracy under corruption, best first; overlapping intervals mean the order is not certain",
    key=("dataset", "adapter_id"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        ADAPTER,
        Column("name", "string", "the adapter's label"),
        rank_column("1 = highest accuracy under corruption; null without corrupted rows"),
        Column("clean_rank", "int", "1 = highest clean accuracy", low=1),
        share("accuracy", "share of corrupted rows answered correctly"),
        *interval("accuracy", "Wilson with the number of examples as n", 0.0, 1.0),
        share("clean_accuracy", "share of clean rows answered correctly"),
        signed("drop_from_clean", "clean_accuracy - accuracy; positive = worse than clean", unit="share"),
        *TAIL,
    ),
)


def build(frames: Frames) -> pd.DataFrame:
    """One row per adapter of `adapter_summary`."""
    found = adapter_summary.build(frames)
    found["rank"] = found["accuracy"].rank(method="min", ascending=False)
    found["clean_rank"] = found["clean_accuracy"].rank(method="min", ascending=False)
    wanted = [name for name in SPEC.column_names if name not in ("dataset", "settings_id")]
    return as_table(SPEC, frames.dataset, found[wanted])


TABLE = GoldTable(SPEC, build)
