"""Does a lake whose runs were killed, on other machines' settings, end as one that was never disturbed?

One lake is brought up by three processes that are killed with -9, each at another moment, and each with another number of partitions, Arrow
batch size, hash seed and time zone, and then by the command in this process. So one chain shows both laws, at the price of one.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gold import TABLES as GOLD
from lake.audit import CELLS, REJECTED
from lake.spec import Table
from pipelines.__main__ import main
from pipelines.tables import TABLES
from silver.specs import ADAPTERS
from tests.conftest import Built
from tests.forecast_arrived import handled
from tests.lakes import NOT_COMPARED, RECIPES, present, rows_of, stored, versions, write_config

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
KILLS = (
    # moment, partitions, rows of an Arrow batch, PYTHONHASHSEED, TZ
    ("training", "local[1]", 7, "1", "Asia/Tokyo"),
    ("staged", "local[1]", 64, "2", "America/New_York"),
    ("committed", "local[3]", 5, "3", "Pacific/Chatham"),
)


MOMENT_TABLES = ("silver.adapters", "silver.explanation_metrics", "ood.predictions")


@dataclass(frozen=True)
class Survivor:
    """The lake at the end of the chain: its versions after each kill, what the last run printed, what stood there before it."""

    root: Path
    after: dict[str, dict[str, int]]
    code: int
    stdout: str
    adapters_after_first_kill: list[str]
    leases: list[bool]


def environment(master: str, seed: str, zone: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "ASSAY_MASTER": master, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"}


@pytest.fixture(scope="module")
def survivor(spark: SparkSession, built: Built, tmp_path_factory: pytest.TempPathFactory) -> Survivor:
    folder = tmp_path_factory.mktemp("killed")
    root = folder / "lake"
    config = write_config(folder / "config.yaml", built.tree)
    after: dict[str, dict[str, int]] = {}
    adapters, leases = [], []
    for moment, master, batch_rows, seed, zone in KILLS:
        command = [sys.executable, str(ROOT / "tests" / "faults" / "child.py"), moment, str(config), str(root), str(batch_rows)]
        child = subprocess.run(
            command, cwd=folder, env=environment(master, seed, zone), capture_output=True, text=True, timeout=300, check=False
        )
        assert child.returncode == -signal.SIGKILL, (
            f"{moment}: the child must die at its moment, it ended with {child.returncode}\n{child.stderr}"
        )
        after[moment] = versions(root)
        leases.append((root / "_lease.json").exists())
        adapters = adapters or sorted(path.parent.name for path in root.glob("_artifacts/adapters/*/[!.]*/manifest.json"))
    with handled(), contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()) as told:
        code = main(["run", config.name, "--lake", root.name, "--run-id", "the-last-one", "--quiet"])
    return Survivor(root, after, code, told.getvalue(), adapters, leases)


@pytest.fixture(scope="module")
def line(survivor: Survivor) -> dict[str, Any]:
    assert survivor.code == 0
    found: dict[str, Any] = json.loads(survivor.stdout.rstrip("\n").split("\n")[-1])
    return found


def test_each_kill_hit_its_moment(survivor: Survivor) -> None:
    # A table's version 0 creates it; each chunk is one commit more.
    n_commits = {moment: {name: found.get(name, 0) for name in MOMENT_TABLES} for moment, found in survivor.after.items()}
    assert survivor.adapters_after_first_kill
    assert n_commits["training"] == dict.fromkeys(MOMENT_TABLES, 0)
    assert n_commits["staged"]["silver.explanation_metrics"] == 1  # the second chunk was staged and never committed
    assert n_commits["staged"]["ood.predictions"] == 0
    assert n_commits["committed"]["ood.predictions"] == 1
    assert survivor.leases == [True, True, True]  # and each left its lease, which the next one took over at once


def test_the_last_run_ends_well_and_its_last_line_says_what_it_did(line: dict[str, Any]) -> None:
    assert set(line) >= {"run_id", "verdict", "seconds", "tables"}
    assert (line["run_id"], line["verdict"]) == ("the-last-one", "done")
    fields = {"version_before", "version_after", "rows_written", "rows_rejected", "rows_skipped"}
    assert all(set(table) == fields for table in line["tables"].values())


def test_what_was_committed_before_a_kill_is_not_computed_again(built: Built, survivor: Survivor, line: dict[str, Any]) -> None:
    n_all = stored(built.root, next(table for table in TABLES if table.full_name == "ood.predictions")).num_rows
    ood = line["tables"]["ood.predictions"]
    assert ood["rows_written"] + ood["rows_skipped"] == n_all
    assert 0 < ood["rows_written"] < n_all
    for name in ("silver.predictions", "silver.attributions", "silver.explanation_metrics"):
        assert line["tables"][name]["rows_written"] == 0 and line["tables"][name]["rows_skipped"] > 0


def test_two_trainings_of_one_recipe_give_the_same_tensors(built: Built, survivor: Survivor, line: dict[str, Any]) -> None:
    # trained apart, in processes of other hash seeds, time zones and numbers of workers
    mine, theirs = ({row["name"]: row["weights_sha256"] for row in rows_of(root, ADAPTERS)} for root in (built.root, survivor.root))
    names = [recipe["name"] for recipe in RECIPES]
    assert [mine[name] for name in names] == [theirs[name] for name in names]
    assert len({mine[name] for name in names}) == len(names)  # and another seed gives others


COMPARED = [table for table in TABLES if table.full_name not in NOT_COMPARED and table.layer != "meta"]


@pytest.mark.parametrize("table", COMPARED, ids=lambda table: table.full_name)
def test_every_table_ends_as_in_a_lake_that_was_never_disturbed(
    built: Built, survivor: Survivor, line: dict[str, Any], table: Table, equal_rows: Callable[..., None]
) -> None:
    if table not in present(built.root):  # made by its first rows, and this data has none
        assert table not in present(survivor.root)
        return
    expected, found = rows_of(built.root, table), rows_of(survivor.root, table)
    if table in [gold.spec for gold in GOLD]:
        # Spark adds doubles in the order of its partitions: sums over rows differ in the last bits (2^-53 relative each).
        equal_rows(found, expected, rel=1e-12)
    else:
        assert found == expected


def test_nothing_of_the_dead_runs_is_left_behind(survivor: Survivor, line: dict[str, Any]) -> None:
    left = [path for path in survivor.root.rglob("*") if path.name.startswith(".pending-") or path.name == "_lease.json"]
    assert left == []
    assert not any(path.is_file() for path in (survivor.root / "_staging").rglob("*"))


def test_no_key_stands_twice_after_the_kills(survivor: Survivor, line: dict[str, Any]) -> None:
    for table in (*(table for table in COMPARED if table in present(survivor.root)), CELLS, REJECTED):
        keys = [tuple(map(str, row)) for row in zip(*(stored(survivor.root, table)[name].to_pylist() for name in table.key), strict=True)]
        assert len(set(keys)) == len(keys), table.full_name
