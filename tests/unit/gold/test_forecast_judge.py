"""What is told of one regime: records that fit their tables, and of poor data nulls with a reason, never an error or a made-up figure."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from gold.forecast.calibrated import KINDS, MAPS
from gold.forecast.calibrated import reliability as reliability_of
from gold.forecast.decide import reliabilities
from gold.forecast.figures import FIGURES
from gold.forecast.judge import Record, Records, judge
from gold.forecast.regimes import GROUPED, REGIMES, Regime
from gold.forecast.run_regime import OutOfFold
from gold.forecast.settings import VerdictRule
from gold.forecast.tables import coverage_risk, forecast_comparison, forecast_verdict, reliability
from gold.forecast.tables.forecast_comparison import COLUMN_OF
from gold.statistics import wilson
from gold.table import as_table
from lake.spec import Table
from tests.unit.gold.forecast_frames import grid, rows, settings

CELLS = (("blur", 1), ("fog", 1), ("noise", 1))
BY_NAME = {regime.name: regime for regime in REGIMES}
METRICS = ["xai__lime__ranking__deletion", "xai__lime__ranking__gini"]
TABLES = {
    "comparison": forecast_comparison.SPEC, "verdict": forecast_verdict.SPEC, "reliability": reliability.SPEC,
    "coverage_risk": coverage_risk.SPEC,
}  # fmt: skip


def fitting(found: Records) -> dict[str, pd.DataFrame]:
    """Frames by table; each must have the spec's columns, every value in its range, and a reason where no figure is."""
    frames = {name: as_table(spec, "pets", getattr(found, name)) for name, spec in TABLES.items()}
    for name, spec in TABLES.items():
        _check_ranges(spec, frames[name])
    for record in found.comparison:
        assert (record["auroc"] is None) <= bool(record["reason"]), record
    assert all(record["sentence"] and (record["verdict"] is not None or record["reason"]) for record in found.verdict)
    return frames


def _check_ranges(spec: Table, frame: pd.DataFrame) -> None:
    for column in spec.columns:
        values = frame[column.name].dropna()
        if column.allowed:
            assert set(values) <= set(column.allowed), column.name
        if column.type in ("double", "int", "bigint"):
            numbers = values.astype(float)
            assert np.isfinite(numbers).all(), column.name
            assert column.low is None or (numbers >= column.low).all(), column.name
            assert column.high is None or (numbers <= column.high).all(), column.name
        if column.type == "string":
            assert not any("\0" in str(value) for value in values), column.name


EXEMPLAR = "xai__slots__provenance__exemplar_distance"


def record_of(found: Records, features: str, model: str = "LogisticRegression") -> Record:
    return next(record for record in found.comparison if (record["features"], record["model"]) == (features, model))


@pytest.fixture(scope="module")
def good() -> Records:
    frame = grid(60, 4, CELLS)
    frame["knn_distance"], frame[EXEMPLAR] = np.random.default_rng(2).standard_normal((2, 60))[:, np.repeat(np.arange(60), 12)]
    return judge(frame, GROUPED, settings())


def test_of_whole_data_every_set_has_every_figure_with_an_interval_around_it(good: Records) -> None:
    fitting(good)
    assert len(good.comparison) == 3 + 2 * 11  # three means; eleven sets by two learners
    for record in good.comparison:
        assert record["reason"] is None and record["n"] == 60 * 4 * 3 and record["n_examples"] == 60 and record["n_blocks"] == 3
        for column in COLUMN_OF.values():
            low, value, high = (record[name] for name in (f"{column}_ci_low", column, f"{column}_ci_high"))
            assert low is not None and value is not None and high is not None
    assert len(COLUMN_OF) == len(FIGURES)
    assert record_of(good, "constant", "mean")["auroc"] == 0.5  # ties are half
    assert record_of(good, "confidence+xai")["columns"] == ",".join(["confidence", *METRICS, EXEMPLAR])


def test_one_learner_is_the_headline_and_the_verdict_is_its(good: Records) -> None:
    (verdict,) = good.verdict
    marked = {record["model"] for record in good.comparison if record["is_headline"]}
    assert marked == {verdict["model"]}
    full, base = (record_of(good, name, str(verdict["model"])) for name in ("confidence+xai", "confidence"))
    assert verdict["delta_auroc"] == pytest.approx(float(str(full["auroc"])) - float(str(base["auroc"])))
    assert (verdict["auroc_confidence"], verdict["auroc_confidence_xai"]) == (base["auroc"], full["auroc"])
    assert {verdict["model"], verdict["other_model"]} == {"LogisticRegression", "XGBoost"}


