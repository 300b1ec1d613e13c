"""Does a query about an earlier state read each table as it stood then, and say which versions there are when there is none?"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import CommitProperties, write_deltalake

from gold.tables.degradation import SPEC as DEGRADATION
from lake.audit import RUNS
from pipelines.sql.answer import QueryError
from pipelines.sql.as_of import Commit, commit, pinned
from pipelines.sql.duck import commits
from pipelines.sql.query import query
from silver.specs import PREDICTIONS

# Three commits of one table, two of the other; each run ends with its row in audit.runs.
LOG = {
    DEGRADATION: [Commit(0, 100, "a"), Commit(1, 200, "a"), Commit(2, 400, "b")],
    PREDICTIONS: [Commit(3, 150, "a"), Commit(4, 350, "b")],  # versions 0 to 2 were cleaned away
    RUNS: [Commit(0, 250, "a"), Commit(1, 450, "b")],
}
BOTH = (DEGRADATION, PREDICTIONS)


def at(as_of: str, named: bool = True, tables: tuple[Any, ...] = BOTH) -> dict[str, int]:
    return pinned(as_of, tables, lambda table: LOG.get(table, []), named)


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ("run:a", (1, 3)),  # a ended at 250: of 100, 200, 400 the newest is 200, of 150, 350 it is 150
        ("run:b", (2, 4)),
        ("1970-01-01T00:00:00.200", (1, 3)),  # 200 ms: a commit of that very instant counts
        ("1970-01-01T01:00:00.399+01:00", (1, 4)),
        ("2020-01-01", (2, 4)),
    ],
)
def test_every_table_is_read_at_its_newest_version_of_that_time(as_of: str, expected: tuple[int, int]) -> None:
    assert at(as_of) == dict(zip((table.full_name for table in BOTH), expected, strict=True))


def test_a_number_is_that_version_of_each_table() -> None:
    assert at("1", tables=(DEGRADATION, RUNS)) == {"gold.degradation": 1, "audit.runs": 1}


@pytest.mark.parametrize("as_of", ["1", "5", "1970-01-01T00:00:00.149"])
def test_a_version_that_is_not_there_is_refused_with_the_table_and_its_versions(as_of: str) -> None:
    with pytest.raises(QueryError, match=r"silver\.predictions has nothing as of .*versions are 3 \(1970.*to 4 "):
        at(as_of, tables=(PREDICTIONS,))


def test_a_table_that_nobody_named_is_left_out_instead() -> None:
    assert at("1", named=False) == {"gold.degradation": 1}


def test_a_clock_that_was_set_back_brings_no_version_forward() -> None:
    log = [Commit(0, 100, None), Commit(1, 300, None), Commit(2, 120, None)]
    assert pinned("1970-01-01T00:00:00.200", [DEGRADATION], lambda _: log, True) == {"gold.degradation": 0}


@pytest.mark.parametrize(
    ("as_of", "why"),
    [("yesterday", "takes a version number"), ("-1", "takes a version number"), ("3000-01-01", "has passed"), ("run:c", "did: b, a")],
)
def test_what_is_no_earlier_state_is_refused_with_the_reason(as_of: str, why: str) -> None:
    with pytest.raises(QueryError, match=why):
        at(as_of)


@pytest.mark.parametrize("note", [None, "words", "[1]", '{"run_id": 3}'])
def test_another_writers_note_is_no_run(note: str | None) -> None:
    assert commit(7, {"timestamp": 5, "userMetadata": note}) == Commit(7, 5, None)


def write(root: Path, table: Any, rows: list[dict[str, object]], run: str) -> None:
    note = CommitProperties(custom_metadata={"userMetadata": json.dumps({"run_id": run})})
    batch = pa.Table.from_pylist(rows, schema=table.arrow_schema())
    write_deltalake(str(root / table.layer / table.name), batch, mode="append", commit_properties=note)


def test_a_run_is_found_by_its_note_in_the_log_and_the_lake_read_as_it_left_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"dataset": "d", "adapter_id": "one", "corruption": "none", "severity": 0, "accuracy": 0.5, "n": 2, "settings_id": "s"}
    for number, run in enumerate(("first", "second")):
        write(tmp_path, DEGRADATION, [row | {"severity": number}], run)
        write(tmp_path, RUNS, [{"run_id": run}], run)
    assert [made.run_id for made in commits(str(tmp_path), DEGRADATION)] == ["first", "second"]

    def count(as_of: str | None, name: str = "gold.degradation") -> list[dict[str, int]]:
        stream = io.StringIO()
        assert query(str(tmp_path), f"SELECT COUNT(*) AS n FROM {name}", "duckdb", "json", stream, as_of) == 0
        return list(json.loads(stream.getvalue()))

    assert [count(as_of) for as_of in ("run:first", "run:second", None)] == [[{"n": 1}], [{"n": 2}], [{"n": 2}]]
    assert count("run:first", "gold.degradation_wide") == [{"n": 0}]  # the view reads its table as of then: no corruption yet
    assert query(str(tmp_path), "SELECT 1 FROM gold.degradation", "duckdb", "json", io.StringIO(), "7") == 2
    assert "gold.degradation has nothing as of 7: its versions are 0" in capsys.readouterr().err
