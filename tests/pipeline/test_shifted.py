"""Are labelled data of the user's own tried on every adapter beside the corruptions, at their own cost alone, and seen in gold?"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sklearn.datasets import load_digits

from bronze.specs import EXAMPLES, METADATA, REJECTED, SHIFTED
from gold import TABLES as GOLD
from lake.audit import CELLS
from lake.door import Lake
from ood.specs import PREDICTIONS
from pipelines.plan.dry_run import counted
from pipelines.run import Outcome, Pipeline
from silver.specs import ADAPTERS
from silver.specs import PREDICTIONS as CLEAN
from tests.conftest import Built
from tests.lakes import RECIPES, THIRD, config_of, rows_of, versions
from tests.shifted_sources import CAMERAS, GOOD, REJECTED_SHIFTED, make_shifted, shifted

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

NATURAL = "natural:negative"
N_ADAPTERS = len(RECIPES) + 1
N = len(GOOD)
SPECS = {table.spec.name: table.spec for table in GOLD}


@dataclass(frozen=True)
class Shifted:
    """A copy of the finished lake with a shifted source, run again, and then with one more adapter."""

    root: Path
    first: Outcome
    rows: dict[str, list[dict[str, Any]]]
    second: Outcome
    versions: tuple[dict[str, int], dict[str, int]]
    third: Outcome
    cells: list[dict[str, Any]]
    planned: tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]

    def natural(self, table: str) -> list[dict[str, Any]]:
        return [row for row in self.rows[table] if row["corruption"] == NATURAL]


@pytest.fixture(scope="module")
def found(spark: SparkSession, built: Built, run: Callable[..., Outcome], tmp_path_factory: pytest.TempPathFactory) -> Shifted:
    folder = tmp_path_factory.mktemp("shifted")
    root = Path(shutil.copytree(built.root, folder / "lake"))
    tree = built.tree | {"shifted": [shifted(make_shifted(folder / "negative"))]}

    def plan() -> dict[str, tuple[int, int]]:
        config = config_of(folder / "plan.yaml", tree)
        tables = counted(Pipeline(Lake(spark, str(root), "plan", config.sha256), config)).tables
        return {table.full_name: counts for table, counts in tables.items()}

    planned = plan()
    first = run(root, tree, "run", "run-shifted")
    planned_after = plan()
    tables = {table.full_name: table for table in (SHIFTED, METADATA, REJECTED, PREDICTIONS, EXAMPLES, *SPECS.values())}
    rows = {name: rows_of(root, table) for name, table in tables.items()}
    before = versions(root)
    second = run(root, tree, "run", "run-shifted-again")
    after = versions(root)
    more = tree | {"adapters": tree["adapters"] | {"recipes": [*RECIPES, THIRD]}}
    third = run(root, more, "run", "run-third", ("bronze", "silver", "ood"))  # gold: test_forecast.py
    return Shifted(root, first, rows, second, (before, after), third, rows_of(root, CELLS), (planned, planned_after))


def test_every_usable_input_is_a_row_of_its_own_table_and_every_other_is_rejected_with_its_reason(found: Shifted) -> None:
    rows = found.rows["bronze.shifted"]
    assert [row["source_paths"] for row in sorted(rows, key=lambda row: int(row["source_paths"][0].split("#")[1]))] == [
        [f"list.csv#{place}"] for place in range(N)
    ]
    assert {row["corruption"] for row in rows} == {NATURAL}
    truth = Counter(str(load_digits().target[number]) for number in GOOD)
    assert Counter(row["label"] for row in rows) == truth and all(str(row["label_id"]) == row["label"] for row in rows)
    refused = {row["source_path"]: row["error_code"] for row in found.rows["bronze.rejected"] if row["source_path"].startswith("natural:")}
    assert refused == {f"{NATURAL}/{place}": code for place, code in REJECTED_SHIFTED.items()}
    assert found.first.tables["bronze.shifted"]["rows_rejected"] == len(REJECTED_SHIFTED)


def test_a_dry_run_counts_them_before_and_after(found: Shifted) -> None:
    before, after = found.planned
    done = len(found.rows["ood.predictions"]) - N * N_ADAPTERS
    usable = N + 2  # that the dataset holds one and that one is no picture, only reading tells
    assert (before["bronze.shifted"], before["ood.predictions"]) == ((usable, 0), (usable * N_ADAPTERS, done))
    assert (after["bronze.shifted"], after["ood.predictions"]) == ((0, N), (0, done + N * N_ADAPTERS))


def test_nothing_learns_from_them_and_the_datasets_own_rows_stay_as_they_were(found: Shifted, built: Built) -> None:
    own = {row["example_id"] for row in found.rows["bronze.shifted"]}
    assert not own & {row["example_id"] for row in found.rows["bronze.examples"]}
    for table in (EXAMPLES, ADAPTERS, CLEAN):
        assert found.first.tables[table.full_name]["rows_written"] == 0
    before = rows_of(built.root, PREDICTIONS)
    assert [row for row in found.rows["ood.predictions"] if row["corruption"] != NATURAL] == before
    assert {row["settings_id"] for row in before} == {row["settings_id"] for row in found.natural("ood.predictions")}


def test_every_adapter_answers_each_of_them_once_without_a_clean_counterpart(found: Shifted) -> None:
    rows, labels = found.natural("ood.predictions"), {row["example_id"]: row["label_id"] for row in found.rows["bronze.shifted"]}
    assert len({(row["example_id"], row["adapter_id"]) for row in rows}) == len(rows) == N * N_ADAPTERS
    for row in rows:
        assert (row["severity"], row["parameter"], row["flipped"]) == (1, None, None)
        assert row["is_correct"] == (row["predicted_id"] == labels[row["example_id"]])


def test_a_second_run_finds_nothing_to_do_and_a_new_adapter_costs_itself_alone(found: Shifted) -> None:
    assert found.second.verdict == "nothing_to_do" and found.versions[0] == found.versions[1]
    n_meta = sum(row["split"] == "meta" for row in found.rows["bronze.examples"])
    assert found.third.tables["ood.predictions"]["rows_written"] == 7 * n_meta + N
    assert found.third.tables["bronze.shifted"]["rows_written"] == found.third.tables["bronze.metadata"]["rows_written"] == 0
    cells = {row["adapter_id"]: (row["n_done"], row["n_expected"]) for row in found.cells if row["corruption"] == NATURAL}
    assert len(cells) == N_ADAPTERS + 2 and cells.pop("*") and set(cells.values()) == {(N, N)}  # bronze's own under *


def test_gold_has_them_beside_the_synthetic_cells(found: Shifted) -> None:
    right = Counter(row["adapter_id"] for row in found.natural("ood.predictions") if row["is_correct"])
    for row in found.natural("gold.degradation"):
        assert (row["severity"], row["n"], row["accuracy"]) == (1, N, pytest.approx(right[row["adapter_id"]] / N))
        assert row["flip_rate"] is None and row["reason"] == "no clean counterpart, so no flip rate"
    assert len(found.natural("gold.degradation")) == len(found.natural("gold.worst_corruption")) == N_ADAPTERS
    assert {row["flip_rate"] for row in found.natural("gold.worst_corruption")} == {None}
    [setting] = found.natural("gold.corruption_settings")
    assert (setting["value"], setting["parameter"], setting["expected_impact"]) == (None, None, "data of the user's own")
    assert (setting["n"], setting["reason"]) == (N * N_ADAPTERS, None)
    corrupted = Counter(row["adapter_id"] for row in found.rows["ood.predictions"] if row["severity"] > 0 and row["is_correct"])
    ready = {row["adapter_id"]: row for row in found.rows["gold.adapter_summary"] if row["n"]}
    n_meta = sum(row["split"] == "meta" for row in found.rows["bronze.examples"])
    for name, row in ready.items():
        assert (row["n"], row["n_examples"]) == (6 * n_meta + N, n_meta)  # one more cell, by its rows
        assert row["accuracy"] == pytest.approx(corrupted[name] / (6 * n_meta + N)) and row["flip_rate"] is not None


def test_learners_leave_them_out_and_count_them(found: Shifted, built: Built) -> None:
    # what was incomplete before is so still
    before = {(row["protocol"], row["model"]): row for row in rows_of(built.root, SPECS["classifier_comparison"])}
    for row in found.rows["gold.classifier_comparison"]:
        old = before[row["protocol"], row["model"]]
        assert row["n_incomplete"] == old["n_incomplete"] + N * N_ADAPTERS
        assert (row["n"], row["roc_auc"]) == (old["n"], pytest.approx(old["roc_auc"]))
    correlations = {(row["feature"], row["scope"]): row["n"] for row in rows_of(built.root, SPECS["correlations"])}
    assert {(row["feature"], row["scope"]): row["n"] for row in found.rows["gold.correlations"]} == correlations


def test_slices_are_of_labels_and_of_each_metadata_column(found: Shifted) -> None:
    cameras = {row["example_id"]: row["value"] for row in found.rows["bronze.metadata"] if row["field"] == "camera"}
    assert len(cameras) == N and sorted(map(str, set(cameras.values()))) == ["", *CAMERAS]
    answers = found.natural("ood.predictions")
    expected: dict[tuple[str, str, str], list[bool]] = {}
    serials = {row["example_id"]: row["value"] for row in found.rows["bronze.metadata"] if row["field"] == "serial"}
    for row in answers:
        for column, values in (("camera", cameras), ("serial", serials)):
            expected.setdefault((row["adapter_id"], column, values[row["example_id"]]), []).append(row["is_correct"])
    slices = [row for row in found.natural("gold.slices") if row["slice_by"] != "label"]
    assert {(row["adapter_id"], row["slice_by"], row["slice"]): (row["n"], row["accuracy"]) for row in slices} == {
        key: (len(right), pytest.approx(sum(right) / len(right))) for key, right in expected.items()
    }
    assert {row["slice_by"] for row in found.natural("gold.slices")} == {"label", "camera", "serial"}
