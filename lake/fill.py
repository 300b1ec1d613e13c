"""How is a computed table brought up to date? Plan from the ledger, compute only missing keys, stage, check the law, commit."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lake.audit import REJECTED
from lake.door import Lake
from lake.errors import ContractError
from lake.ledger import EVERYTHING, Cell, Done, Ledger
from lake.progress import Progress
from lake.spec import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

from lake.rows import ERROR_COLUMNS

Variant = Mapping[str, str | int]


@dataclass(frozen=True)
class Inputs:
    """The examples a stage is about: a frame with unique example_id (read only when there is work), how many, which ones.

    `sha256` is the hash of the set of examples, `settings_id` that of their own generation. `chunk_rows` bounds one commit.
    """

    dataset: str
    settings_id: str
    sha256: str
    frame: Callable[[], DataFrame]
    n_examples: int
    chunk_rows: int = 250_000


@dataclass(frozen=True)
class Stage:
    """One computed table under one settings_id: its rows are examples x variants.

    A variant gives the key columns beyond (dataset, example_id, settings_id), such as adapter, corruption and severity. `part` names rows
    of a table that have generations of their own beside those of the others; it stands where the ledger names a corruption.
    `compute` gets examples with a column `todo` (indices into `variants`) and gives the table's columns plus error_code and
    message, both null for good rows; a row with an error_code goes to audit.rejected.
    """

    table: Table
    settings_id: str
    variants: tuple[Variant, ...]
    compute: Callable[[DataFrame], DataFrame]
    part: str = EVERYTHING

    def cell(self, variant: Variant) -> Cell:
        """The ledger's cell of a variant; an attack stands where the ledger names a corruption."""
        change = variant.get("corruption", variant.get("attack", self.part))
        return Cell(str(variant.get("adapter_id", "*")), str(change), int(variant.get("severity", 0)))


def fill(lake: Lake, ledger: Ledger, stage: Stage, inputs: Inputs) -> None:
    """Brings `stage.table` up to date for the examples.

    Raises ContractError, with nothing of the chunk committed, when rows + rejected rows are not exactly the product of
    examples and variants. Killed at any point and run again, the table ends the same.
    """
    n_examples = inputs.n_examples
    open_indices = unfinished(ledger, stage, inputs)  # all variants of a cell, or none
    waiting = {cell: n * n_examples for cell, n in Counter(stage.cell(stage.variants[index]) for index in open_indices).items()}
    lake.skip(stage.table, n_examples * (len(stage.variants) - len(open_indices)))
    if not open_indices:
        return
    lake.create(stage.table)
    missing, n_missing, n_chunks = _missing(lake, stage, inputs, open_indices)
    lake.skip(stage.table, n_examples * len(open_indices) - n_missing)
    reopened = n_missing > 0 and ledger.knows(stage.table, stage.settings_id)
    if reopened:
        # this generation was complete before: until it is again, no reader may take it for that
        ledger.note(stage.table, stage.settings_id, {cell: Done(inputs.sha256, n, 0) for cell, n in waiting.items()})
        ledger.commit()
    with Progress(f"{stage.table.full_name}: {n_missing:,} rows", n_chunks) as progress:
        for chunk in range(n_chunks if n_missing else 0):
            _chunk(lake, stage, _part(missing, chunk, n_chunks), chunk)
            progress.step()
    ledger.record(stage.table, stage.settings_id, {cell: Done(inputs.sha256, n, n) for cell, n in waiting.items()})
    if reopened:
        ledger.commit()


def unfinished(ledger: Ledger, stage: Stage, inputs: Inputs) -> list[int]:
    """Indices of the variants whose cells the ledger does not know as finished from exactly these inputs, with this many variants."""
    expected = Counter(stage.cell(variant) for variant in stage.variants)
    finished = {
        cell for cell, n in expected.items() if ledger.complete(stage.table, stage.settings_id, cell, inputs.sha256, n * inputs.n_examples)
    }
    return [index for index, variant in enumerate(stage.variants) if stage.cell(variant) not in finished]


def _missing(lake: Lake, stage: Stage, inputs: Inputs, indices: list[int]) -> tuple[DataFrame, int, int]:
    """Examples with their missing variants as `todo`, how many rows are missing, and into how many chunks they go.

    Keys are anti-joined only inside incomplete cells; where no row of these cells exists yet, nothing is joined.
    """
    from pyspark.sql import functions as F

    examples = inputs.frame()
    done = _done_keys(lake, stage, inputs.dataset, indices)
    if done.isEmpty():
        n_missing = inputs.n_examples * len(indices)
        frame = examples.withColumn("todo", F.lit(indices).cast("array<int>"))
    else:
        keys = examples.select("example_id").withColumn("todo", F.explode(F.lit(indices).cast("array<int>")))
        left = keys.join(done, ["example_id", "todo"], "left_anti")
        todo = left.groupBy("example_id").agg(F.sort_array(F.collect_list("todo")).alias("todo")).cache()
        n_missing = int(todo.agg(F.sum(F.size("todo")).alias("n")).collect()[0].n or 0)
        frame = examples.join(todo, "example_id")
    return frame, n_missing, max(1, math.ceil(n_missing / inputs.chunk_rows))


