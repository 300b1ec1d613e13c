"""Does the results page say what the lake holds, with intervals that count a picture once, and a verdict in words?"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression

from lake.audit import RUNS
from lake.errors import ContractError, MissingInputError
from lake.identity import canonical_json
from ood.specs import PREDICTIONS as OOD_PREDICTIONS
from pipelines.config import load_config
from silver.specs import ADAPTERS, PREDICTIONS
from tests.conftest import Built
from tests.lakes import config_of, rows_of
from tests.small_lake import write_table

ROOT = Path(__file__).resolve().parent.parent


# Intervals.


def test_a_mean_over_pictures_has_students_interval_and_one_picture_says_nothing(script: Callable[[str], Any]) -> None:
    values = [0.2, 0.4, 0.9, 0.5]
    found = script("results_intervals").averaged(values)
    low, high = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert (found.value, found.low, found.high, found.n) == (pytest.approx(0.5), pytest.approx(low), pytest.approx(high), 4)
    one = script("results_intervals").averaged([0.7])
    assert (one.value, one.low, one.high) == (0.7, 0.0, 1.0)


def test_pictures_that_all_say_the_same_leave_wilsons_doubt(script: Callable[[str], Any]) -> None:
    # Wilson at 83 of 83: 1 / (1 + z² / n) = 1 / (1 + 3.8415 / 83) = 0.9558
    found = script("results_intervals").averaged(np.ones(83))
    assert (found.value, found.low, found.high) == (1.0, pytest.approx(0.9558, abs=1e-4), 1.0)


def test_rows_of_one_picture_count_as_one_draw(script: Callable[[str], Any]) -> None:
    # Two pictures, one always right, one never: however many rows each has, nothing is known but that they differ.
    rows = [{"example_id": e, "wrong": w, "n": n} for e, w, n in (("a", 0, 50), ("a", 0, 50), ("b", 100, 100))]
    found = script("results_intervals").failed(pd.DataFrame(rows), "wrong")
    assert (found.value, found.low, found.high, found.n) == (0.5, 0.0, 1.0, 2)


def test_the_multiple_of_the_probe_is_paired_over_pictures(script: Callable[[str], Any]) -> None:
    probe = np.array([True, False] * 50)
    same = script("results_intervals").times_the_probe(probe, probe)
    assert (same.value, same.low, same.high) == (1.0, 1.0, 1.0)  # the same answers: no resample can tell them apart
    always = script("results_intervals").times_the_probe(np.ones(100, dtype=bool), probe)
    assert always.value == 2.0
    assert 1.6 < always.low < 2.0 < always.high < 2.6  # 1 / share of right among 100 draws at 0.5: 1 / (0.5 ± 0.1)
    assert script("results_intervals").times_the_probe(probe, np.zeros(100, dtype=bool)).value == float("inf")


# The probe.


def pictures(script: Callable[[str], Any], seed: int, n: int, wide: int, apart: float = 1.2) -> Any:
    noise = np.random.default_rng(seed)
    labels = noise.integers(0, 3, n)
    pixels = noise.normal(size=(n, wide)) + apart * np.eye(3, wide)[labels]
    return script("results_probe").Pictures(tuple(f"{seed}-{i}" for i in range(n)), labels.astype(np.int64), pixels)


@pytest.mark.parametrize("wide", [40, 400])  # fewer and more numbers per picture than the 120 training pictures
def test_the_probe_answers_as_plain_logistic_regression_on_the_pixels_does(script: Callable[[str], Any], wide: int) -> None:
    train, val, meta = (pictures(script, seed, n, wide) for seed, n in ((0, 120), (1, 90), (2, 80)))
    found = script("results_probe").probe(train, val, meta)
    models = {c: LogisticRegression(C=c, max_iter=2000, tol=1e-6).fit(train.pixels, train.labels) for c in (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)}
    accuracies = {c: float((model.predict(val.pixels) == val.labels).mean()) for c, model in models.items()}
    assert accuracies[found.c] == max(accuracies.values()) == pytest.approx(found.val_accuracy)
    assert found.c == min(c for c, accuracy in accuracies.items() if accuracy == max(accuracies.values()))
    assert found.right.tolist() == (models[found.c].predict(meta.pixels) == meta.labels).tolist()
    assert (found.n_train, found.n_val, found.ids) == (120, 90, meta.ids)


def test_of_strengths_that_answer_alike_the_probe_takes_the_smallest(script: Callable[[str], Any]) -> None:
    found = script("results_probe").probe(*(pictures(script, seed, 60, 8, apart=50.0) for seed in (0, 1, 2)))
    assert (found.val_accuracy, found.c) == (1.0, 1e-5)  # so far apart that every strength is always right


@pytest.mark.parametrize(
    ("right", "accuracies", "says"),
    [
        (30, [0.62, 0.60], "Usable: every adapter reaches twice the probe (0.600)"),
        (31, [0.62, 0.60], "Usable in part: 1 of 2 adapters reach twice the probe (0.620), the highest 0.620; 1 stay below, "),
        (32, [0.62, 0.60], "Unusable: all 2 adapters stay below twice the probe (0.640): a 0.620, b 0.600."),
        (51, [0.99, 0.98], "The rule does not apply: twice the probe's accuracy is 1.020"),
    ],
)
def test_a_backbone_is_called_usable_in_part_or_unusable_in_words_when_adapters_stay_below_twice_the_probe(
    script: Callable[[str], Any], right: int, accuracies: list[float], says: str
) -> None:
    probe = script("results_probe").Probe(tuple(map(str, range(100))), np.arange(100) < right, 0.1, 0.5, 10, 10)
    adapters = pd.DataFrame({"name": ["a", "b"], "clean_accuracy": accuracies})
    findings = type("Findings", (), {"adapters": adapters})()
    assert script("results_page").verdict(findings, probe).startswith(says)


# What the forecast table allows to say.


def learner(protocol: str, model: str, cv: float, auc: float, low: float, high: float) -> dict[str, Any]:
    row = {"protocol": protocol, "model": model, "cv_auc_mean": cv, "roc_auc": auc, "ci_low": low, "ci_high": high}
    return row | {"confidence_auc": 0.75}


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [(0.60, 0.74, "do not beat it"), (0.76, 0.80, "rank better than it"), (0.70, 0.80, "does not show that explanations alone beat it")],
)
def test_the_reading_follows_from_the_interval_and_the_learner_is_chosen_on_training_rows(
    script: Callable[[str], Any], low: float, high: float, says: str
) -> None:
    rows = [learner("grouped", "best on test", 0.60, 0.9, 0.85, 0.95), learner("grouped", "best in training", 0.70, 0.7, low, high)]
    text = script("results_forecast").reading(pd.DataFrame([*rows, learner("ki", "best in training", 0.8, 0.78, 0.7, 0.8)]))
    assert text.startswith("**Reading.** best in training was the best learner")
    assert says in text
    assert "0.780: +0.080 that is not foresight" in text  # 0.78 of the leaky split minus 0.70


# Seconds, commands, charts.


def test_a_stage_gets_the_time_since_the_runs_commit_before_it(script: Callable[[str], Any]) -> None:
    runs = script("results_runs")
    first = [runs.Commit(second, "one", stage) for second, stage in ((10.0, "examples"), (14.0, "adapters"), (20.0, "adapters"))]
    killed = [runs.Commit(second, "killed", stage) for second, stage in ((100.0, "adapters"), (103.0, "gold"))]
    found = runs.stage_seconds([*first, *killed], {"one": 7.0})
    # examples 10 - 7; adapters (14 - 10) + (20 - 14), of the killed run only what lies between its commits: gold 103 - 100
    assert (found["examples"], found["adapters"], found["gold"], found["attributions"]) == (3.0, 10.0, 3.0, 0.0)


def test_the_command_names_the_file_and_the_keys_that_differ_from_it(script: Callable[[str], Any]) -> None:
    used = json.loads(canonical_json(load_config(ROOT / "configs" / "cifar10.yaml", ("source.limit=50", "gold.forest.trees=7"))))
    used["source"]["root"] = "/another/machine"
    for recipe in used["adapters"]["recipes"]:
        recipe["epochs"] = 77
    found = script("results_runs").command(ROOT, used, "lakes/cifar")
    changes = "--set adapters.defaults.epochs=77 --set gold.forest.trees=7 --set source.limit=50"
    assert found == f"assay run configs/cifar10.yaml --lake lakes/cifar {changes}"
    used["adapters"]["recipes"][0]["epochs"] = 1  # not the same for all: no default says it
    assert "--set 'adapters.recipes=[{" in script("results_runs").command(ROOT, used, "lakes/cifar")
    assert "not in configs/" in script("results_runs").command(ROOT, used | {"dataset": "unheard_of"}, "lakes/cifar")


def test_a_heat_map_has_a_cell_per_value_and_escapes_names(script: Callable[[str], Any]) -> None:
    draw = script("results_chart").heatmap
    text = draw("a < b", "n = 3", ["r1", "r2"], ["<script>"], [[0.0], [None]], 10.0)
    assert "a &lt; b" in text and "&lt;script&gt;" in text and "<script>" not in text
    assert text.count("fill='#e6e6e6'") == 1  # the value that is not there
    assert "#f7fbff" in text  # 0 of 10: the palest
    with pytest.raises(ValueError, match="2 x 1"):
        draw("t", "", ["r1", "r2"], ["c"], [[1.0]], 10.0)


# The page of a real lake.


@pytest.mark.spark
def test_the_page_says_what_the_lake_holds(copied: Built, script: Callable[[str], Any], tmp_path: Path) -> None:
    built, out = copied, tmp_path / "page.md"
    config = canonical_json(config_of(tmp_path / "small.yaml", built.tree))
    run = {"run_id": "run-first", "command": "run", "dataset": "small", "config_sha256": "c" * 64, "config": config, "verdict": "done"}
    more = {"versions": [("torch", "9.9")], "seconds": 12.0, "started_at": datetime(2026, 1, 2, tzinfo=UTC), "tables": "{}"}
    write_table(built.root, RUNS, [run | more])
    assert script("results").main(["--lake", str(built.root), "--out", str(out)]) == 0
    text = out.read_text()
    assert "| `run-first` | 2026-01-02 | run | done | 12 |" in text and "Versions: torch 9.9." in text
    assert "Other runs that wrote here, counted from their first commit on: run-train." in text
    ready = {row["adapter_id"]: row["name"] for row in rows_of(built.root, ADAPTERS) if row["status"] == "ready"}
    clean, shifted = rows_of(built.root, PREDICTIONS), rows_of(built.root, OOD_PREDICTIONS)
    for adapter_id, name in ready.items():
        right = [row["is_correct"] for row in clean if row["adapter_id"] == adapter_id]
        wrong = [not row["is_correct"] for row in shifted if row["adapter_id"] == adapter_id and row["severity"] > 0]
        line = next(line for line in text.splitlines() if line.startswith(f"| {name} |"))
        assert f"| {np.mean(right):.3f} (" in line and f"| {np.mean(wrong):.3f} (" in line
    contrast = [row["is_correct"] for row in shifted if (row["corruption"], row["severity"]) == ("ki_contrast", 3)]
    assert any(line.startswith("| ki_contrast |") and f" {np.mean(contrast):.3f} (" in line for line in text.splitlines())
    assert f"n = {len(clean) // len(ready)} pictures of meta" in text
    assert str(built.root.parent) not in text  # no machine's own paths
    assert (tmp_path / "page" / "small-adapters.svg").is_file() and (tmp_path / "page" / "small-severity.svg").is_file()


@pytest.mark.spark
def test_a_lake_whose_runs_were_stopped_before_their_record_still_has_a_page(
    built: Built, script: Callable[[str], Any], tmp_path: Path
) -> None:
    out = tmp_path / "page.md"
    assert script("results").main(["--lake", str(built.root), "--out", str(out), "--no-probe"]) == 0
    assert "No run of this dataset is on record" in out.read_text()
    assert "No verdict on the backbone" in out.read_text()


@pytest.mark.spark
def test_gold_of_another_generation_is_refused(built: Built, script: Callable[[str], Any]) -> None:
    read = script("results_read")
    findings = read.read(built.root, "small")
    moved = findings.degradation.assign(accuracy=1.0 - findings.degradation["accuracy"])
    with pytest.raises(ContractError, match="must agree"):
        read.require_one_generation(replace(findings, degradation=moved))


@pytest.mark.spark
def test_one_dataset_of_two_lakes_is_refused(built: Built, script: Callable[[str], Any], tmp_path: Path) -> None:
    out = tmp_path / "page.md"
    assert script("results").main(["--lake", str(built.root), "--lake", str(built.root), "--out", str(out), "--no-probe"]) == 78
    assert not out.exists()


@pytest.mark.spark
def test_a_dataset_that_no_lake_holds_is_named(
    built: Built, script: Callable[[str], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "page.md"
    assert script("results").main(["--lake", str(built.root), "--dataset", "other", "--out", str(out), "--no-probe"]) == 78
    assert "--dataset: no lake holds other" in capsys.readouterr().err and not out.exists()


def test_the_learner_that_gains_most_by_the_leak_is_named(script: Callable[[str], Any]) -> None:
    rows = [("a", "ki", 0.7), ("a", "grouped", 0.72), ("b", "ki", 0.75), ("b", "grouped", 0.64), ("c", "ki", 0.9)]
    told = script("results_forecast")._widest_leak(pd.DataFrame(rows, columns=["model", "protocol", "roc_auc"]))
    assert told == " It gives b most: 0.640 with examples apart, 0.750 by row."
    assert script("results_forecast")._widest_leak(pd.DataFrame(rows[:2], columns=["model", "protocol", "roc_auc"])) == ""


def test_a_folder_without_gold_is_named(script: Callable[[str], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MissingInputError, match="must be a lake"):
        script("results_read").datasets(tmp_path)
    assert script("results").main(["--lake", str(tmp_path), "--out", str(tmp_path / "page.md")]) == 66
    assert "must be a lake" in capsys.readouterr().err
