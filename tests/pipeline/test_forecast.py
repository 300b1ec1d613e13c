"""Is a new adapter's forecast stored before it is tried, and kept to the bit when its truth comes?"""

from __future__ import annotations

import json

import pytest

from gold.forecast.forecaster import newest
from gold.forecast.tables import TABLES
from gold.forecast.tables.forecast_check import SPEC as CHECK
from gold.forecast.tables.forecasts import SPEC as FORECASTS
from gold.tables.adapter_summary import SPEC as SUMMARY
from lake.audit import CELLS
from ood.specs import PREDICTIONS as OOD_PREDICTIONS
from silver.specs import ADAPTERS, EXPLANATION_METRICS, PREDICTIONS
from tests.conftest import Built
from tests.forecast_arrived import Arrived, told
from tests.lakes import RECIPES, rows_of, stored

pytestmark = pytest.mark.spark
CELLS_TRIED = 6  # two corruptions at three severities
SAID = ("predicted_failure_rate", "ci_low", "ci_high", "upper_bound", "cell_mean", "forecaster", "run_id", "n", "reason")
TRUTH = ("observed_failure_rate", "atc", "doc")


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


def test_an_adapter_without_a_clean_row_gets_no_invented_figure(arrived: Arrived) -> None:
    assert "has no clean row with an explanation: nothing can be foretold of it" in arrived.bare and "audit.rejected" in arrived.bare


def test_rows_that_other_settings_made_are_not_foretold_from(arrived: Arrived) -> None:
    assert "learned from rows of silver.explanation_metrics that other settings made" in arrived.stale and "`assay run`" in arrived.stale


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
    assert ahead["forecast"]["sentence"] == "The forecast is of too few adapters to be told from the cell mean, ATC, DoC."
    assert ahead["atc"]["sentence"].endswith(": 1 adapter; an interval over adapters needs at least 8.")


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


def test_gold_is_computed_again_when_an_adapter_came(arrived: Arrived) -> None:
    # tables about texts are empty here: nothing is written
    gold = {name: table for name, table in arrived.last.tables.items() if name.startswith("gold.") and table["rows_written"]}
    assert gold and all(table["version_after"] > table["version_before"] for table in gold.values())
    summed = {row["adapter_id"]: row["n"] for row in rows_of(arrived.root, SUMMARY)}
    assert summed[arrived.adapter_id] > 0 and set(summed) == {row["adapter_id"] for row in rows_of(arrived.root, ADAPTERS)}
