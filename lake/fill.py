"""How is a computed table brought up to date? Plan from the ledger, compute only missing keys, stage, check the law, commit."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from lake.audit import REJECTED
from lake.door import Lake
from lake.errors import ContractError
from lake.ledger import EVERYTHING, Cell, Done, Ledger
from lake.progress import Progress
from lake.spec import Table, arrow_type

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

from lake.rows import ERROR_COLUMNS

Variant = Mapping[str, str | int]
SMALL = 1_000  # rows (a large one is 400 kB) that one task writes sooner than a shuffle is planned


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
    if done is None or done.isEmpty():
        n_missing = inputs.n_examples * len(indices)
        frame = examples.withColumn("todo", F.lit(indices).cast("array<int>"))
    else:
        keys = examples.select("example_id").withColumn("todo", F.explode(F.lit(indices).cast("array<int>")))
        left = keys.join(done, ["example_id", "todo"], "left_anti")
        todo = left.groupBy("example_id").agg(F.sort_array(F.collect_list("todo")).alias("todo")).cache()
        n_missing = int(todo.agg(F.sum(F.size("todo")).alias("n")).collect()[0].n or 0)
        frame = examples.join(todo, "example_id")
    return frame, n_missing, max(1, math.ceil(n_missing / inputs.chunk_rows))


def _rows_there(lake: Lake, stage: Stage, dataset: str, indices: list[int]) -> DataFrame | None:
    """Keys beside dataset and settings_id of the table's rows that may be of these variants; None where there can be none."""
    from pyspark.sql import functions as F

    if lake.is_untouched(stage.table):
        return None
    rows = lake.read(stage.table).where((F.col("dataset") == dataset) & (F.col("settings_id") == stage.settings_id))
    if "adapter_id" in stage.table.key:  # the partition column: files of finished adapters are never opened
        rows = rows.where(F.col("adapter_id").isin(sorted({str(stage.variants[index]["adapter_id"]) for index in indices})))
    return rows.select(*_names(stage))


def _rows_refused(lake: Lake, stage: Stage, dataset: str) -> DataFrame | None:
    """The same of the rows that audit.rejected holds for this table."""
    from pyspark.sql import functions as F

    if lake.is_untouched(REJECTED):
        return None
    mine = (F.col("dataset") == dataset) & (F.col("settings_id") == stage.settings_id) & (F.col("table_name") == stage.table.full_name)
    key_ddl = ", ".join(f"{name} {kind}" for name, kind in _types(stage).items())
    return lake.read(REJECTED).where(mine).select(F.from_json("key", key_ddl).alias("key")).select("key.*")


def _names(stage: Stage) -> list[str]:
    """The key of a row within one generation of a dataset."""
    return [name for name in stage.table.key if name not in ("dataset", "settings_id")]


def _types(stage: Stage) -> dict[str, str]:
    types = {column.name: column.type for column in stage.table.columns}
    return {name: types[name] for name in _names(stage)}


def _done_keys(lake: Lake, stage: Stage, dataset: str, indices: list[int]) -> DataFrame | None:
    """(example_id, todo) of rows in the table or in audit.rejected, of these variants and settings; None where there can be none."""
    from pyspark.sql import functions as F

    found = [rows for rows in (_rows_there(lake, stage, dataset, indices), _rows_refused(lake, stage, dataset)) if rows is not None]
    if not found:
        return None
    types = {name: kind for name, kind in _types(stage).items() if name != "example_id"}
    variants = lake.spark.createDataFrame(
        [(index, *(stage.variants[index][name] for name in types)) for index in indices],
        ", ".join(["todo int", *(f"{name} {kind}" for name, kind in types.items())]),
    )
    return reduce(lambda a, b: a.unionByName(b), found).join(F.broadcast(variants), [*types]).select("example_id", "todo")


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
    if n_good <= SMALL:
        good = good.coalesce(1)
    elif "adapter_id" in stage.table.partition_by:
        good = good.repartition(min(16, len({str(v["adapter_id"]) for v in stage.variants})), F.col("adapter_id"))
    commit(lake, stage.table, good, n_good)
    lake.storage.delete(where)


def commit(lake: Lake, table: Table, rows: DataFrame, n_rows: int) -> None:
    """The moment between staging and commit, by name: fault tests kill the process here."""
    lake.append(table, rows, n_rows)


def _check(lake: Lake, stage: Stage, examples: DataFrame, staged: DataFrame, chunk: int) -> tuple[int, int]:
    """The row-count law and unique keys over one staged chunk. Gives the number of good and of rejected rows.

    A chunk is bounded, so its keys are compared on the driver: two scans, where joins in Spark shuffle four times.
    """
    from pyspark.sql import functions as F

    names = _names(stage)
    asked = _asked(stage, examples.select("example_id", "todo").toArrow())
    found = staged.select(*names, F.col("error_code").isNotNull().cast("int").alias("bad")).toArrow()
    counted = found.group_by(names).aggregate([("bad", "count"), ("bad", "sum")])
    wanted = asked.cast(counted.select(asked.column_names).schema).append_column("wanted", pa.repeat(1, len(asked)))
    joined = wanted.join(counted, names, join_type="full outer")
    n = joined["bad_count"]
    missing, alien, twice = pc.is_null(n), pc.is_null(joined["wanted"]), pc.fill_null(pc.greater(n, 1), fill_value=False)
    wrong = joined.filter(pc.or_(pc.or_(missing, alien), twice))
    if not len(wrong) and len(asked) != len(found):
        raise ContractError(
            f"{stage.table.full_name}: examples stand twice among the inputs: {len(asked):,} rows are asked for, of {len(found):,} keys. "
            f"Nothing of this chunk was committed. This is a bug: whoever hands the inputs on must give each example once."
        )
    if len(wrong):
        first = wrong.select(names).sort_by([(name, "ascending") for name in names]).slice(0, 1).to_pylist()[0]
        raise ContractError(
            f"{stage.table.full_name}: expected {len(asked):,} rows, got {len(found):,} "
            f"({_n(missing)} keys missing, {_n(alien)} not asked for, {_n(twice)} more than once); first: {first}. "
            f"Nothing of this chunk was committed. Run again; if it stays, this is a bug."
        )
    n_bad = pc.sum(found["bad"]).as_py() or 0
    lake.quality.append((lake.run_id, stage.table.full_name, chunk, "row_count_law", len(asked), len(found), True))
    return len(found) - n_bad, n_bad


def _n(mask: pa.ChunkedArray) -> int:
    return pc.sum(mask).as_py() or 0


def _asked(stage: Stage, examples: pa.Table) -> pa.Table:
    """The keys that rows must have, from (example_id, todo: list<int>)."""
    todo = examples["todo"].combine_chunks()
    rows = pc.list_parent_indices(todo)
    keys = {"example_id": examples["example_id"].take(rows)}
    indices = pc.list_flatten(todo)
    for name, kind in _types(stage).items():
        if name != "example_id":
            keys[name] = pa.array([variant[name] for variant in stage.variants], arrow_type(kind)).take(indices)
    return pa.table(keys)


def _rejected_rows(lake: Lake, stage: Stage, bad: DataFrame) -> DataFrame:
    from pyspark.sql import functions as F

    return bad.select(
        "dataset", F.lit(stage.table.full_name).alias("table_name"), F.to_json(F.struct(*_names(stage))).alias("key"), "settings_id",
        "error_code", "message", F.lit(lake.run_id).alias("run_id"),
    )  # fmt: skip
