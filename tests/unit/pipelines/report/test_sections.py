"""Does each section say what its table says, and in one sentence that there is none?"""

from __future__ import annotations

import re
from html import unescape

import pytest

from pipelines.report.section import shown
from pipelines.report.sections import (
    SECTIONS,
    adapters,
    correlations,
    coverage,
    degradation,
    forecasts,
    learners,
    metrics,
    reliability,
    verdict,
)
from pipelines.report.sections.arms import interval
from pipelines.report.source import Reading, Room
from tests.report_sources import reading_of


def words(markup: object) -> str:
    return unescape(re.sub(r"<[^>]*>", " ", str(markup)))


def learner(model: str, auroc: float, low: float | None, high: float | None, confidence: float = 0.7) -> dict[str, object]:
    row = {"protocol": "grouped", "model": model, "roc_auc": auroc, "ci_low": low, "ci_high": high}
    return row | {"confidence_auc": confidence, "n_test": 1000, "features": "entropy", "adapter_auc": 0.5}


def verdict_row(protocol: str, name: str | None, delta: float | None, sentence: str) -> dict[str, object]:
    ends = {"ci_low": None if delta is None else delta - 0.01, "ci_high": None if delta is None else delta + 0.01}
    row = {"protocol": protocol, "model": "XGBoost", "delta_auroc": delta, "min_detectable_delta": 0.012, "verdict": name}
    return row | ends | {"sentence": sentence, "n": 4321}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.slug)
def test_a_section_without_its_tables_is_one_sentence(section):
    source = reading_of({"audit.runs": [{"run_id": "r"}]}).source
    said = words(shown(section, source, "d", 1))
    assert "is left out: this lake has no" in said and said.count("left out") == 1 and "Read from" not in said


def test_a_section_whose_table_has_no_rows_of_the_dataset_says_so():
    source = reading_of({"gold.forecasts": [{"adapter_id": "x", "predicted_failure_rate": 0.5}]}, dataset="other").source
    assert "gold.forecasts has no rows of this dataset" in words(shown(forecasts.SECTION, source, "d", 1))


def test_slugs_are_of_one_section_each():
    assert len({section.slug for section in SECTIONS}) == len(SECTIONS)


def test_the_verdict_comes_from_the_standing_test_where_there_is_one():
    rows = [verdict_row("leave_adapter_out", None, None, "fewer than 8 adapters"), verdict_row("grouped", "harms", -0.03, "It is worse.")]
    rows.append(verdict_row("ki", "adds_value", 0.2, "It leaks."))
    reading = reading_of({"gold.forecast_verdict": rows, "gold.classifier_comparison": [learner("a", 0.9, 0.8, 0.95)]})
    said = words(verdict.draw(reading))
    assert "Explanations make the forecast worse than confidence alone." in said and "It is worse." in said
    assert "\u22120.030" in said and "\u22120.040 to \u22120.020" in said and "4,321" in said
    assert said.index("grouped") < said.index("leave_adapter_out") < said.index("ki")
    assert "fewer than 8 adapters" in said
    assert reading.versions() == [("gold.forecast_verdict", 7)]


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ([(0.71, 0.8), (0.72, 0.8)], "foresee failures better than confidence alone"),
        ([(0.5, 0.69), (0.5, 0.6)], "foresee failures worse than confidence alone"),
        ([(0.6, 0.75), (0.65, 0.8)], "cannot be told apart"),
        ([(0.71, 0.8), (0.6, 0.75)], "disagree"),
        ([(None, None)], "no interval could be made"),
    ],
)
def test_without_the_standing_test_the_intervals_of_all_learners_decide(ends, said):
    rows = [learner(f"m{place}", 0.7, low, high) for place, (low, high) in enumerate(ends)]
    rows.append(learner("leaky", 0.99, 0.98, 1.0) | {"protocol": "ki"})
    drawn = words(verdict.draw(reading_of({"gold.classifier_comparison": rows})))
    assert said in drawn and "gold.forecast_verdict, is not in this lake" in drawn and "0.990" not in drawn


def corr(scope: str, r: float, low: float, high: float) -> dict[str, object]:
    row = {"method": "attention", "feature": "entropy", "scope": scope, "pearson_r": r, "pearson_ci_low": low, "pearson_ci_high": high}
    return row | {"spearman_r": r, "n": 12_345, "n_examples": 100}


@pytest.mark.parametrize(
    ("pooled", "within", "expected"),
    [
        ((0.3, 0.2, 0.4), (-0.3, -0.4, -0.2), correlations.DIFFER),
        ((0.3, 0.2, 0.4), (-0.01, -0.1, 0.1), correlations.ONE_OPEN),
        ((0.01, -0.1, 0.1), (-0.01, -0.1, 0.1), correlations.BOTH_OPEN),
        ((0.3, 0.2, 0.4), (0.1, 0.05, 0.2), "agree"),
    ],
)
def test_a_sign_that_turns_within_adapters_is_marked_where_both_are_sure(pooled, within, expected):
    drawn = words(correlations.draw(reading_of({"gold.correlations": [corr("pooled", *pooled), corr("within_adapter", *within)]})))
    assert expected in drawn and "12,345" in drawn
    assert ("The sign turns" in drawn) == (expected == correlations.DIFFER)


