"""Judged rows and what the source says of their examples -> counts per adapter, column, value and cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from bronze.specs import NATURAL, OWN
from gold.frames import SLICED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MAX_VALUES = 100  # of a column: more is an id or a measurement, and no slice of it would hold examples enough


def metadata_cells(joined: DataFrame, metadata: DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """`Frames.sliced`, and column -> distinct values of those that have too many to be sliced by. A null value is the empty slice.

    `joined`: rows of one (example, adapter, corruption, severity); `metadata`: those of bronze.metadata, with origin.
    """
    from pyspark.sql import functions as F

    origin = F.when(F.col("corruption").startswith(NATURAL), F.col("corruption")).otherwise(F.lit(OWN))
    rows, key = joined.withColumn("origin", origin), ["origin", "example_id"]
    said = metadata.select(*key, F.col("field").alias("slice_by"), F.coalesce("value", F.lit("")).alias("slice"))
    said = said.join(rows.select(*key).distinct(), key, "left_semi").cache()
    found = {row.slice_by: row.n for row in said.groupBy("slice_by").agg(F.countDistinct("slice").alias("n")).collect()}
    few = sorted(name for name, n in found.items() if n <= MAX_VALUES)
    cells = rows.join(said.where(F.col("slice_by").isin(few)), key).groupBy("adapter_id", "slice_by", "slice", "corruption", "severity")
    n_correct, n_flipped = (F.sum(F.col(name).cast("int")) for name in ("is_correct", "flipped"))
    counted = cells.agg(F.count("*").alias("n"), n_correct.alias("n_correct"), n_flipped.alias("n_flipped")).toPandas()
    said.unpersist()
    return counted[list(SLICED)], {name: n for name, n in found.items() if n > MAX_VALUES}
