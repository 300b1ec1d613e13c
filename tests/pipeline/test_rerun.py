"""Does the scheduled job bring in the adapters that have come since, and nothing else?"""

from __future__ import annotations

import json
import runpy
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bronze.specs import EXAMPLES
from silver.specs import PREDICTIONS
from tests.adapter_folders import edit_tensors
from tests.conftest import Built
from tests.lakes import GOOD_FOREIGN, files_of, rows_of, stored, write_config

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
ROOT = Path(__file__).resolve().parents[2]
Rerun = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def rerun(spark: SparkSession, capsys: pytest.CaptureFixture[str]) -> Iterator[Rerun]:
    """(arguments of the job) -> its exit code and JSON line, on the session of the tests."""
    before = signal.getsignal(signal.SIGTERM)
    main = runpy.run_path(str(ROOT / "jobs" / "rerun_new_adapters.py"))["main"]

    def call(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
        code = main([str(argument) for argument in arguments])
        return code, json.loads(capsys.readouterr().out.splitlines()[-1])

    yield call
    signal.signal(signal.SIGTERM, before)


def test_without_a_new_adapter_there_is_nothing_to_do_and_no_file_changes(copied: Built, tmp_path: Path, rerun: Rerun) -> None:
    # The fixture's lake has no meta tables yet (they describe it to SQL users): a command writes them once.
    def computed() -> dict[str, object]:
        return {name: found for name, found in files_of(copied.root).items() if name.split("/")[0] in ("bronze", "silver", "ood", "gold")}

    before = computed()
    code, line = rerun(write_config(tmp_path / "same.yaml", copied.tree), "--lake", copied.root, "--quiet")
    assert (code, line["verdict"]) == (0, "nothing_to_do")
    assert {name.split(".")[0] for name in line["tables"]} >= {"silver", "ood", "gold"}  # all three were looked at
    assert computed() == before


def test_a_folder_that_has_come_since_is_brought_through(copied: Built, tmp_path: Path, rerun: Rerun) -> None:
    # Gold is computed again for every new adapter (test_forecast.py): left out here, it costs most of the time.
    known = Path(copied.tree["adapters"]["folders"][0]) / GOOD_FOREIGN
    shutil.copytree(known, tmp_path / "arrived" / "fresh")
    edit_tensors(tmp_path / "arrived" / "fresh", lambda tensors: {n: 0.5 * t if "lora_B" in n else t for n, t in tensors.items()})
    adapters = copied.tree["adapters"] | {"folders": [*copied.tree["adapters"]["folders"], str(tmp_path / "arrived")]}
    config = write_config(tmp_path / "more.yaml", copied.tree | {"adapters": adapters})
    n_before, n_meta = stored(copied.root, PREDICTIONS).num_rows, sum(row["split"] == "meta" for row in rows_of(copied.root, EXAMPLES))
    code, line = rerun(config, "--lake", copied.root, "--layers", "silver", "--quiet")
    assert (code, line["verdict"]) == (0, "done")
    table = line["tables"][PREDICTIONS.full_name]
    assert (table["rows_written"], table["rows_skipped"]) == (n_meta, n_before)


def test_new_pictures_are_no_rerun(copied: Built, sources: Path, tmp_path: Path, rerun: Rerun) -> None:
    shutil.copytree(sources, tmp_path / "grown")
    shutil.copyfile(sources / "1" / "digit-001.png", tmp_path / "grown" / "1" / "another.png")
    tree = copied.tree | {"source": copied.tree["source"] | {"root": str(tmp_path / "grown")}}
    code, _ = rerun(write_config(tmp_path / "grown.yaml", tree), "--lake", copied.root, "--quiet")
    assert code == 78
