"""Does Spark answer as DuckDB does, without a write; are names moved between lakes; does a lake describe itself once?"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from lake.audit import META_COLUMNS, META_TABLES
from lake.catalog import register
from lake.describe import describe
from lake.door import FORMAT_VERSION, Lake
from lake.errors import ContractError
from lake.format import FILE, check_format
from pipelines.sql.query import Engine, query
from pipelines.tables import TABLES, VIEWS
from tests.small_lake import OLD, example, write_small_lake, write_table

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def small_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lake ü # 5%")  # every path that is legal must work
    write_small_lake(root)
    return root


def asked(root: Path, text: str, engine: Engine) -> list[dict[str, Any]]:
    stream = io.StringIO()
    assert query(str(root), text, engine, "json", stream) == 0
    return sorted(json.loads(stream.getvalue()), key=json.dumps)


@pytest.mark.parametrize(
    "name",
    [
        "bronze.examples_current",
        "bronze.references_current",
        "bronze.rejected_current",
        "silver.predictions_current",
        "silver.explanation_metrics_current",
        "silver.explanation_metrics_long",
        "gold.degradation_wide",
    ],
)
def test_both_engines_give_the_same_answer(spark: SparkSession, small_lake: Path, name: str):
    text = f"SELECT * FROM {name}"
    assert asked(small_lake, text, "spark") == asked(small_lake, text, "duckdb")


def test_reading_leaves_no_trace_in_the_lake(spark: SparkSession, small_lake: Path):
    before = {path: path.stat().st_mtime_ns for path in small_lake.rglob("*")}
    asked(small_lake, "SHOW TABLES IN silver", "spark")
    assert {path: path.stat().st_mtime_ns for path in small_lake.rglob("*")} == before


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("SELECT * FROM silver.prediction", "did you mean silver.predictions"),
        ("SELECT nope FROM bronze.examples", "nope"),
        ("SELECT 1; SELECT 2", "extra input"),
        ("WITH a AS (SELECT 1) INSERT INTO bronze.examples SELECT * FROM a", "must only read, found InsertIntoStatement"),
        ("WITH a AS (SELECT 1) FROM a INSERT INTO bronze.examples SELECT *", "must only read, found InsertIntoStatement"),
    ],
)
def test_a_query_that_cannot_be_answered_gives_the_reason_without_a_stack(
    spark: SparkSession, small_lake: Path, capfd: pytest.CaptureFixture[str], text: str, why: str
):
    assert query(str(small_lake), text, "spark", "table", io.StringIO()) == 2
    error = capfd.readouterr().err
    assert why in error
    assert "Traceback" not in error and "stacktrace" not in error and "\tat org.apache" not in error


def test_an_error_while_rows_are_read_ends_as_one_message(spark: SparkSession, small_lake: Path, capsys: pytest.CaptureFixture[str]):
    assert query(str(small_lake), "SELECT CAST(label AS INT) FROM bronze.examples", "spark", "table", io.StringIO()) == 2
    error = capsys.readouterr().err  # what this process says; Spark's own log of the failed task is the operator's to set
    assert error.startswith("[CAST_INVALID_INPUT]") and "\tat " not in error


def test_names_move_to_the_lake_asked_last_and_leave_when_it_lacks_them(spark: SparkSession, small_lake: Path, tmp_path: Path):
    from bronze.specs import EXAMPLES

    write_table(tmp_path, EXAMPLES, [example("z", OLD, "other")])
    register(spark, str(small_lake), TABLES, VIEWS, {"gold.degradation", "bronze.examples_current"})
    found = register(spark, str(tmp_path), TABLES, VIEWS, {"gold.degradation", "bronze.examples", "bronze.examples_current"})
    assert found == ("bronze.examples",)
    assert [row.example_id for row in spark.sql("SELECT example_id FROM bronze.examples").collect()] == ["z"]
    assert not spark.catalog.tableExists("gold.degradation")
    assert not spark.catalog.tableExists("bronze.examples_current")
    assert asked(small_lake, "SELECT COUNT(*) AS n FROM gold.degradation", "duckdb") == [{"n": 6}]  # forgetting a name deletes no data


def test_a_managed_table_in_the_way_is_never_dropped(spark: SparkSession, small_lake: Path, tmp_path: Path):
    spark.sql(f"CREATE DATABASE IF NOT EXISTS meta LOCATION '{tmp_path}/meta.db'")
    spark.sql("CREATE TABLE meta.tables (x int) USING parquet")
    try:
        with pytest.raises(ContractError, match=r"meta\.tables .* managed table"):
            register(spark, str(small_lake), TABLES, VIEWS, {"meta.tables"})
        assert spark.table("meta.tables").columns == ["x"]
    finally:
        spark.sql("DROP TABLE meta.tables")


def test_a_lake_describes_itself_once_and_again_only_when_specs_changed(spark: SparkSession, tmp_path: Path):
    lake = Lake(spark, str(tmp_path))
    describe(lake, TABLES, VIEWS)
    first = (lake.version(META_TABLES), lake.version(META_COLUMNS))
    assert lake.read(META_TABLES).count() == len(TABLES) + len(VIEWS)
    assert lake.read(META_COLUMNS).count() == sum(len(table.columns) for table in TABLES)
    describe(Lake(spark, str(tmp_path)), TABLES, VIEWS)
    assert (lake.version(META_TABLES), lake.version(META_COLUMNS)) == first
    describe(lake, TABLES, VIEWS[1:])
    assert lake.read(META_TABLES).count() == len(TABLES) + len(VIEWS) - 1
    assert lake.version(META_COLUMNS) == first[1]


def test_a_new_lake_is_marked_a_torn_mark_healed_and_a_newer_one_refused(spark: SparkSession, tmp_path: Path):
    storage, mark = Lake(spark, str(tmp_path / "new")).storage, tmp_path / "new" / FILE
    check_format(storage)
    assert json.loads(mark.read_text()) == {"format": FORMAT_VERSION}
    storage.write_text(str(mark), "")  # killed while marking
    check_format(storage)
    assert json.loads(mark.read_text()) == {"format": FORMAT_VERSION}
    storage.write_text(str(mark), json.dumps({"format": FORMAT_VERSION + 1}))
    with pytest.raises(ContractError, match="Upgrade Assay"):
        check_format(storage)
    assert json.loads(mark.read_text()) == {"format": FORMAT_VERSION + 1}
