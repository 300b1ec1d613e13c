"""Does a real cluster, with nothing but the shipped archive, write the tables of an embedded run, also when a worker dies on the way?

One `scripts/cluster check` is the price of all laws here: it starts a master and two workers, submits, compares and stops. The job is the
shipped one, with one Python worker killed in the middle of a task of ood.predictions (killing_job.py).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bronze.specs import EXAMPLES
from gold import TABLES as GOLD
from gold.provenance.tables import TABLES as PROVENANCE
from lake.audit import CELLS
from ood.specs import PREDICTIONS as OOD_PREDICTIONS
from pipelines.tables import TABLES
from silver.specs import ADAPTERS
from tests.conftest import INTERPRETED
from tests.lakes import NOT_COMPARED, RECIPES, present, rows_of, settings, stored, write_config

pytestmark = [pytest.mark.spark, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
OPERATORS_OWN = "spark.sql.execution.arrow.maxRecordsPerBatch=5"  # Assay's own choice is 64
CHEAPER = [
    word for name, value in INTERPRETED.items() for word in ("--conf", f"{name}={value}")
]  # of the cluster; the embedded run compiles
N_ADAPTERS, N_CELLS = len(RECIPES), 1 + 3 * 3  # clean; KI's three corruptions at three severities


@dataclass(frozen=True)
class Checked:
    """What `scripts/cluster check` said, the two lakes, what the witnesses saw, and which of the processes were alive afterwards."""

    code: int
    stdout: str
    stderr: str
    cluster: Path
    embedded: Path
    driver: dict[str, Any]
    tasks: dict[tuple[int, int], dict[str, Any]]
    left: list[int]


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    folder = tmp_path_factory.mktemp("cluster")
    witness = folder / "witness"
    witness.mkdir()
    tree = settings(folder, None) | {
        "dataset": "tiny",
        "source": {"reader": "digits", "limit": 60},
        "explanations": {"groups": [{"preset": "ki", "controls": ["random"]}]},
        "corruptions": {"names": ["ki"]},
        "exemplars": {"heads": [{"name": "slots", "hidden": 8, "training": {"epochs": 2, "batch_size": 16}}]},
        "forecast": settings(folder, None)["forecast"] | {"protocols": ["grouped"]},
        "execution": {"chunk_rows": 10_000},
    }
    config = write_config(folder / "tiny.yaml", tree)
    command = [str(ROOT / "scripts" / "cluster"), "check", str(config), "--folder", str(folder / "run"), "--conf", OPERATORS_OWN]
    command += CHEAPER
    command += ["--job", str(ROOT / "tests" / "cluster" / "killing_job.py")]
    for kind in ("cluster", "embedded"):  # what an earlier check has left
        (folder / "run" / kind / "lake").mkdir(parents=True)
        (folder / "run" / kind / ".made-by-cluster-check").touch()
        (folder / "run" / kind / "lake" / "older").touch()
    answer = subprocess.run(
        command, cwd=folder, env=os.environ | {"WITNESS": str(witness)}, capture_output=True, text=True, timeout=420, check=False
    )
    tasks = {}
    for path in witness.glob("task-*.json"):
        _, partition, attempt, _ = path.stem.split("-")
        tasks[int(partition), int(attempt)] = json.loads(path.read_text())
    driver = witness / "driver.json"
    left = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit() and str(folder / "run") in _command(path)]
    return Checked(
        answer.returncode, answer.stdout, answer.stderr, folder / "run" / "cluster" / "lake", folder / "run" / "embedded" / "lake",
        json.loads(driver.read_text()) if driver.exists() else {}, tasks, left,
    )  # fmt: skip


def _command(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def test_the_script_starts_runs_compares_and_stops(checked: Checked) -> None:
    assert checked.code == 0, checked.stdout + checked.stderr[-3000:]
    verdicts = re.findall(r"^(equal|differs)  (\S+)  (\d+) rows", checked.stdout, re.MULTILINE)
    assert {name for _, name, _ in verdicts} == {table.full_name for table in present(checked.embedded)} - set(NOT_COMPARED)
    assert {said for said, _, _ in verdicts} == {"equal"}
    lines = [json.loads(line) for line in checked.stdout.splitlines() if line.startswith("{")]
    assert [line["verdict"] for line in lines] == ["done", "done"]
    assert (
        not (checked.cluster / "older").exists() and not (checked.embedded / "older").exists()
    )  # lakes of its own, not an earlier check's
    assert checked.left == []  # neither daemon nor executor


# These pictures have no rows of these: what is rejected, what is told of texts and of priors, of inputs of no class, and of networks, which
# are not asked for here: heads are.
EMPTY = {"rejected", "priors", "attacked_texts", "outside_predictions", "out_of_scope"}
EMPTY |= {table.name for table in PROVENANCE} - {"provenance_summary", "provenance_verdict"}
COMPARED = [table for table in TABLES if table.full_name not in NOT_COMPARED and table.layer != "meta"]


@pytest.mark.parametrize("table", COMPARED, ids=lambda table: table.full_name)
def test_every_table_of_the_cluster_is_that_of_the_embedded_run(checked: Checked, table: Any, equal_rows: Callable[..., None]) -> None:
    # beside the script's own comparison, by the code that compares lakes elsewhere in these tests
    if table not in present(checked.embedded):  # made by its first rows, and this data has none
        assert table not in present(checked.cluster)
        return
    expected, found = rows_of(checked.embedded, table), rows_of(checked.cluster, table)
    assert expected or table.name in EMPTY or table.name.startswith(("cap_hybrid_", "prior_"))
    if table in [*(gold.spec for gold in GOLD), *PROVENANCE]:
        equal_rows(found, expected, rel=1e-12)  # Spark adds doubles in the order of its partitions
    else:
        assert found == expected


def test_the_rooms_come_from_the_shipped_archive_on_driver_and_workers(checked: Checked) -> None:
    archive = r".*/assay-[\d.]+\.zip/"
    assert re.match(archive + r"pipelines/command\.py", checked.driver["file"])
    assert checked.driver["conf"]["spark.executorEnv.PYTHONPATH"] is None
    for task in checked.tasks.values():
        assert re.match(archive + r"ood/score\.py", task["file"])
        assert str(checked.cluster.parent.parent / "worker-") in task["file"]  # the worker's own copy, not the driver's file
        assert str(ROOT) not in task["path"]
        assert task["cwd"].startswith(str(checked.cluster.parent.parent / "worker-"))


def test_both_workers_scored(checked: Checked) -> None:
    places = {re.search(r"/(worker-\d)/", task["cwd"]) for task in checked.tasks.values()}
    assert {found[1] for found in places if found} == {"worker-1", "worker-2"}


def test_what_the_operator_set_is_kept_and_what_he_left_open_is_filled(checked: Checked) -> None:
    name, value = OPERATORS_OWN.split("=")
    assert checked.driver["conf"][name] == value
    assert checked.driver["conf"]["spark.sql.extensions"] == "io.delta.sql.DeltaSparkSessionExtension"
    assert checked.driver["conf"]["spark.app.name"] == "killing_job.py"  # spark-submit's, not ours


def test_a_worker_killed_in_the_middle_of_a_task_is_retried_with_the_same_rows(checked: Checked) -> None:
    first, second = checked.tasks[0, 0], checked.tasks[0, 1]
    assert 0 < first["n"] < second["n"]  # rows had left the worker when it died, and more were to come
    assert second["examples"][: len(first["examples"])] == first["examples"]
    n_meta = sum(row["split"] == "meta" for row in rows_of(checked.cluster, EXAMPLES))
    done = [task["examples"] for (partition, attempt), task in checked.tasks.items() if (partition, attempt + 1) not in checked.tasks]
    assert sorted(example for examples in done for example in examples) == sorted(
        row["example_id"] for row in rows_of(checked.cluster, EXAMPLES) if row["split"] == "meta"
    )
    assert stored(checked.cluster, OOD_PREDICTIONS).num_rows == n_meta * N_ADAPTERS * N_CELLS
    logs = (checked.cluster.parent.parent).glob("worker-*/work/*/*/stderr")
    assert any("Python worker exited unexpectedly" in log.read_text(errors="replace") for log in logs)


def test_the_models_lie_in_the_folder_of_the_configuration_and_not_in_the_lake(checked: Checked) -> None:
    assert not (checked.cluster / "_artifacts").exists()
    folders = sorted(path.name.rsplit("-", 1)[0] for path in (checked.cluster.parent / "artifacts" / "adapters" / "tiny").iterdir())
    assert folders == sorted(recipe["name"] for recipe in RECIPES) == sorted(row["name"] for row in rows_of(checked.cluster, ADAPTERS))
    assert stored(checked.cluster, CELLS).num_rows
