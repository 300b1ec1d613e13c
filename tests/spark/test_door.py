"""Does the one door to Delta keep the spec's promises, and say what is wrong when it cannot?"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from lake import door
from lake.door import CONFLICT_ATTEMPTS, ConflictError, Lake
from lake.errors import ContractError
from lake.spec import Column, Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

pytestmark = pytest.mark.spark

TOY = Table(
    "silver", "toy", "A toy.", ("dataset", "n"),
    (Column("dataset", "string", "which"), Column("n", "int", "a number", low=0), Column("kind", "string", "a kind", allowed=("x", "y"))),
)  # fmt: skip
SHELVES = Table(
    "silver", "shelves", "A toy in parts.", ("dataset", "n"),
    (Column("dataset", "string", "which", nullable=False), Column("n", "int", "a number")), partition_by=("dataset",),
)  # fmt: skip
BARE = Table("silver", "bare", "A toy without constraints.", ("dataset",), (Column("dataset", "string", "which", nullable=False),))


def rows(lake: Lake, *values: tuple[str | None, int | None, str | None]) -> DataFrame:
    return lake.spark.createDataFrame(list(values), TOY.ddl())


@pytest.mark.parametrize(("value", "law"), [(("d", -1, "x"), "n_range"), (("d", 1, "z"), "kind_range"), ((None, 1, "x"), "dataset")])
def test_a_row_outside_the_range_the_list_or_without_its_key_is_refused_whole(
    toy: Lake, value: tuple[str | None, int, str], law: str
) -> None:
    from py4j.protocol import Py4JJavaError

    toy.append(TOY, rows(toy, ("d", 1, None)), 1)
    with pytest.raises(Py4JJavaError, match=law):
        toy.append(TOY, rows(toy, ("d", 2, "y"), value), 2)
    assert [row.n for row in toy.read(TOY).collect()] == [1]
    assert toy.version(TOY) == 1  # 0 created, 1 the good row


def test_a_replaced_condition_touches_no_row_outside_it(toy: Lake) -> None:
    toy.append(TOY, rows(toy, ("a", 1, "x"), ("b", 2, "x")), 2)
    toy.replace(TOY, rows(toy, ("a", 3, "y")), 1, dataset="a")
    assert sorted((row.dataset, row.n) for row in toy.read(TOY).collect()) == [("a", 3), ("b", 2)]
    with pytest.raises(ContractError, match="quote"):
        toy.replace(TOY, rows(toy, ("a", 3, "y")), 1, dataset="a' OR 'x' = 'x")


def test_first_rows_of_two_runs_do_not_stand_beside_each_other(toy: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    toy.create(BARE)
    other = Lake(toy.spark, toy.root, "other-run", "0" * 64)
    other.replace(BARE, toy.spark.createDataFrame([("theirs",)], BARE.ddl()), 1)
    now, looks = toy.version, iter((0, 0, 0))  # what a run saw that slept between the look and its commit
    monkeypatch.setattr(toy, "version", lambda table: next(looks, now(table)))
    toy.replace(BARE, toy.spark.createDataFrame([("ours",)], BARE.ddl()), 1)
    assert [row.dataset for row in toy.read(BARE).collect()] == ["theirs"]


def test_first_rows_are_appended_only_to_a_table_that_this_run_has_made(toy: Lake) -> None:
    def put(value: str) -> list[str]:
        toy.replace(BARE, toy.spark.createDataFrame([(value,)], BARE.ddl()), 1)
        return [row.dataset for row in toy.read(BARE).collect()]

    assert put("first") == ["first"]
    log = Path(toy.path(BARE)) / "_delta_log" / f"{1:020}.json"
    assert '"mode":"Append"' in log.read_text()
    assert put("second") == ["second"]
    other = Lake(toy.spark, f"{toy.root}-of-others")
    write_deltalake(other.path(BARE), pa.table({"dataset": ["theirs"]}, schema=BARE.arrow_schema()))  # rows in version 0
    other.replace(BARE, toy.spark.createDataFrame([("ours",)], BARE.ddl()), 1)
    assert [row.dataset for row in other.read(BARE).collect()] == ["ours"]


def _written(lake: Lake, table: Table) -> str:
    """How the newest commit of a table was written."""
    log = Path(lake.path(table)) / "_delta_log" / f"{lake.version(table):020}.json"
    commit = next(json.loads(line)["commitInfo"] for line in log.read_text().splitlines() if "commitInfo" in line)
    return str(commit["operationParameters"]["mode"])


def shelve(lake: Lake, dataset: str, *numbers: int) -> list[tuple[str, int]]:
    lake.replace(SHELVES, lake.spark.createDataFrame([(dataset, n) for n in numbers], SHELVES.ddl()), len(numbers), dataset=dataset)
    return sorted((row.dataset, row.n) for row in Lake(lake.spark, lake.root).read(SHELVES).collect())


def test_first_rows_of_a_dataset_are_appended_and_come_again_after_they_were_deleted(toy: Lake) -> None:
    toy.create(SHELVES)
    assert shelve(toy, "a", 1) == [("a", 1)]
    assert (shelve(toy, "b", 1), _written(toy, SHELVES)) == ([("a", 1), ("b", 1)], "Append")
    assert (shelve(toy, "b", 2), _written(toy, SHELVES)) == ([("a", 1), ("b", 2)], "Overwrite")
    toy.spark.sql(f"DELETE FROM delta.`{toy.path(SHELVES)}` WHERE dataset = 'b'")
    shutil.rmtree(Path(toy.path(SHELVES)) / "dataset=b")  # as VACUUM does
    assert shelve(toy, "b", 3) == [("a", 1), ("b", 3)]  # Delta has taken "first rows of b" before and would take nothing
    (Path(toy.path(SHELVES)) / "x7").mkdir()  # files may lie in folders of another kind, so a folder that lacks says nothing
    assert (shelve(toy, "c", 1), _written(toy, SHELVES)) == ([("a", 1), ("b", 3), ("c", 1)], "Overwrite")


def test_no_rows_in_place_of_none_are_no_commit_and_in_place_of_some_take_them_away(toy: Lake) -> None:
    versions = [(shelve(toy, *row), toy.version(SHELVES))[1] for row in (("a",), ("a", 1), ("b",), ("b", 2), ("a",))]
    assert shelve(toy, "c") == [("b", 2)] and [*versions, toy.version(SHELVES)] == [0, 1, 1, 2, 3, 3]


def test_every_commit_says_which_run_and_configuration_made_it(toy: Lake) -> None:
    toy.append(TOY, rows(toy, ("a", 1, "x")), 1)
    log = Path(toy.path(TOY)) / "_delta_log" / f"{1:020}.json"
    info = next(json.loads(line)["commitInfo"] for line in log.read_text().splitlines() if "commitInfo" in line)
    assert json.loads(info["userMetadata"]) == {"run_id": "toy-run", "config_sha256": "0" * 64, "lake_format": 1}


def test_data_without_a_log_is_damage_and_never_written_over(toy: Lake) -> None:
    toy.append(TOY, rows(toy, ("a", 1, "x")), 1)
    shutil.rmtree(Path(toy.path(TOY)) / "_delta_log")
    later = Lake(toy.spark, toy.root)
    for attempt in (lambda: later.read(TOY), lambda: later.append(TOY, rows(toy, ("a", 2, "x")), 1)):
        with pytest.raises(ContractError, match=r"silver\.toy: .*_delta_log.*Restore"):
            attempt()
    assert not (Path(toy.path(TOY)) / "_delta_log").exists()


@pytest.mark.parametrize(
    "schema",
    [
        pa.schema([("dataset", pa.string()), ("n", pa.int32())]),
        pa.schema([("dataset", pa.string()), ("n", pa.int64()), ("kind", pa.string())]),
        pa.schema([("dataset", pa.string()), ("n", pa.int32()), ("kind", pa.string()), ("more", pa.string())]),
    ],
    ids=["missing", "type", "more"],
)
def test_columns_on_disk_that_are_not_the_specs_are_refused_with_the_difference(toy: Lake, schema: pa.Schema) -> None:
    write_deltalake(toy.path(TOY), pa.Table.from_pylist([{"dataset": "d", "n": 1}], schema=schema))
    with pytest.raises(ContractError, match=r"silver\.toy: the columns on disk are not those .*(kind|n|more)"):
        toy.read(TOY)


def test_rows_for_a_table_that_another_version_made_are_refused_with_what_to_do(toy: Lake) -> None:
    old = pa.schema([("dataset", pa.string()), ("n", pa.int32())])
    write_deltalake(toy.path(TOY), pa.Table.from_pylist([{"dataset": "d", "n": 1}], schema=old))
    for attempt in (
        lambda: toy.append(TOY, rows(toy, ("a", 2, "x")), 1),
        lambda: toy.replace(TOY, rows(toy, ("a", 2, "x")), 1, dataset="a"),
    ):
        with pytest.raises(ContractError, match=r"silver\.toy: .*differ in .*kind.*Move .*toy away: the next run makes the table again"):
            attempt()


GROWN = Table(
    TOY.layer, TOY.name, TOY.comment, TOY.key,
    (*TOY.columns, Column("error", "double", "of n", added=True), Column("errors", "array<float>", "of its parts", added=True)),
)  # fmt: skip


def test_a_table_made_before_a_column_was_added_is_read_with_nulls_and_gains_it_with_its_next_rows(toy: Lake) -> None:
    toy.append(TOY, rows(toy, ("d", 1, "x")), 1)
    later = Lake(toy.spark, toy.root)
    assert [tuple(row) for row in later.read(GROWN).collect()] == [("d", 1, "x", None, None)]
    assert later.version(GROWN) == 1  # reading writes nothing
    more = toy.spark.createDataFrame([("d", 2, "y", 0.5, [0.25, 0.75])], GROWN.ddl())
    later.append(GROWN, more, 1)
    assert later.version(GROWN) == 3  # the columns in one commit, the row in another
    found = {row.n: (row.error, row.errors) for row in Lake(toy.spark, toy.root).read(GROWN).collect()}
    assert found == {1: (None, None), 2: (0.5, [0.25, 0.75])}
    schema = toy.spark.read.format("delta").load(toy.path(GROWN)).schema
    assert schema["error"].metadata["comment"] == "of n" and schema["n"].metadata["comment"] == "a number"
    with pytest.raises(ContractError, match=r"differ in \[\('error', 'double'\)"):
        Lake(toy.spark, toy.root).read(TOY)  # an older version says so and does not guess
    Lake(toy.spark, toy.root).append(GROWN, more.withColumn("n", more.n + 1), 1)
    assert later.version(GROWN) == 4


def test_a_killed_run_between_the_columns_and_the_rows_leaves_a_table_that_goes_on(toy: Lake) -> None:
    toy.append(TOY, rows(toy, ("d", 1, "x")), 1)
    Lake(toy.spark, toy.root).create(GROWN)
    later = Lake(toy.spark, toy.root)
    later.create(GROWN)
    assert later.version(GROWN) == 2
    from py4j.protocol import Py4JJavaError

    bad = toy.spark.createDataFrame([("d", -1, "x", None, None)], GROWN.ddl())
    with pytest.raises(Py4JJavaError, match="n_range"):  # ranges that were there before still hold
        later.append(GROWN, bad, 1)


def _other_writer(batches: Iterator[pa.RecordBatch], path: str, flag: Path, times: int) -> Iterator[pa.RecordBatch]:
    """While our transaction is open, another one rewrites the table; so often as `times` says, counted in a file."""
    for batch in batches:
        done = len(flag.read_text()) if flag.exists() else 0
        if done < times:
            flag.write_text("x" * (done + 1))
            write_deltalake(path, pa.table({"dataset": [f"theirs-{done}"]}, schema=BARE.arrow_schema()), mode="overwrite")
        yield batch


def _contested(lake: Lake, flag: Path, times: int) -> DataFrame:
    path = lake.path(BARE)
    frame = lake.spark.createDataFrame([("ours",)], BARE.ddl())
    return frame.mapInArrow(lambda batches: _other_writer(batches, path, flag, times), BARE.ddl())


def test_a_commit_that_meets_another_writer_is_tried_again_on_what_that_one_left(toy: Lake, tmp_path: Path) -> None:
    toy.append(BARE, toy.spark.createDataFrame([("first",)], BARE.ddl()), 1)
    flag = tmp_path / "flag"
    toy.replace(BARE, _contested(toy, flag, 1), 1)
    assert flag.read_text() == "x"  # the other writer did write in between, so the first attempt must have failed
    assert [row.dataset for row in toy.read(BARE).collect()] == ["ours"]


def test_retries_are_bounded_and_end_in_a_temporary_error(toy: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    from delta.exceptions import ConcurrentAppendException

    waits: list[float] = []
    calls: list[int] = []
    monkeypatch.setattr(door, "time", SimpleNamespace(sleep=waits.append))

    def commit() -> None:
        calls.append(1)
        raise ConcurrentAppendException("another writer")

    with pytest.raises(ConflictError, match=r"silver\.toy: 5 commits in a row"):
        toy._retried(TOY, commit)
    assert len(calls) == CONFLICT_ATTEMPTS
    assert waits == [0.4, 0.8, 1.6, 3.2]  # 0.2 s doubled before each further attempt


def test_every_kind_of_conflict_that_delta_knows_is_retried(toy: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    from delta import exceptions

    monkeypatch.setattr(door, "time", SimpleNamespace(sleep=lambda seconds: None))
    for name in exceptions.__all__:
        left = [getattr(exceptions, name)("another writer"), getattr(exceptions, name)("another writer")]

        def commit(left: list[Exception] = left) -> str:
            if left:
                raise left.pop()
            return "done"

        assert toy._retried(TOY, commit) == "done", name


def test_any_other_error_is_raised_at_once(toy: Lake) -> None:
    calls = []

    def commit() -> None:
        calls.append(1)
        raise ValueError("not a conflict")

    with pytest.raises(ValueError, match="not a conflict"):
        toy._retried(TOY, commit)
    assert calls == [1]


STRICT = Table(TOY.layer, TOY.name, TOY.comment, TOY.key, (*TOY.columns, Column("flag", "boolean", "of n", nullable=False)))
LOOSE = Table(TOY.layer, TOY.name, TOY.comment, TOY.key, (*TOY.columns, Column("flag", "boolean", "of n")))


def test_a_column_that_refused_nulls_takes_them_once_it_is_allowed_to_and_keys_never_do(toy: Lake) -> None:
    toy.append(STRICT, toy.spark.createDataFrame([("d", 1, "x", True)], STRICT.ddl()), 1)
    later, unknown = Lake(toy.spark, toy.root), toy.spark.createDataFrame([("d", 2, "x", None)], LOOSE.ddl())
    with pytest.raises(Exception, match="flag"):
        later.append(LOOSE, unknown, 1)
    assert later.version(LOOSE) == 1
    later.allow_nulls(LOOSE)
    assert later.version(LOOSE) == 2
    later.append(LOOSE, unknown, 1)
    later.allow_nulls(LOOSE)
    assert later.version(LOOSE) == 3  # a second time there is nothing to change
    assert {row.n: row.flag for row in later.read(LOOSE).collect()} == {1: True, 2: None}
    with pytest.raises(Exception, match="dataset"):
        later.append(LOOSE, toy.spark.createDataFrame([(None, 3, "x", True)], LOOSE.ddl()), 1)


def test_a_list_of_values_that_has_grown_is_taken_by_a_table_made_before_once_it_is_asked_for(toy: Lake) -> None:
    wider = replace(TOY, columns=(*TOY.columns[:2], replace(TOY.columns[2], allowed=("x", "y", "z"))))
    toy.append(TOY, rows(toy, ("d", 1, "x")), 1)
    toy.renew_checks(TOY)
    assert toy.version(TOY) == 1  # nothing to change
    later = Lake(toy.spark, toy.root, "later", "0" * 64)
    later.renew_checks(wider)
    later.append(wider, rows(toy, ("d", 2, "z")), 1)
    version = later.version(wider)
    later.renew_checks(wider)
    assert later.version(wider) == version  # a second time neither
    with pytest.raises(Exception, match="kind_range"):
        later.append(wider, rows(toy, ("d", 3, "w")), 1)
    with pytest.raises(Exception, match="n_range"):
        later.append(wider, rows(toy, ("d", -3, "x")), 1)
    assert sorted(row.n for row in later.read(wider).collect()) == [1, 2]