def test_bins_and_rejection_are_told_of_three_sets(good: Records) -> None:
    frames = fitting(good)
    for name, per_set in (("reliability", 3 * 15), ("coverage_risk", 6)):
        assert frames[name].groupby("features").size().to_dict() == dict.fromkeys(("confidence", "confidence+xai", "all"), per_set)
    plain = frames["coverage_risk"].query("features == 'confidence'").set_index("coverage")
    assert plain.loc[1.0, "error"] == pytest.approx(plain.loc[1.0, "error_all"]) and plain.loc[0.5, "error"] < plain.loc[0.5, "error_all"]


def test_the_same_rows_in_another_order_give_the_same_records() -> None:
    frame = grid(30, 3)
    assert judge(frame, GROUPED, settings()) == judge(frame.sample(frac=1, random_state=1), GROUPED, settings())


POOR: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "no rows": lambda frame: frame.iloc[:0],
    "few rows": lambda frame: frame.iloc[:40],
    "all correct": lambda frame: frame.assign(is_correct=True),
    "all wrong": lambda frame: frame.assign(is_correct=False),
    "one adapter": lambda frame: frame[frame["adapter_id"] == "a0"],
    "one corruption": lambda frame: frame[frame["corruption"] == "blur"],
    "one example": lambda frame: frame[frame["example_id"] == "e00"],
    "no xai": lambda frame: frame.drop(columns=METRICS),
    "no confidence": lambda frame: frame.drop(columns="confidence"),
    "all features null": lambda frame: frame.assign(**dict.fromkeys(["confidence", *METRICS], np.nan)),
    "no features": lambda frame: frame.drop(columns=["confidence", "shifted_confidence", *METRICS]),
    "constant features": lambda frame: frame.assign(**dict.fromkeys(["confidence", *METRICS], 0.5)),
    "half null": lambda frame: frame.assign(**{METRICS[0]: frame[METRICS[0]].where(frame["example_id"] < "e15")}),
    "a tenth null": lambda frame: frame.assign(confidence=frame["confidence"].where(frame["example_id"] > "e02")),
    "one failure": lambda frame: frame.assign(is_correct=np.arange(len(frame)) != 7),
    "adapters never mixed": lambda frame: frame.assign(is_correct=frame["adapter_id"] == "a0"),
    "huge and tiny": lambda frame: frame.assign(confidence=frame["confidence"] * 1e30, **{METRICS[0]: frame[METRICS[0]] * 1e-30}),
}


@pytest.mark.parametrize("regime", [REGIMES[0], GROUPED, REGIMES[-1]], ids=lambda regime: regime.name)
@pytest.mark.parametrize("kind", POOR)
def test_poor_data_give_nulls_with_reasons(kind: str, regime: Regime) -> None:
    few = settings(resamples=20, forest=settings().forest.model_copy(update={"trees": 3}))
    found = judge(POOR[kind](grid(30, 3, CELLS)), regime, few)
    fitting(found)
    assert len(found.verdict) == 1 and {record["protocol"] for record in found.comparison} == {regime.name}


@pytest.mark.parametrize(
    ("kind", "regime", "reason"),
    [
        ("no rows", "grouped", "0 complete rows; at least 50 are needed"),
        ("few rows", "ki", "40 complete rows; at least 50 are needed"),
        ("all correct", "grouped", "one class only: all rows are correct"),
        ("one adapter", "leave_adapter_out", "one adapter only: it cannot be held out"),
        ("one corruption", "leave_corruption_out", "one corruption only: it cannot be held out"),
        ("no xai", "grouped", "confidence+xai: no feature of xai: none is in the rows"),
        ("no confidence", "grouped", "no feature of confidence: none is in the rows"),
        ("constant features", "grouped", "no feature of confidence: the same in every row"),
        ("adapters never mixed", "grouped", "no adapter has both failed and correct rows inside one test fold"),
    ],
)
def test_each_lack_is_told_in_the_verdict(kind: str, regime: str, reason: str) -> None:
    (verdict,) = judge(POOR[kind](grid(30, 3, CELLS)), BY_NAME[regime], settings(resamples=20)).verdict
    assert verdict["verdict"] is None and reason in str(verdict["reason"]) and reason in str(verdict["sentence"])
    assert verdict["ci_low"] is None or kind == "adapters never mixed"


def test_below_eight_adapters_figures_stand_without_intervals_where_adapters_are_held_out() -> None:
    found = judge(grid(30, 7, CELLS), BY_NAME["leave_adapter_out"], settings())
    record, (verdict,) = record_of(found, "confidence"), found.verdict
    reason = "7 adapters are held out in turn; an interval over adapters needs at least 8"
    assert record["auroc"] is not None and record["auroc_ci_low"] is None and reason in str(record["reason"])
    assert (verdict["verdict"], verdict["reason"], verdict["ci_low"]) == (None, reason, None) and verdict["delta_auroc"] is not None


