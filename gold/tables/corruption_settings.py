"""What was done to the inputs? Every configured corruption, or attack, and severity with its parameter."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import pandas as pd

from gold.aggregates import summed
from gold.frames import Frames
from gold.table import TAIL, GoldTable, as_table
from lake.spec import DATASET, Column, Table

SPEC = Table(
    layer="gold",
    name="corruption_settings",
    comment="the corruptions, or attacks, of the configuration; n = 0 when one was asked for and no row exists",
    key=("dataset", "corruption", "severity"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        Column(
            "corruption",
            "string",
            "name of the corruption or, of texts, the attack; none = clean; natural:NAME = shifted data of the user's own",
        ),
        Column("severity", "int", "1 is the mildest; 0 = clean", low=0),
        Column("parameter", "string", "what the severity sets"),
        Column("value", "string", "the parameter's value; several are separated by a comma"),
        Column("value_number", "double", "the same as a number; null where it is not one number"),
        Column("expected_impact", "string", "what the source expects of it"),
        *TAIL,
    ),
)


def build(frames: Frames) -> pd.DataFrame:
    """One row per configured (corruption, severity), with the rows evaluated under it."""
    counts = summed(frames.cells, ["corruption", "severity"])[["corruption", "severity", "n"]]
    found = frames.corruptions.drop_duplicates(["corruption", "severity"]).merge(counts, on=["corruption", "severity"], how="left")
    return as_table(SPEC, frames.dataset, [_record(row) for row in found.to_dict("records")])


def _record(row: dict[Hashable, Any]) -> dict[str, object]:
    n = 0 if pd.isna(row["n"]) else int(row["n"])
    return {
        "corruption": row["corruption"],
        "severity": row["severity"],
        "parameter": _text(row["parameter"]),
        "value": _text(row["value"]),
        "value_number": _number(row["value"]),
        "expected_impact": _text(row["expected_impact"]),
        "n": n,
        "reason": None if n else "no rows were evaluated under it",
    }


def _text(value: object) -> str | None:
    if isinstance(value, (tuple, list)):
        return ", ".join(str(part) for part in value)
    return None if value is None or (isinstance(value, float) and math.isnan(value)) else str(value)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) else None


TABLE = GoldTable(SPEC, build)