def test_best_and_worst_adapter_are_by_mean_accuracy_under_corruption():
    def point(adapter: str, corruption: str, accuracy: float) -> dict[str, object]:
        return {"adapter_id": adapter, "corruption": corruption, "severity": 0 if corruption == "none" else 1, "accuracy": accuracy}

    rows = [point("x", "none", 1.0), point("x", "fog", 0.2), point("y", "none", 0.5), point("y", "fog", 0.4)]
    assert degradation.ends(rows) == ("y", "x")
    assert degradation.ends(rows[:2]) == ("x", None)


def test_of_many_adapters_the_best_and_the_worst_stand_open():
    rows = [{"adapter_id": f"{place:03}"} for place in range(100)]
    order = [int(row["adapter_id"]) for row in adapters.ends_first(rows)]
    assert order[:40] == [*range(20), *range(80, 100)] and sorted(order) == list(range(100))
    assert adapters.ends_first(rows[:40]) == rows[:40]


def test_forecasts_are_held_against_the_truth_that_is_known():
    def cell(severity: int, forecast: float, truth: float | None, low: float, high: float) -> dict[str, object]:
        row = {"adapter_id": "x", "corruption": "fog", "severity": severity, "predicted_failure_rate": forecast}
        return row | {"observed_failure_rate": truth, "ci_low": low, "ci_high": high, "n": 50}

    rows = [cell(1, 0.2, 0.1, 0.05, 0.3), cell(2, 0.5, 0.7, 0.4, 0.6), cell(3, 0.6, None, 0.5, 0.7)]
    drawn = words(forecasts.draw(reading_of({"gold.forecasts": rows})))
    # by hand: errors 0.1 and 0.2, mean 15 points; mean difference (0.1 - 0.2) / 2 = 5 points too low; the first interval holds the truth
    assert "off by 15.0 points" in drawn and "5.0 points too low" in drawn and "1 of 2 forecast intervals" in drawn
    assert "Still waiting for the truth" in drawn
    assert "x fog 3 60.0 % 50.0 to 70.0 % – 50" in " ".join(drawn.split())
    alone = words(forecasts.draw(reading_of({"gold.forecasts": [rows[2] | {"observed_failure_rate": None}]})))
    assert "Still waiting for the truth" in alone


def test_reliability_and_coverage_show_the_leak_proof_protocol_first():
    def bin_of(protocol: str, place: int) -> dict[str, object]:
        row = {"protocol": protocol, "features": "confidence", "model": "XGBoost", "bin": place}
        return row | {"mean_forecast": place / 10, "failure_rate": place / 10, "n": 99}

    drawn = words(reliability.draw(reading_of({"gold.reliability": [bin_of("ki", 1), bin_of("grouped", 2)]})))
    assert "grouped" in drawn and "n = 99 rows per bin; no interval is stored" in drawn and "ki" not in drawn.split()

    kept = {"features": "confidence", "model": "XGBoost", "n": 5}
    rows = [kept | {"protocol": name, "coverage": share, "error": share / 2} for name in ("ki", "grouped") for share in (1.0, 0.9)]
    table = words(coverage.draw(reading_of({"gold.coverage_risk": rows})))
    assert table.index("held out by grouped") < table.index("held out by ki")
    assert table.index("keep 100 %") < table.index("keep 90 %") and "45.0 %" in table


def test_metrics_are_counted_in_the_database_and_nothing_that_is_not_finite_counts():
    def scores(number: int) -> dict[str, object]:
        row = {"example_id": f"e{number}", "adapter_id": "x", "method": "attention", "metric_group": "default"}
        return row | {"entropy": float(number), "deletion": float("nan") if number else 0.5}

    reading = reading_of({"silver.adapters_current": [{"adapter_id": "x", "name": "first"}], "given.rows": [scores(n) for n in range(5)]})
    reading.source.connection.execute(
        "CREATE TABLE silver.explanation_metrics_current AS SELECT dataset, example_id, adapter_id, method, metric_group, "
        "MAP {'entropy': entropy, 'deletion': deletion} AS metrics FROM given.rows"
    )
    names = (*reading.source.names, "silver.explanation_metrics_current")
    drawn = str(metrics.draw(Reading(type(reading.source)(reading.source.connection, names, {}, Room()), "d")))
    # by hand, of 0 1 2 3 4: median 2, quartiles 1 and 3, 5 % at 0.2
    assert "entropy: median 2.000, middle half 1.000 to 3.000, middle 90 % 0.200 to 3.800, n = 5" in drawn
    assert "deletion: median 0.500" in drawn and "n = 1" in drawn and "insertion" not in drawn


def test_the_interval_of_an_arm_is_over_its_trainings():
    # by hand: t of 95 % with 2 degrees of freedom is 4.302653; 0.01 * 4.302653 = 0.04302653
    assert interval({"mean": 0.8, "standard_error": 0.01, "n_seeds": 3}) == pytest.approx((0.75697347, 0.84302653))
    assert interval({"mean": 0.8, "standard_error": None, "n_seeds": 1}) == (None, None)


def test_a_lake_of_before_lacks_columns_and_still_has_a_table():
    rows = [{"protocol": "grouped", "model": "m", "roc_auc": 0.7}]
    assert "0.700" in words(learners.draw(reading_of({"gold.classifier_comparison": rows})))


def test_too_many_rows_are_folded_then_left_out_and_it_says_so():
    rows = [
        {"protocol": "grouped", "features": f"f{place:03}", "model": "m", "coverage": 0.9, "error": 0.1, "n": 1} for place in range(130)
    ]
    drawn = words(coverage.draw(reading_of({"gold.coverage_risk": rows})))
    assert "80 more rows" in drawn and "10 further rows are left out" in drawn and "f119" in drawn and "f120" not in drawn