def test_a_feature_null_in_half_of_the_rows_is_named_and_costs_none_and_one_in_ten_costs_its_rows() -> None:
    found = judge(POOR["half null"](grid(30, 3, CELLS)), GROUPED, settings())
    record = record_of(found, "xai")
    assert (record["columns"], record["n"], record["n_incomplete"]) == (METRICS[1], 270, 0)
    assert record["left_out"] == f"{METRICS[0]}: null in 50% of the rows"
    record = record_of(judge(POOR["a tenth null"](grid(30, 3, CELLS)), GROUPED, settings()), "confidence")
    assert (record["n"], record["n_incomplete"], record["left_out"]) == (27 * 9, 27, None)


def test_the_verdict_says_what_was_held_out_and_carries_the_rule_it_was_taken_by() -> None:
    for name, what in (
        ("ki", "rows drawn at random (leaky: their pictures were seen)"),
        ("grouped", "new examples"),
        ("leave_adapter_out", "new examples and adapters"),
        ("leave_adapter_and_corruption_out", "new examples and adapters and corruptions"),
    ):
        (verdict,) = judge(grid(30, 3).iloc[:0], BY_NAME[name], settings()).verdict
        assert str(verdict["sentence"]).startswith(f"No verdict for {what}: ") and verdict["leaky"] == (name == "ki")
    assert verdict["rule"] == '{"detectable":0.03,"harms_below":-0.005,"power_errors":2.8}'
    (other,) = judge(grid(30, 3).iloc[:0], GROUPED, settings(resamples=41)).verdict
    assert other["rule_sha256"] != verdict["rule_sha256"]


def test_the_least_gain_that_would_show_is_the_rules_number_of_standard_errors() -> None:
    once, twice = (
        judge(grid(30, 3, CELLS), GROUPED, settings(verdict=VerdictRule(power_errors=errors))).verdict[0]["min_detectable_delta"]
        for errors in (2.8, 5.6)
    )
    assert isinstance(once, float) and once > 0 and twice == pytest.approx(2 * once)


def test_bins_are_those_of_each_map_and_their_intervals_count_examples() -> None:
    some = rows(grid(30, 3, CELLS))
    given = dict(zip(KINDS, np.random.default_rng(0).random((3, len(some))), strict=True))
    key = ("confidence", "XGBoost")
    maps = {key: {kind: given[kind] for kind in MAPS}}
    forecasts = OutOfFold({key: given["none"]}, maps, np.zeros(len(some), dtype=np.int64), {}, {}, "XGBoost", {})
    found = reliabilities(some, BY_NAME["ki"], forecasts, "confidence", settings())
    for kind in KINDS:
        told = [(record["mean_forecast"], record["failure_rate"]) for record in found if record["calibration"] == kind]
        assert told == [(one.mean_forecast, one.failure_rate) for one in reliability_of(given[kind], some.failed)]
    # 15 bins of 18 of 270 rows of 30 examples: Wilson at 18 x 30 / 270 = 2 trials
    first = next(record for record in found if record["calibration"] == "none")
    assert first["n"] == 18
    ends = wilson(2 * float(str(first["failure_rate"])), 2.0, 0.95)
    assert (first["ci_low"], first["ci_high"]) == (pytest.approx(ends.low), pytest.approx(ends.high))


def test_the_gain_is_split_into_what_attributions_bring_and_what_exemplars_bring_beside_them() -> None:
    # what the metric of `grid` knows is said by an exemplar's distance; the attribution that is left is noise
    named = grid(60, 3, CELLS).rename(columns={"xai__lime__ranking__deletion": EXEMPLAR})
    found = judge(named, GROUPED, settings())
    (verdict,) = found.verdict
    parts = [float(str(verdict[name])) for name in ("delta_attributions", "delta_exemplars")]
    assert sum(parts) == pytest.approx(float(str(verdict["delta_auroc"])), abs=1e-12)
    assert float(str(verdict["delta_attributions_ci_low"])) < 0 < float(str(verdict["delta_attributions_ci_high"]))
    assert float(str(verdict["delta_exemplars_ci_low"])) > 0 and parts[1] > 0.05
    of = {row["features"]: row["auroc"] for row in found.comparison if row["is_headline"]}
    assert parts[0] == pytest.approx(float(str(of["confidence+attributions"])) - float(str(of["confidence"])), abs=1e-12)
    assert re.search(
        r" Of the whole, attributions beside confidence bring [+-]0\.\d{3} \(.*\), and exemplars beside both \+0\.\d{3} \(",
        str(verdict["sentence"]),
    )


def test_without_exemplars_the_gain_is_not_split() -> None:
    found = judge(grid(30, 3, CELLS), GROUPED, settings())
    (verdict,) = found.verdict
    assert {verdict[f"delta_{part}{end}"] for part in ("attributions", "exemplars") for end in ("", "_ci_low", "_ci_high")} == {None}
    assert "Of the whole" not in str(verdict["sentence"])
    (row,) = {row["reason"] for row in found.comparison if row["features"] == "confidence+attributions"}
    assert row == "no metric of exemplars (none is in the rows): it would be confidence+xai again"
