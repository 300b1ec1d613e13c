"""Do the sections about forecasts show every figure of their tables, calibration and competitors among them?"""

from __future__ import annotations

import re
from html import unescape

from gold.forecast.calibrated import KINDS
from gold.forecast.tables import coverage_risk, forecast_check, forecast_comparison, forecast_verdict
from gold.forecast.tables import forecasts as forecasts_table
from gold.forecast.tables import reliability as reliability_table
from gold.forecast.tables.forecast_check import ESTIMATORS
from gold.forecast.tables.forecasts import ORIGINS
from pipelines.report.sections import coverage, forecasts, learners, reliability, verdict
from tests.report_sources import reading_of


def words(markup: object) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", str(markup))).split())


def verdict_row(protocol: str, name: str | None, delta: float | None, sentence: str) -> dict[str, object]:
    ends = {"ci_low": None if delta is None else delta - 0.01, "ci_high": None if delta is None else delta + 0.01}
    row = {"protocol": protocol, "model": "XGBoost", "delta_auroc": delta, "min_detectable_delta": 0.012, "verdict": name}
    return row | ends | {"sentence": sentence, "n": 4321}


def test_every_column_that_a_section_asks_of_the_forecasts_is_one_of_its_table():
    # a column that is not there is read as nulls, so a misspelt one would be a dash for ever
    asked = [
        (forecast_comparison.SPEC, learners.FORECAST_COLUMNS), (forecast_verdict.SPEC, verdict.COLUMNS),
        (forecasts_table.SPEC, forecasts.COLUMNS), (forecast_check.SPEC, forecasts.CHECK_COLUMNS),
        (reliability_table.SPEC, reliability.COLUMNS), (coverage_risk.SPEC, coverage.COLUMNS),
    ]  # fmt: skip
    assert {table.name: set(columns) - set(table.column_names) for table, columns in asked} == {table.name: set() for table, _ in asked}
    assert set(reliability.MAPS) == set(KINDS) and set(forecasts.ORIGINS) == set(ORIGINS) and set(forecasts.ESTIMATORS) == set(ESTIMATORS)


def test_the_verdict_tells_gains_within_adapters_and_over_shuffled_explanations_and_what_the_other_learner_says():
    gains = {"delta_within_adapter": 0.021, "delta_within_adapter_ci_low": 0.011, "delta_within_adapter_ci_high": 0.031}
    gains |= {"delta_over_control": 0.034, "auroc_confidence": 0.7, "auroc_confidence_xai": 0.74, "other_model": "LogisticRegression"}
    counted = {"other_verdict": "no_evidence", "n_examples": 70, "n_adapters": 12, "reason": None}
    first = verdict_row("grouped", "adds_value", 0.04, "It adds.") | gains | counted
    withheld = verdict_row("leave_adapter_out", None, None, "No verdict: 3 adapters.") | {"reason": "3 adapters are too few to hold out"}
    said = words(verdict.draw(reading_of({"gold.forecast_verdict": [first, withheld]})))
    assert "AUROC 0.700 by confidence, 0.740 with explanations; n = 4,321 rows" in said
    assert "+0.021 0.011 to 0.031 +0.034 " in said
    assert "n = 4,321 rows of 70 examples and 12 adapters. The other learner, LogisticRegression, says: no evidence." in said
    assert "leave_adapter_out : No verdict: 3 adapters." in said and " none " in said


def test_a_verdict_of_the_leaky_protocol_is_called_that():
    rows = [verdict_row("ki", "adds_value", 0.2, "It leaks."), verdict_row("grouped", "no_evidence", 0.0, "Nothing.")]
    said = words(verdict.draw(reading_of({"gold.forecast_verdict": rows})))
    assert "leaky: adds_value" in said and "No evidence that explanations add" in said


def test_forecasts_stored_ahead_stand_before_those_made_afterwards_each_with_its_check():
    row = {"adapter_id": "x", "corruption": "fog", "severity": 1, "ci_low": None, "ci_high": None, "n": 50}
    rows = [row | {"origin": "held_out", "predicted_failure_rate": 0.5, "observed_failure_rate": 0.25}]
    rows.append(row | {"severity": 2, "origin": "ahead", "predicted_failure_rate": 0.2, "observed_failure_rate": 0.1})
    check = {"origin": "ahead", "n_adapters": 9, "n": 18, "mean_absolute_error": 0.1, "bias": -0.05, "spearman_cells": 0.5}
    forecast = check | {"estimator": "forecast", "sentence": "It beats the mean.", "forecast_error_over": -0.02}
    checks = [forecast | {"ci_low": -0.03, "ci_high": -0.01}, check | {"estimator": "atc", "sentence": "ATC does not."}]
    drawn = words(forecasts.draw(reading_of({"gold.forecasts": rows, "gold.forecast_check": checks})))
    ahead, afterwards = drawn.index("Stored before the adapter was tried"), drawn.index("Made afterwards, by models that left")
    assert ahead < drawn.index("off by 10.0 points") < drawn.index("It beats the mean.") < afterwards < drawn.index("off by 25.0 points")
    assert drawn.index("the forecast 0.100 −0.050 – 0.50 −0.020 (−0.030 to −0.010) 18") < drawn.index(
        "ATC, needs shifted confidences 0.100"
    )
    assert "n cells of 9 adapters" in drawn and "Lines: 95 %" not in drawn and "ATC does not." not in drawn  # the forecast's word alone


def test_reliability_shows_the_headline_features_before_and_after_calibration():
    def bin_of(features: str, calibration: str, forecast: float, protocol: str = "grouped") -> dict[str, object]:
        row = {"protocol": protocol, "features": features, "model": "XGBoost", "calibration": calibration, "bin": 0}
        return row | {"mean_forecast": forecast, "failure_rate": 0.5, "ci_low": 0.4, "ci_high": 0.6, "n": 10}

    rows = [bin_of("confidence+xai", name, rate) for name, rate in (("platt", 0.5), ("none", 0.7), ("isotonic", 0.45))]
    rows += [bin_of("all", "none", 0.5), bin_of("confidence+xai", "none", 0.5, "leave_adapter_out"), bin_of("all", "none", 0.5, "ki")]
    drawn = words(reliability.draw(reading_of({"gold.reliability": rows})))
    places = [
        drawn.index(f"Reliability of {said}")
        for said in ("confidence+xai, as the learner", "confidence+xai, after Platt", "confidence+xai, after isotonic")
    ]
    assert places == sorted(places) and places[-1] < drawn.index("other features") < drawn.index("Reliability of all") < drawn.index(
        "other protocols"
    )
    # one bin: |0.7 - 0.5| = 20 points before, |0.45 - 0.5| = 5 after
    assert "off by 20.0 points" in drawn and "off by 5.0 points" in drawn and "protocol leave_adapter_out" in drawn
    assert "ki" not in drawn.split()
