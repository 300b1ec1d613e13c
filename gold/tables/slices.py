"""On which part of the data does an adapter break? Accuracy and flip rate per label, corruption and severity."""

from __future__ import annotations

import pandas as pd

from gold.aggregates import summed, with_wilson
from gold.frames import Frames
from gold.table import TAIL, GoldTable, as_table, interval, share
from lake.spec import ADAPTER, DATASET, Column, Table

SPEC = Table(
    layer="gold",
    name="slices",
    comment="accuracy and flip rate of an adapter on one slice of the data under one corruption; clean is (none, 0)",
    key=("dataset", "adapter_id", "slice_by", "slice", "corruption", "severity"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        ADAPTER,
        Column("slice_by", "string", "what the data are sliced by: label, or a metadata column"),
        Column("slice", "string", "the slice's value"),
        Column("corruption", "string", "name of the corruption or, of texts, the attack; none = clean"),
        Column("severity", "int", "1 is the mildest; 0 = clean", low=0),
        share("accuracy", "share of rows answered correctly"),
        *interval("accuracy", "Wilson; each row is another example", 0.0, 1.0),
        share("flip_rate", "share of rows correct on clean and wrong here"),
        *TAIL,
    ),
)


def build(frames: Frames) -> pd.DataFrame:
    """One row per non-empty cell, sliced by label."""
    totals = summed(frames.cells, ["adapter_id", "label", "corruption", "severity"])
    found = with_wilson(totals, frames.settings.confidence_level).rename(columns={"label": "slice"})
    return as_table(SPEC, frames.dataset, found.drop(columns=["n_correct", "n_flipped"]).assign(slice_by="label", reason=None))


TABLE = GoldTable(SPEC, build)
