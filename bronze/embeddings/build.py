"""Examples -> bronze.embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from bronze.build import Examples, examples_of
from bronze.embeddings.embed import Embed, PictureReading, Reading, TextReading, embed
from bronze.specs import EMBEDDINGS
from lake.door import Lake
from lake.fill import Stage, fill
from lake.ledger import Ledger
from lake.rows import ERROR_COLUMNS
from models.scoring import Scoring
from models.text_scoring import TextScoring

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def reading_of(scoring: Scoring | TextScoring) -> Reading:
    """How this scoring's examples are read."""
    if isinstance(scoring, TextScoring):
        return TextReading(scoring.prepare)
    return PictureReading(scoring.preprocessing, scoring.limits)


def embedding_settings(examples: Examples, scoring: Scoring | TextScoring, keep_units: bool) -> dict[str, object]:
    """All that defines a row of bronze.embeddings."""
    return scoring.settings() | {"keep_units": keep_units, "examples": examples.settings_id}


def build_embeddings(
    lake: Lake, ledger: Ledger, examples: Examples, scoring: Scoring | TextScoring, keep_units: bool, chunk_rows: int
) -> None:
    """Brings bronze.embeddings up to date for all splits."""
    stage = embedding_stage(lake, examples, scoring, keep_units)
    fill(lake, ledger, stage, examples_of(lake, examples, examples.splits, chunk_rows, by_content=False))


def embedding_stage(lake: Lake, examples: Examples, scoring: Scoring | TextScoring, keep_units: bool) -> Stage:
    """How one row of bronze.embeddings per example is computed."""
    schema, dataset = EMBEDDINGS.arrow_schema(ERROR_COLUMNS), examples.dataset
    identity = lake.settings_id(EMBEDDINGS, dataset, embedding_settings(examples, scoring, keep_units))

    def verb(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        retry = None if scoring.dtype == "float32" else lambda: scoring.scorer(None, "float32")
        work = Embed(
            scoring.scorer(),
            retry,
            reading_of(scoring),
            dataset,
            scoring.backbone.name,
            identity,
            keep_units,
            scoring.batch_size,
        )
        return embed(rows, work, schema)

    return Stage(
        table=EMBEDDINGS,
        settings_id=identity,
        variants=({"backbone": scoring.backbone.name},),
        compute=lambda frame: _in_turn(frame.select("example_id", scoring.column)).mapInArrow(verb, EMBEDDINGS.ddl(ERROR_COLUMNS)),
    )


def _in_turn(rows: DataFrame) -> DataFrame:
    """The rows dealt out to all cores one by one: shares that differ by a few rows. By content 512 pictures on two cores are 256 ± 11 each.

    Each partition as read begins at the next slot, so that what is left over at the end of each does not always go to the same cores.
    """
    from pyspark.sql import functions as F

    # not `repartition(cores)`: it sorts whole rows first, and would hold the pictures in memory for that
    cores = rows.sparkSession.sparkContext.defaultParallelism
    within = F.monotonically_increasing_id().bitwiseAND((1 << 33) - 1)  # above are the partition's 31 bits, whose weight % cores is often 0
    slot = ((within + F.spark_partition_id()) % cores).cast("int")
    return rows.withColumn("slot", slot).repartitionById(cores, "slot").drop("slot")