def _done_keys(lake: Lake, stage: Stage, dataset: str, indices: list[int]) -> DataFrame:
    """(example_id, todo) of rows that are in the table or in audit.rejected, for these variants and settings."""
    from pyspark.sql import functions as F

    names = [name for name in stage.table.key if name not in ("dataset", "example_id", "settings_id")]
    columns = {column.name: column.type for column in stage.table.columns}
    variants = lake.spark.createDataFrame(
        [(index, *(stage.variants[index][name] for name in names)) for index in indices],
        ", ".join(["todo int", *(f"{name} {columns[name]}" for name in names)]),
    )
    mine = (F.col("dataset") == dataset) & (F.col("settings_id") == stage.settings_id)
    rows = lake.read(stage.table).where(mine)
    if "adapter_id" in names:  # the partition column: files of finished adapters are never opened
        rows = rows.where(F.col("adapter_id").isin(sorted({str(stage.variants[index]["adapter_id"]) for index in indices})))
    key_ddl = ", ".join(f"{name} {columns[name]}" for name in ["example_id", *names])
    refused = lake.read(REJECTED).where(mine & (F.col("table_name") == stage.table.full_name))
    refused = refused.select(F.from_json("key", key_ddl).alias("key")).select("key.*")
    done = rows.select("example_id", *names).unionByName(refused)
    return done.join(F.broadcast(variants), names).select("example_id", "todo")


def _part(frame: DataFrame, chunk: int, n_chunks: int) -> DataFrame:
    from pyspark.sql import functions as F

    return frame if n_chunks == 1 else frame.where(F.pmod(F.xxhash64("example_id"), F.lit(n_chunks)) == chunk)


def _chunk(lake: Lake, stage: Stage, examples: DataFrame, chunk: int) -> None:
    """Stage, check, commit one chunk. Rejected rows are committed first: they are keyed, so a kill in between loses nothing."""
    from pyspark.sql import functions as F

    where = f"{lake.storage.root}/_staging/{lake.run_id}/{stage.table.full_name}/{chunk}"
    stage.compute(examples).write.mode("overwrite").parquet(where)
    staged = lake.spark.read.schema(stage.table.ddl(ERROR_COLUMNS)).parquet(where)
    n_good, n_bad = _check(lake, stage, examples, staged, chunk)
    if n_bad:
        lake.append(REJECTED, _rejected_rows(lake, stage, staged.where("error_code IS NOT NULL")), n_bad)
        lake.reject(stage.table, n_bad)
    good = staged.where("error_code IS NULL")
    if "adapter_id" in stage.table.partition_by:
        good = good.repartition(min(16, len({str(v["adapter_id"]) for v in stage.variants})), F.col("adapter_id"))
    commit(lake, stage.table, good, n_good)
    lake.storage.delete(where)


def commit(lake: Lake, table: Table, rows: DataFrame, n_rows: int) -> None:
    """The moment between staging and commit, by name: fault tests kill the process here."""
    lake.append(table, rows, n_rows)


def _check(lake: Lake, stage: Stage, examples: DataFrame, staged: DataFrame, chunk: int) -> tuple[int, int]:
    """The row-count law and unique keys over one staged chunk. Gives the number of good and of rejected rows."""
    from pyspark.sql import functions as F

    names = [name for name in stage.table.key if name not in ("dataset", "settings_id")]
    expected = _expected_keys(lake, stage, examples)
    found = staged.groupBy(*names).agg(F.count("*").alias("n"), F.sum(F.when(F.col("error_code").isNotNull(), 1).otherwise(0)).alias("bad"))
    joined = expected.withColumn("wanted", F.lit(1)).join(found, names, "full_outer")
    counts: Any = joined.agg(
        F.sum("wanted").alias("expected"), F.sum("n").alias("found"), F.sum("bad").alias("bad"),
        F.sum(F.when(F.col("n").isNull(), 1).otherwise(0)).alias("missing"),
        F.sum(F.when(F.col("wanted").isNull(), 1).otherwise(0)).alias("alien"),
        F.sum(F.when(F.col("n") > 1, 1).otherwise(0)).alias("twice"),
    ).first()  # fmt: skip
    if counts.missing or counts.alien or counts.twice:
        first = joined.where("n IS NULL OR wanted IS NULL OR n > 1").select(*names).first()
        raise ContractError(
            f"{stage.table.full_name}: expected {counts.expected or 0:,} rows, got {counts.found or 0:,} "
            f"({counts.missing} keys missing, {counts.alien} not asked for, {counts.twice} more than once); first: {first}. "
            f"Nothing of this chunk was committed. Run again; if it stays, this is a bug."
        )
    lake.quality.append((lake.run_id, stage.table.full_name, chunk, "row_count_law", counts.expected or 0, counts.found or 0, True))
    return (counts.found or 0) - (counts.bad or 0), counts.bad or 0


def _expected_keys(lake: Lake, stage: Stage, examples: DataFrame) -> DataFrame:
    from pyspark.sql import functions as F

    names = [name for name in stage.table.key if name not in ("dataset", "example_id", "settings_id")]
    columns = {column.name: column.type for column in stage.table.columns}
    variants = lake.spark.createDataFrame(
        [(index, *(variant[name] for name in names)) for index, variant in enumerate(stage.variants)],
        ", ".join(["todo int", *(f"{name} {columns[name]}" for name in names)]),
    )
    keys = examples.select("example_id", F.explode("todo").alias("todo"))
    return keys.join(F.broadcast(variants), "todo").drop("todo")


def _rejected_rows(lake: Lake, stage: Stage, bad: DataFrame) -> DataFrame:
    from pyspark.sql import functions as F

    names = [name for name in stage.table.key if name not in ("dataset", "settings_id")]
    return bad.select(
        "dataset", F.lit(stage.table.full_name).alias("table_name"), F.to_json(F.struct(*names)).alias("key"), "settings_id",
        "error_code", "message", F.lit(lake.run_id).alias("run_id"),
    )  # fmt: skip
