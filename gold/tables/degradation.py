"""How much accuracy does an adapter lose as a corruption grows, from clean and (KI's way) from its mildest severity?"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from gold.aggregates import clean_accuracy, summed, unpaired, with_wilson
from gold.frames import CLEAN, Frames
from gold.table import TAIL, GoldTable, as_table, interval, share, signed
from lake.spec import ADAPTER, DATASET, Column, Table

SPEC = Table(
    layer="gold",
    name="degradation",
    comment="accuracy of an adapter under one corruption and severity, and its drops; the clean row is (none, 0)",
    key=("dataset", "adapter_id", "corruption", "severity"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        ADAPTER,
        Column(
            "corruption",
            "string",
            "name of the corruption or, of texts, the attack; none = clean; natural:NAME = shifted data of the user's own",
        ),
        Column("severity", "int", "1 is the mildest; 0 = clean", low=0),
        share("accuracy", "share of rows answered correctly"),
        *interval("accuracy", "Wilson; each row is another example", 0.0, 1.0),
        share("clean_accuracy", "accuracy of the same adapter on clean inputs"),
        signed(
            "drop_from_clean",
            "clean_accuracy - accuracy; positive = worse than clean; of natural:NAME between two sets of examples",
            unit="share",
        ),
        signed("drop_from_shallow", "accuracy at severity 1 of the same corruption - accuracy; null on clean", unit="share"),
        share("flip_rate", "share of rows correct on clean and wrong here; null for natural:NAME, whose examples have no clean form"),
        *TAIL,
    ),
)

WIDE_VIEW = "degradation_wide"
# One text for Spark and DuckDB: no integer division, whose meaning differs, and no rounding cast, which differs too.
WIDE_SQL = """
SELECT d.dataset, d.adapter_id, d.corruption,
       MAX(d.clean_accuracy) AS clean,
       MAX(CASE WHEN d.severity = 1 THEN d.accuracy END) AS shallow,
       MAX(CASE WHEN d.severity = FLOOR((m.deepest + 1) / 2.0) THEN d.accuracy END) AS medium,
       MAX(CASE WHEN d.severity = m.deepest THEN d.accuracy END) AS heavy,
       MAX(CASE WHEN d.severity = 1 THEN d.accuracy END)
         - MAX(CASE WHEN d.severity = m.deepest THEN d.accuracy END) AS drop_shallow_heavy,
       100.0 * (MAX(CASE WHEN d.severity = 1 THEN d.accuracy END) - MAX(CASE WHEN d.severity = m.deepest THEN d.accuracy END))
         / NULLIF(MAX(CASE WHEN d.severity = 1 THEN d.accuracy END), 0.0) AS drop_pct
FROM gold.degradation d
JOIN (SELECT dataset, corruption, MAX(severity) AS deepest FROM gold.degradation WHERE severity > 0 GROUP BY dataset, corruption) m
  ON d.dataset = m.dataset AND d.corruption = m.corruption
GROUP BY d.dataset, d.adapter_id, d.corruption
"""
"""KI's wide form of `gold.degradation`, in both SQL dialects: shallow = severity 1, heavy = the deepest severity of that corruption
in the dataset, medium = the middle one (2 of 3, 3 of 5). drop_shallow_heavy = shallow - heavy (share), drop_pct = the same in
percent of shallow."""


def build(frames: Frames) -> pd.DataFrame:
    """One row per (adapter, corruption, severity) with rows; drops are null, with the reason, where what they start from is missing."""
    totals = summed(frames.cells, ["adapter_id", "corruption", "severity"]).drop(columns=["n_correct", "n_flipped"])
    mildest = totals[totals["severity"] == 1].rename(columns={"accuracy": "shallow"})[["adapter_id", "corruption", "shallow"]]
    found = totals.merge(clean_accuracy(frames.cells), on="adapter_id", how="left")
    found = found.merge(mildest, on=["adapter_id", "corruption"], how="left")
    found = with_wilson(found, frames.settings.confidence_level)
    found["drop_from_clean"] = found["clean_accuracy"] - found["accuracy"]
    found["drop_from_shallow"] = found["shallow"] - found["accuracy"]
    found["reason"] = [_reason(row) for row in found.to_dict("records")]
    return as_table(SPEC, frames.dataset, found.drop(columns=["shallow", "n_examples"]))


def _reason(row: dict[Hashable, Any]) -> str | None:
    parts = ["no clean rows"] if pd.isna(row["clean_accuracy"]) else []
    if row["corruption"] != CLEAN and pd.isna(row["shallow"]):
        parts.append("no rows at severity 1 of this corruption")
    parts += unpaired(row)
    return "; ".join(parts) or None


TABLE = GoldTable(SPEC, build)
