"""Does status say what is there and how far it is, from logs and ledger alone?"""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from bronze.specs import EXAMPLES
from lake.audit import RUNS
from lake.errors import MissingInputError
from pipelines.status import size_text, status, table_line
from silver.specs import ADAPTERS
from tests.small_lake import OLD, write_small_lake, write_table


def test_status_shows_format_tables_adapters_cells_rejections_and_runs(tmp_path: Path):
    write_small_lake(tmp_path)
    (tmp_path / "_assay.json").write_text('{"format": 1}\n')
    adapter = {"dataset": "d", "settings_id": OLD, "name": "n", "backbone": "b", "labels": ["cat"], "status": "ready"}
    write_table(tmp_path, ADAPTERS, [adapter | {"adapter_id": name} for name in ("one", "two")])
    run = {"command": "run", "dataset": "d", "config_sha256": "c", "config": "{}", "versions": [], "verdict": "done", "run_id": "run-7"}
    write_table(tmp_path, RUNS, [run])
    stream = io.StringIO()
    assert status(str(tmp_path), stream) == 0
    words = [line.split() for line in stream.getvalue().splitlines()]
    assert words[0][-2:] == ["format", "1"]
    assert ["d", "ready", "2"] in words  # two adapters
    # silver.predictions: 2 generations x 2 adapters, one cell with 0 of 1 rows done
    assert ["d", "silver.predictions", "2", "4", "3", "3", "4"] in words
    assert ["d", "truncated", "2"] in words
    assert any(line[:3] == ["run-7", "d", "done"] for line in words)


def test_rows_and_version_of_a_table_come_from_its_log(small_lake: Path):
    name, rows, version, _ = table_line(str(small_lake), EXAMPLES)
    assert (name, rows, version) == ("bronze.examples", 2, 0)  # two examples in one commit


def test_sizes_are_written_for_people():
    assert [size_text(n) for n in (0, 999, 1000, 1_250_000, 3 * 10**12)] == ["0 B", "999 B", "1.0 kB", "1.2 MB", "3.0 TB"]


def test_a_place_without_a_lake_is_missing_input(tmp_path: Path):
    with pytest.raises(MissingInputError, match="must be a lake"):
        status(str(tmp_path), io.StringIO())
