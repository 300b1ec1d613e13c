"""Does a lake answer without a JVM: by names, through views, reading only, and with errors that help?"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pyarrow.fs import LocalFileSystem

from lake.audit import CELLS
from lake.errors import ConfigError, ContractError, MissingInputError
from pipelines.sql.duck import dataset
from pipelines.sql.query import default_engine, query
from tests.small_lake import NEW, OLD


def asked(root: Path, text: str) -> list[dict[str, Any]]:
    stream = io.StringIO()
    assert query(str(root), text, "duckdb", "json", stream) == 0
    return list(json.loads(stream.getvalue()))


def refused(root: Path, text: str, capsys: pytest.CaptureFixture[str]) -> str:
    stream = io.StringIO()
    assert query(str(root), text, "duckdb", "json", stream) == 2
    assert stream.getvalue() == ""
    return capsys.readouterr().err


def test_the_newest_complete_generation_is_current_for_each_adapter(small_lake: Path):
    # `one` has finished both generations: the newer counts. Of `two` the newer has 0 of 1 rows done: the older counts.
    rows = asked(small_lake, "SELECT adapter_id, settings_id, confidence FROM silver.predictions_current ORDER BY 1")
    assert [tuple(row.values()) for row in rows] == [("one", NEW, 0.625), ("two", OLD, 0.75)]


@pytest.mark.parametrize("table", ["examples", "references", "rejected"])
def test_what_one_ingestion_wrote_is_current_together(small_lake: Path, table: str):
    # audit.cells: bronze.examples has generation 2 under OLD and 1 under NEW; the larger counts, for all three tables.
    assert asked(small_lake, f"SELECT DISTINCT settings_id FROM bronze.{table}_current") == [{"settings_id": OLD}]


def test_the_long_form_has_one_row_per_metric_and_keeps_nulls(small_lake: Path):
    rows = asked(small_lake, "SELECT adapter_id, metric, value FROM silver.explanation_metrics_long ORDER BY metric")
    assert [tuple(row.values()) for row in rows] == [("one", "entropy", 0.25), ("one", "gini", None)]


def test_the_wide_form_drops_from_shallow_to_heavy(small_lake: Path):
    # fog: accuracy 0.8, 0.7, 0.6, 0.5, 0.4 at severities 1..5; medium is 3; (0.8 - 0.4) / 0.8 = 50 %
    (row,) = asked(small_lake, "SELECT shallow, medium, heavy, drop_shallow_heavy, drop_pct FROM gold.degradation_wide")
    assert list(row.values()) == pytest.approx([0.8, 0.6, 0.4, 0.4, 50.0])


def test_tables_are_listed_and_described(small_lake: Path):
    assert {"name": "bronze.references"} in asked(small_lake, "SHOW TABLES")
    assert asked(small_lake, "DESCRIBE bronze.references")[0]["column_name"] == "dataset"


def test_an_unknown_table_names_those_that_are_near(small_lake: Path, capsys: pytest.CaptureFixture[str]):
    error = refused(small_lake, "SELECT * FROM silver.prediction", capsys)
    assert "did you mean silver.predictions" in error and "In this lake: audit.cells, bronze.examples" in error


def test_a_known_table_that_is_not_computed_yet_says_so(small_lake: Path, capsys: pytest.CaptureFixture[str]):
    assert "ood.predictions is not in this lake yet" in refused(small_lake, "SELECT * FROM ood.predictions", capsys)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("DROP TABLE bronze.examples", "must begin with"),
        ("WITH a AS (SELECT 1) INSERT INTO bronze.examples SELECT * FROM a", "must only read, found INSERT"),
        ("SELECT 1; SELECT 2", "one statement"),
        ("SELECT nope FROM bronze.examples", '"nope" not found'),
        ("SELECT * FROM read_text('/etc/hostname')", "disabled by configuration"),
        ("SELECT CAST(label AS INT) FROM bronze.examples", "Could not convert"),
    ],
)
def test_a_query_that_cannot_be_answered_gives_the_reason_without_a_stack(
    small_lake: Path, capsys: pytest.CaptureFixture[str], text: str, why: str
):
    error = refused(small_lake, text, capsys)
    assert why in error and "Traceback" not in error and "\x1b" not in error


def test_a_place_without_a_lake_is_missing_input(tmp_path: Path):
    with pytest.raises(MissingInputError, match="must be a lake"):
        query(str(tmp_path / "nowhere"), "SELECT 1", "duckdb", "table", io.StringIO())


def test_a_table_that_lost_its_log_is_damage_not_absence(small_lake: Path, tmp_path: Path):
    shutil.copytree(small_lake, tmp_path / "lake")
    shutil.rmtree(tmp_path / "lake" / "bronze" / "rejected" / "_delta_log")
    with pytest.raises(ContractError, match=r"bronze\.rejected: .* no readable _delta_log"):
        query(str(tmp_path / "lake"), "SELECT * FROM bronze.rejected", "duckdb", "table", io.StringIO())


def test_a_lake_of_a_newer_format_is_refused(small_lake: Path, tmp_path: Path):
    shutil.copytree(small_lake, tmp_path / "lake")
    (tmp_path / "lake" / "_assay.json").write_text('{"format": 2}')
    with pytest.raises(ContractError, match="Upgrade Assay"):
        query(str(tmp_path / "lake"), "SELECT * FROM bronze.rejected", "duckdb", "table", io.StringIO())


def test_a_path_that_deltalake_misreads_goes_to_spark(tmp_path: Path):
    assert default_engine(str(tmp_path / "a%20b")) == "spark" == default_engine("s3a://bucket/lake")
    assert default_engine(str(tmp_path / "a 100%")) == "duckdb"
    with pytest.raises(ConfigError, match="--engine spark"):
        query(str(tmp_path / "a%20b"), "SELECT 1", "duckdb", "table", io.StringIO())


def test_the_threads_that_read_files_need_no_python(small_lake: Path):
    # A LIMIT leaves them behind: with a file system in Python, 6 of 26 commands hung or crashed when the interpreter ended.
    found = dataset(str(small_lake), CELLS, None)
    assert isinstance(found.filesystem.base_fs, LocalFileSystem)
    assert found.count_rows() == 6


def test_no_part_of_spark_is_imported_for_duckdb(small_lake: Path):
    ask = "query(sys.argv[1], 'SELECT 1 FROM audit.cells', None, 'csv', sys.stdout)"
    code = f"import sys; from pipelines.sql.query import query; {ask}; print('pyspark' in sys.modules)"
    command = [sys.executable, "-c", code, str(small_lake)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert done.stdout.splitlines()[-1] == "False"
