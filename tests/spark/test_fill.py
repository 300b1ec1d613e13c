"""Does `fill` keep the row-count law, the keys and the ledger, whatever a verb does?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lake.audit import CELLS, REJECTED
from lake.door import Lake
from lake.errors import ContractError
from lake.fill import Inputs, Stage, fill
from lake.ledger import Cell, Done, Ledger
from lake.rows import ERROR_COLUMNS
from lake.spec import ADAPTER, DATASET, EXAMPLE, SETTINGS, Column, Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

pytestmark = pytest.mark.spark

SCORES = Table(
    "silver", "scores", "A toy.", ("dataset", "example_id", "adapter_id", "settings_id"),
    (DATASET, EXAMPLE, ADAPTER, SETTINGS, Column("score", "double", "one number", low=0.0, high=1.0, nullable=False)),
    ("dataset", "adapter_id"),
)  # fmt: skip
IDS = [f"e{number}" for number in range(6)]
VARIANTS = ({"adapter_id": "a"}, {"adapter_id": "b"})
Edit = Callable[["DataFrame"], "DataFrame"]


def inputs(lake: Lake, chunk_rows: int = 100, ids: list[str] = IDS) -> Inputs:
    def frame() -> DataFrame:
        return lake.spark.createDataFrame([(example,) for example in ids], "example_id string")

    return Inputs("d", "s" * 16, f"set of {len(ids)}", frame, len(ids), chunk_rows)


def stage(
    edit: Edit = lambda rows: rows, variants: tuple[dict[str, str], ...] = VARIANTS, seen: list[tuple[str, str]] | None = None
) -> Stage:
    """A stage whose rows all score 0.5; `edit` spoils its output, `seen` collects the keys it was asked for."""
    from pyspark.sql import functions as F

    def compute(examples: DataFrame) -> DataFrame:
        asked = examples.select("example_id", F.explode("todo").alias("todo"))
        if seen is not None:
            seen.extend((row.example_id, variants[row.todo]["adapter_id"]) for row in asked.collect())
        adapter = F.element_at(F.array(*(F.lit(variant["adapter_id"]) for variant in variants)), F.col("todo") + 1)
        columns = {"dataset": F.lit("d"), "adapter_id": adapter, "settings_id": F.lit("s"), "score": F.lit(0.5)}
        rows = asked.withColumns({**columns, **{name: F.lit(None).cast(kind) for name, kind in ERROR_COLUMNS}})
        return edit(rows.select(*SCORES.column_names, *(name for name, _ in ERROR_COLUMNS)))

    return Stage(SCORES, "s", variants, compute)


def keys(lake: Lake, table: Table = SCORES) -> list[tuple[str, str]]:
    return sorted((row.example_id, row.adapter_id) for row in lake.read(table).collect())


ALL = sorted((example, variant["adapter_id"]) for example in IDS for variant in VARIANTS)


def _without_a_row(rows: DataFrame) -> DataFrame:
    return rows.where("NOT (example_id = 'e3' AND adapter_id = 'b')")


def _with_a_row_twice(rows: DataFrame) -> DataFrame:
    return rows.unionByName(rows.where("example_id = 'e3' AND adapter_id = 'b'"))


def _with_an_alien(rows: DataFrame) -> DataFrame:
    return rows.unionByName(rows.where("example_id = 'e3' AND adapter_id = 'b'").replace("e3", "zz"))


def _one_lost_one_twice(rows: DataFrame) -> DataFrame:
    return _without_a_row(rows).unionByName(rows.where("example_id = 'e4' AND adapter_id = 'b'"))  # the count alone looks right


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_without_a_row, r"expected 12 rows, got 11 \(1 keys missing, 0 not asked for, 0 more than once\); first: .*e3"),
        (_with_a_row_twice, r"expected 12 rows, got 13 \(0 keys missing, 0 not asked for, 1 more than once\); first: .*e3"),
        (_with_an_alien, r"expected 12 rows, got 13 \(0 keys missing, 1 not asked for, 0 more than once\); first: .*zz"),
        (_one_lost_one_twice, r"expected 12 rows, got 12 \(1 keys missing, 0 not asked for, 1 more than once\)"),
    ],
)
def test_a_stage_that_loses_doubles_or_invents_a_row_commits_nothing_and_names_the_key(toy: Lake, spoil: Edit, message: str) -> None:
    ledger = Ledger(toy, "d")
    with pytest.raises(ContractError, match=r"silver\.scores: " + message):
        fill(toy, ledger, stage(spoil), inputs(toy))
    assert keys(toy) == []
    assert toy.read(REJECTED).count() == 0
    assert ledger.done(SCORES, "s", Cell("a")) is None  # so that the next run plans all of it again


def test_an_example_that_stands_twice_among_the_inputs_is_told(toy: Lake) -> None:
    def once(rows: DataFrame) -> DataFrame:
        return rows.dropDuplicates(["example_id", "adapter_id"])

    with pytest.raises(ContractError, match="examples stand twice among the inputs: 14 rows are asked for, of 12 keys"):
        fill(toy, Ledger(toy, "d"), stage(once), inputs(toy, ids=[*IDS, IDS[0]]))
    assert keys(toy) == []


def test_rows_and_rejected_rows_together_are_the_product_and_neither_is_computed_again(toy: Lake) -> None:
    from pyspark.sql import functions as F

    def refuse(rows: DataFrame) -> DataFrame:
        bad = (F.col("example_id") == "e1") & (F.col("adapter_id") == "a")
        return rows.withColumns({
            "error_code": F.when(bad, "nonfinite"), "message": F.when(bad, "NaN"), "score": F.when(~bad, F.col("score")),
        })  # fmt: skip

    ledger = Ledger(toy, "d")
    fill(toy, ledger, stage(refuse), inputs(toy))
    ledger.commit()
    rejected = toy.read(REJECTED).collect()
    assert [(row.table_name, row.key, row.error_code, row.message) for row in rejected] == [
        ("silver.scores", '{"example_id":"e1","adapter_id":"a"}', "nonfinite", "NaN")
    ]
    assert keys(toy) == [key for key in ALL if key != ("e1", "a")]
    assert toy.report()["silver.scores"] | {"version_before": 0, "version_after": 0} == {
        "version_before": 0, "version_after": 0, "rows_written": 11, "rows_rejected": 1, "rows_skipped": 0,
    }  # fmt: skip

    toy.replace(CELLS, toy.spark.createDataFrame([], CELLS.ddl()), 0, dataset="d")  # without its ledger the keys still know
    seen: list[tuple[str, str]] = []
    fill(toy, Ledger(toy, "d"), stage(refuse, seen=seen), inputs(toy))
    assert seen == []


def test_only_keys_of_unfinished_cells_are_planned_and_of_those_only_the_missing(toy: Lake) -> None:
    ledger = Ledger(toy, "d")
    fill(toy, ledger, stage(variants=VARIANTS[:1]), inputs(toy))
    half = toy.read(SCORES).where("adapter_id = 'a' AND example_id < 'e2'")
    toy.append(SCORES, half.replace("a", "b", subset=["adapter_id"]), 2)  # b has e0 and e1 of a run that was killed
    fresh: list[tuple[str, str]] = []
    fill(toy, Ledger(toy, "d"), stage(seen=fresh), inputs(toy))
    assert sorted(fresh) == [(example, "b") for example in IDS[2:]]
    assert keys(toy) == ALL


def test_a_finished_cell_is_believed_without_looking_at_its_rows(toy: Lake) -> None:
    # Planning costs nothing per row: that is what the ledger is for. Rebuilding it by counting is how a wrong one is mended.
    ledger = Ledger(toy, "d")
    one = inputs(toy)
    ledger.record(SCORES, "s", {Cell("a"): Done(one.sha256, 6, 6)})
    seen: list[tuple[str, str]] = []
    fill(toy, ledger, stage(seen=seen), one)
    assert sorted(seen) == [(example, "b") for example in IDS]


def test_a_variant_asked_for_later_is_computed_although_its_cell_was_finished(toy: Lake) -> None:
    from pyspark.sql import functions as F

    method = Column("method", "string", "how")
    looks = Table("silver", "looks", "A toy.", ("dataset", "example_id", "adapter_id", "method", "settings_id"), (*SCORES.columns, method))

    def wanted(*methods: str) -> Stage:
        def compute(examples: DataFrame) -> DataFrame:
            asked = examples.select("example_id", F.explode("todo").alias("todo"))
            how = F.element_at(F.array(*(F.lit(name) for name in methods)), F.col("todo") + 1)
            columns = {"dataset": F.lit("d"), "adapter_id": F.lit("a"), "settings_id": F.lit("s"), "score": F.lit(0.5), "method": how}
            rows = asked.withColumns({**columns, **{name: F.lit(None).cast(kind) for name, kind in ERROR_COLUMNS}})
            return rows.select(*looks.column_names, *(name for name, _ in ERROR_COLUMNS))

        return Stage(looks, "s", tuple({"adapter_id": "a", "method": name} for name in methods), compute)

    fill(toy, Ledger(toy, "d"), wanted("one"), inputs(toy))
    fill(toy, Ledger(toy, "d"), wanted("one", "two"), inputs(toy))
    found = sorted((row.example_id, row.method) for row in toy.read(looks).collect())
    assert found == sorted((example, name) for example in IDS for name in ("one", "two"))
    assert Ledger(toy, "d").done(looks, "s", Cell("a")) == Done(f"set of {len(IDS)}", 12, 12)


@pytest.mark.parametrize("small", [1_000, 0])
def test_a_chunk_leaves_one_file_for_each_adapter(toy: Lake, monkeypatch: pytest.MonkeyPatch, small: int) -> None:
    monkeypatch.setattr("lake.fill.SMALL", small)
    fill(toy, Ledger(toy, "d"), stage(lambda rows: rows.repartition(3)), inputs(toy))
    assert keys(toy) == ALL
    assert sorted(path.parent.name for path in Path(toy.path(SCORES)).rglob("*.parquet")) == ["adapter_id=a", "adapter_id=b"]


def test_a_generation_that_grows_is_not_complete_until_it_has_grown(toy: Lake) -> None:
    fill(toy, Ledger(toy, "d"), stage(), inputs(toy))
    more = [*IDS, "e6", "e7"]
    with pytest.raises(ContractError):
        fill(toy, Ledger(toy, "d"), stage(lambda rows: rows.where("example_id != 'e7'")), inputs(toy, ids=more))
    (half,) = (row for row in toy.read(CELLS).collect() if row.adapter_id == "a")  # as it stands on disk: that run ends here
    assert half.n_done < half.n_expected == len(more)  # so that no view shows it as the newest complete one


def test_new_examples_cost_themselves_alone(toy: Lake) -> None:
    fill(toy, Ledger(toy, "d"), stage(), inputs(toy, ids=IDS[:4]))
    seen: list[tuple[str, str]] = []
    fill(toy, Ledger(toy, "d"), stage(seen=seen), inputs(toy))
    assert sorted(seen) == [key for key in ALL if key[0] in IDS[4:]]
    assert keys(toy) == ALL


def test_chunks_are_separate_commits_and_a_failing_one_keeps_those_before_it(toy: Lake) -> None:
    from pyspark.sql import functions as F

    ids = [f"e{number}" for number in range(12)]
    wanted = inputs(toy, chunk_rows=8, ids=ids)  # 24 rows in 3 chunks, by hash of the example
    parts = wanted.frame().select("example_id", F.pmod(F.xxhash64("example_id"), F.lit(3)).alias("part")).collect()
    chunks = [sorted(row.example_id for row in parts if row.part == number) for number in range(3)]
    assert all(chunks)
    last = chunks[2][0]
    with pytest.raises(ContractError, match=r"silver\.scores"):
        fill(toy, Ledger(toy, "d"), stage(lambda rows: rows.where(f"example_id != '{last}'")), wanted)
    assert {example for example, _ in keys(toy)} == set(chunks[0] + chunks[1])
    fresh = Lake(toy.spark, toy.root, "another-run")  # with counts of its own
    fill(fresh, Ledger(fresh, "d"), stage(), wanted)
    assert len(keys(toy)) == 24
    assert (fresh.counts["silver.scores"].rows_written, fresh.counts["silver.scores"].rows_skipped) == (
        2 * len(chunks[2]), 2 * len(chunks[0] + chunks[1]),
    )  # fmt: skip
