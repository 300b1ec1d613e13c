"""Is a new adapter's forecast stored before it is tried, kept to the bit when its truth comes, and computed alike however it is cut?"""

from __future__ import annotations

import io
import json
import runpy
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import gold.forecast.build as build
import pipelines.run as run_module
from gold.forecast.arrival.build import Arrival
from gold.forecast.arrival.score import RISKS, risks, score
from gold.forecast.forecaster import newest
from gold.forecast.inputs import ForecastInputs
from gold.forecast.settings import ForecastSettings
from gold.forecast.tables import TABLES
from gold.forecast.tables.forecast_check import SPEC as CHECK
from gold.forecast.tables.forecasts import SPEC as FORECASTS
from lake.audit import CELLS
from lake.door import Lake
from lake.errors import ContractError, MissingInputError
from lake.ledger import Ledger
from ood.specs import PREDICTIONS as OOD_PREDICTIONS
from pipelines.arrival import forecast_adapter
from pipelines.run import Outcome, Pipeline
from silver.specs import ADAPTERS, EXPLANATION_METRICS, PREDICTIONS
from tests.adapter_folders import edit_tensors
from tests.conftest import Built
from tests.lakes import GOOD_FOREIGN, RECIPES, config_of, files_of, rows_of, stored

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
ROOT = Path(__file__).resolve().parents[2]
CELLS_TRIED = 6  # two corruptions at three severities
SAID = ("predicted_failure_rate", "ci_low", "ci_high", "upper_bound", "cell_mean", "forecaster", "run_id", "n", "reason")
TRUTH = ("observed_failure_rate", "atc", "doc")


@dataclass(frozen=True)
class Arrived:
    """A copy of the finished lake: an adapter is foretold, foretold again, and brought through by a run that fails in gold and one more."""

    root: Path
    adapter_id: str
    without: str
    first: tuple[Outcome, Arrival]
    ahead: list[dict[str, Any]]
    again: tuple[int, str, str]
    changed: bool
    tried: Arrival
    refused: tuple[int, str, str]
    after_failure: list[dict[str, Any]]
    last: Outcome
    inputs: ForecastInputs
    settings: ForecastSettings


def told(root: Path) -> list[dict[str, Any]]:
    """gold.forecasts, volatile columns too."""
    return stored(root, FORECASTS).to_pylist()


def computed(root: Path) -> dict[str, object]:
    """Files of the lake but those of the audit and of the meta tables, which a command writes once."""
    return {
        name: found for name, found in files_of(root).items() if name.split("/")[0] in ("bronze", "silver", "ood", "gold", "_artifacts")
    }


