"""On which part of the data does an adapter break? Accuracy and flip rate per label or metadata value, corruption and severity."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from gold.aggregates import summed, unpaired, with_wilson
from gold.frames import CLEAN, Frames
from gold.table import TAIL, GoldTable, as_table, interval, share
from lake.spec import ADAPTER, DATASET, Column, Table

WHOLE = "*"  # what stands for the data where a column has too many values to slice by

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
        Column("slice", "string", "the slice's value; empty where the source says none; * with a reason: a column of too many values"),
        Column(
            "corruption",
            "string",
            "name of the corruption or, of texts, the attack; none = clean; natural:NAME = shifted data of the user's own",
        ),
        Column("severity", "int", "1 is the mildest; 0 = clean", low=0),
        share("accuracy", "share of rows answered correctly"),
        *interval("accuracy", "Wilson; each row is another example", 0.0, 1.0),
        share("flip_rate", "share of rows correct on clean and wrong here; null for natural:NAME"),
        *TAIL,
    ),
)


def build(frames: Frames) -> pd.DataFrame:
    """One row per non-empty cell, sliced by label and by each metadata column; one per adapter of a column with too many values."""
    labels = frames.cells.rename(columns={"label": "slice"}).assign(slice_by="label")
    keys = ["adapter_id", "slice_by", "slice", "corruption", "severity"]
    each = [cells[[*keys, "n", "n_correct", "n_flipped"]] for cells in (labels, frames.sliced) if len(cells)]
    totals = summed(pd.concat(each, ignore_index=True) if each else labels, keys)
    found = with_wilson(totals, frames.settings.confidence_level)
    found["reason"] = ["; ".join(unpaired(row)) or None for row in found.to_dict("records")]
    records = found.drop(columns=["n_correct", "n_flipped"]).to_dict("records")
    adapters = sorted(frames.cells["adapter_id"].unique())
    return as_table(
        SPEC, frames.dataset, [*({str(name): value for name, value in row.items()} for row in records), *_whole(frames, adapters)]
    )


def _whole(frames: Frames, adapters: list[str]) -> Iterator[dict[str, object]]:
    """What says that a column was not sliced by."""
    figures = dict.fromkeys(("accuracy", "ci_low", "ci_high", "flip_rate"))
    for name, n in sorted(frames.unsliced.items()):
        reason = f"{n:,} values are too many to slice by"
        for adapter in adapters:
            cell = {"adapter_id": adapter, "slice_by": name, "slice": WHOLE, "corruption": CLEAN, "severity": 0}
            yield cell | figures | {"n": 0, "reason": reason}


TABLE = GoldTable(SPEC, build)