@contextmanager
def handled() -> Iterator[None]:
    """What a command does to SIGTERM is undone."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="module")
def arrived(spark: SparkSession, built: Built, run: Callable[..., Outcome], tmp_path_factory: pytest.TempPathFactory) -> Arrived:
    folder = tmp_path_factory.mktemp("arrived")
    root = Path(shutil.copytree(built.root, folder / "lake"))
    fresh = Path(shutil.copytree(Path(built.tree["adapters"]["folders"][0]) / GOOD_FOREIGN, folder / "offered" / "fresh"))
    edit_tensors(fresh, lambda tensors: {name: 0.5 * t if "lora_B" in name else t for name, t in tensors.items()})
    config = config_of(folder / "config.yaml", built.tree)

    def foretold(adapter: Path, run_id: str) -> tuple[Outcome, Arrival]:
        return forecast_adapter(Pipeline(Lake(spark, str(root), run_id, config.sha256), config), adapter)

    kept = root / "_artifacts" / "forecasters"
    kept.rename(folder / "aside")
    with pytest.raises(MissingInputError) as without:
        foretold(fresh, "run-without")
    (folder / "aside").rename(kept)
    first = foretold(fresh, "run-ahead")
    ahead = [row for row in told(root) if row["origin"] == "ahead"]
    before = computed(root)
    with handled(), pytest.MonkeyPatch.context() as patched:
        again = _command(patched, folder / "config.yaml", root, fresh)
        changed = computed(root) != before
        (folder / "nothing").mkdir()
        refused = _command(patched, folder / "config.yaml", root, folder / "nothing")
    trained = next(path for path in sorted((root / "_artifacts" / "adapters" / "small").iterdir()) if path.name.startswith("r2-s1"))
    tried = foretold(trained, "run-tried")[1]
    more = built.tree | {"adapters": built.tree["adapters"] | {"folders": [*built.tree["adapters"]["folders"], str(fresh.parent)]}}
    caught: list[tuple[Any, ...]] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(run_module, "build_gold", _fails)
        with pytest.raises(ContractError):
            run(root, more, "run", "run-failing")
        after_failure = rows_of(root, CELLS)
        patched.undo()
        patched.setattr(run_module, "build_forecasts", lambda *given: (caught.append(given), build.build_forecasts(*given)))
        last = run(root, more, "run", "run-truth")
    _, _, inputs, settings, _ = caught[0]
    return Arrived(
        root, first[1].rows["adapter_id"].iloc[0], str(without.value), first, ahead, again, changed, tried, refused, after_failure, last,
        inputs, settings,
    )  # fmt: skip


def _fails(*_: object) -> None:
    raise ContractError("as if gold were broken")


def _command(patched: pytest.MonkeyPatch, config: Path, root: Path, adapter: Path) -> tuple[int, str, str]:
    """What jobs/forecast.py answers: exit code, stdout, stderr."""
    main = runpy.run_path(str(ROOT / "jobs" / "forecast.py"))["main"]
    out, err = io.StringIO(), io.StringIO()
    patched.setattr(sys, "stdout", out)
    patched.setattr(sys, "stderr", err)
    code = main([str(config), "--adapter", str(adapter), "--lake", str(root)])
    patched.undo()
    return code, out.getvalue(), err.getvalue()


def test_a_run_leaves_every_table_of_the_forecast_with_rows_and_one_forecaster(built: Built) -> None:
    assert {table.name: stored(built.root, table).num_rows > 0 for table in TABLES} == dict.fromkeys((t.name for t in TABLES), True)
    n_adapters = len(RECIPES) + 1
    assert stored(built.root, FORECASTS).num_rows == n_adapters * CELLS_TRIED
    cells = {row["table_name"]: (row["n_done"], row["n_expected"]) for row in rows_of(built.root, CELLS)}
    assert {t.name: cells[t.full_name] for t in TABLES} == {t.name: (stored(built.root, t).num_rows,) * 2 for t in TABLES}
    forecaster = newest(built.root / "_artifacts" / "forecasters" / "small")
    assert forecaster is not None and forecaster.spec.n_adapters == n_adapters and len(forecaster.spec.cells) == CELLS_TRIED


def test_forecasts_agree_with_counting_and_with_the_mean_of_the_other_adapters(built: Built) -> None:
    right: dict[tuple[str, str, int], list[bool]] = {}
    for row in rows_of(built.root, OOD_PREDICTIONS):
        right.setdefault((row["adapter_id"], row["corruption"], row["severity"]), []).append(row["is_correct"])
    wrong = {cell: 1 - sum(answers) / len(answers) for cell, answers in right.items()}
    for row in told(built.root):
        cell = (row["corruption"], row["severity"])
        assert row["observed_failure_rate"] == pytest.approx(wrong[row["adapter_id"], *cell], abs=1e-12)
        others = [rate for (adapter, *own), rate in wrong.items() if tuple(own) == cell and adapter != row["adapter_id"]]
        # the mean is over examples of the other half of the examples, so it is near the whole's, not on it
        assert row["cell_mean"] == pytest.approx(sum(others) / len(others), abs=0.15)


def test_a_new_adapters_rows_are_stored_ahead_without_truth_and_name_their_forecaster(arrived: Arrived, built: Built) -> None:
    outcome, arrival = arrived.first
    assert outcome.verdict == "done" and arrival.is_new and not arrival.is_tried
    assert len(arrived.ahead) == CELLS_TRIED and {row["adapter_id"] for row in arrived.ahead} == {arrived.adapter_id}
    forecaster = newest(built.root / "_artifacts" / "forecasters" / "small")
    assert forecaster is not None
    n_meta = sum(row["adapter_id"] == arrived.adapter_id for row in rows_of(arrived.root, PREDICTIONS))
    rates = {(name, severity): rate for name, severity, rate in forecaster.spec.cells}
    for row in arrived.ahead:
        assert (row["origin"], row["forecaster"], row["run_id"], row["n"]) == ("ahead", forecaster.identity, "run-ahead", n_meta)
        assert [row[name] for name in TRUTH] == [None, None, None]
        assert 0 <= row["predicted_failure_rate"] <= 1 and row["cell_mean"] == rates[row["corruption"], row["severity"]]
        assert row["ci_low"] is row["ci_high"] is row["upper_bound"] is None and "at least 8" in row["reason"]  # three adapters


def test_a_second_forecast_says_nothing_to_do_and_changes_nothing(arrived: Arrived) -> None:
    code, shown, _ = arrived.again
    line = json.loads(shown.splitlines()[-1])
    assert (code, line["verdict"]) == (0, "nothing_to_do") and not arrived.changed
    written = {name: table["rows_written"] for name, table in line["tables"].items() if name.split(".")[0] not in ("meta", "audit")}
    assert "silver.predictions" in written and set(written.values()) == {0}
    assert "fresh: share of wrong answers to expect" in shown and "stored before it is tried" in shown
    first = min(arrived.ahead, key=lambda row: (row["corruption"], row["severity"]))
    assert f"{100 * first['predicted_failure_rate']:.1f}" in shown


def test_a_folder_that_is_no_adapter_is_65_with_the_reason(arrived: Arrived) -> None:
    code, _, message = arrived.refused
    assert code == 65 and "cannot be used: bad_config: adapter 'nothing' must hold adapter_config.json" in message
    assert [row["status"] for row in rows_of(arrived.root, ADAPTERS) if row["name"] == "nothing"] == ["rejected"]


def test_without_a_forecaster_the_way_to_one_is_told(arrived: Arrived) -> None:
    assert "no forecaster for small" in arrived.without and "`assay run`" in arrived.without


def test_an_adapter_that_was_tried_gets_no_forecast_ahead(arrived: Arrived) -> None:
    assert arrived.tried.is_tried and not arrived.tried.is_new
    assert set(arrived.tried.rows["origin"]) == {"held_out"} and len(arrived.tried.rows) == CELLS_TRIED


def test_when_the_truth_comes_what_was_said_stays_to_the_bit(arrived: Arrived) -> None:
    assert arrived.last.verdict == "done"
    rows = {(row["corruption"], row["severity"]): row for row in told(arrived.root) if row["adapter_id"] == arrived.adapter_id}
    assert {row["origin"] for row in rows.values()} == {"ahead"} and len(rows) == CELLS_TRIED
    for before in arrived.ahead:
        after = rows[before["corruption"], before["severity"]]
        assert {name: after[name] for name in SAID} == {name: before[name] for name in SAID}  # ==, not approx
        assert all(0 <= after[name] <= 1 for name in TRUTH)
    answers = [row for row in rows_of(arrived.root, OOD_PREDICTIONS) if row["adapter_id"] == arrived.adapter_id]
    for (corruption, severity), row in rows.items():
        mine = [one["is_correct"] for one in answers if (one["corruption"], one["severity"]) == (corruption, severity)]
        assert row["observed_failure_rate"] == pytest.approx(1 - sum(mine) / len(mine), abs=1e-12)


def test_the_check_holds_the_stored_forecast_against_its_truth(arrived: Arrived) -> None:
    ahead = {row["estimator"]: row for row in rows_of(arrived.root, CHECK) if row["origin"] == "ahead"}
    assert set(ahead) == {"forecast", "cell_mean", "atc", "doc"}
    rows = [row for row in told(arrived.root) if row["origin"] == "ahead"]
    bias = sum(row["predicted_failure_rate"] - row["observed_failure_rate"] for row in rows) / len(rows)
    assert ahead["forecast"]["bias"] == pytest.approx(bias, abs=1e-12)
    assert (ahead["forecast"]["n_adapters"], ahead["forecast"]["n"]) == (1, CELLS_TRIED)
    assert "too few adapters" in ahead["forecast"]["sentence"]


def test_a_run_that_failed_late_costs_the_next_one_no_row(arrived: Arrived) -> None:
    """Its notes are not committed: what ended within 15 s of the last commit is counted again, no more (docs/decisions/0022)."""
    for table in (PREDICTIONS, EXPLANATION_METRICS, OOD_PREDICTIONS):
        counts = arrived.last.tables[table.full_name]
        assert counts["rows_written"] == 0 and counts["rows_skipped"] == stored(arrived.root, table).num_rows
    now = rows_of(arrived.root, CELLS)
    assert all(row["n_done"] == row["n_expected"] for row in now)
    mine = [row for row in now if row["adapter_id"] == arrived.adapter_id and row["table_name"] == OOD_PREDICTIONS.full_name]
    assert len(mine) == 1 + CELLS_TRIED
    left = [row for row in arrived.after_failure if row["table_name"].startswith("gold.")]
    assert left and all(row["n_done"] == row["n_expected"] for row in left)  # gold was not touched, so it still is what it was


def _partitioned(spark: SparkSession, n: int, work: Callable[[], Any]) -> Any:
    names = {"spark.sql.shuffle.partitions": str(n), "spark.sql.adaptive.enabled": "false"}
    before = {name: spark.conf.get(name) for name in names}
    try:
        for name, value in names.items():
            spark.conf.set(name, value)
        return work()
    finally:
        for name, value in before.items():
            spark.conf.set(name, str(value))


def test_one_and_four_partitions_give_the_same_rows(arrived: Arrived, spark: SparkSession) -> None:
    lake = Lake(spark, str(arrived.root))
    one, four = (_partitioned(spark, n, lambda: build._computed(lake, arrived.inputs, arrived.settings)) for n in (1, 4))
    assert one == four and all(one[kind] for kind in build.KINDS) and one["forecaster"]


def test_spark_and_one_machine_score_alike(arrived: Arrived, spark: SparkSession) -> None:
    folder = arrived.root / "_artifacts" / "forecasters" / "small"
    forecaster = newest(folder)
    assert forecaster is not None
    rows = build.clean_rows(Lake(spark, str(arrived.root)), arrived.inputs, arrived.settings, embedded=False)
    where = str(folder / forecaster.identity)

    def work(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        return partial(score, folder=where)(frames)

    key = ["example_id", "adapter_id", "corruption", "severity"]
    spread = rows.repartition(5).mapInPandas(work, RISKS).toPandas().sort_values(key, ignore_index=True)
    alone = risks(rows.toPandas(), forecaster).sort_values(key, ignore_index=True)
    pd.testing.assert_frame_equal(spread, alone, check_exact=True)
    assert len(alone) == CELLS_TRIED * rows.count() and alone["risk"].between(0, 1).all()


class Killed(BaseException):
    """Nothing in the product catches it: what is on disk is what kill -9 leaves."""


MOMENTS = (("save", 0), ("point", 0), ("replace", 1))  # right after the folder, the pointer, two of the tables


def forecast_rows(root: Path) -> dict[str, list[dict[str, Any]]]:
    return {table.name: rows_of(root, table) for table in TABLES}


def _die_after(patched: pytest.MonkeyPatch, name: str, number: int) -> None:
    """Right after the call `number` (from 0) of a step of the build."""
    inner, seen = getattr(build, name), []

    def watched(*given: Any) -> Any:
        found = inner(*given)
        seen.append(name)
        if len(seen) > number:
            raise Killed(name)
        return found

    patched.setattr(build, name, watched)


def test_killed_between_folder_pointer_and_tables_the_next_run_gives_the_same_tables(
    arrived: Arrived, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(shutil.copytree(arrived.root, tmp_path / "lake"))
    folder = root / "_artifacts" / "forecasters" / "small"
    was, pointed = forecast_rows(root), (folder / "current").read_text()
    other = arrived.settings.model_copy(update={"seed": 7})

    def bring(settings: ForecastSettings) -> dict[str, int]:
        lake = Lake(spark, str(root))
        build.build_forecasts(lake, Ledger(lake, "small"), arrived.inputs, settings, folder)
        return {name.removeprefix("gold."): counts["rows_written"] for name, counts in lake.report().items() if name.startswith("gold.")}

    assert set(bring(arrived.settings).values()) == {0}  # what the run left is complete
    for name, number in MOMENTS:
        with monkeypatch.context() as patched:
            _die_after(patched, name, number)
            with pytest.raises(Killed):
                bring(other)
    half = forecast_rows(root)
    assert half["forecast_comparison"] != was["forecast_comparison"] and half["forecasts"] == was["forecasts"]
    # with the first settings again: a ledger that still called them done would leave two tables and the pointer of the others
    assert set(bring(arrived.settings).values()) == {len(rows) for rows in was.values()}
    assert forecast_rows(root) == was and (folder / "current").read_text() == pointed
    assert bring(other) == {name: len(rows) for name, rows in forecast_rows(root).items()}
    assert (folder / "current").read_text() != pointed and forecast_rows(root) != was


def test_dates_apart_no_table_names_the_run_that_failed(arrived: Arrived) -> None:
    runs = {row["run_id"] for row in told(arrived.root)}
    assert runs == {None, "run-ahead"}
