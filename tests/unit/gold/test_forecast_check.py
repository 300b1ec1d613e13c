"""Stored forecasts meet their truth unchanged, and what is said of them follows the sign of the difference."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gold.forecast.ahead import CELL, STORED, with_truth
from gold.forecast.tables.forecast_check import check


def stored() -> pd.DataFrame:
    """Two rows as gold.forecasts gives them back, of an adapter that was new then."""
    return pd.DataFrame({
        "dataset": "pets", "settings_id": "old", "adapter_id": "new", "corruption": ["blur", "noise"],
        "severity": np.array([1, 2], dtype=np.int32), "origin": "ahead",
        "predicted_failure_rate": [0.25, 1 / 3], "ci_low": [0.1, None], "ci_high": [0.4, None],
        "upper_bound": [0.45, None], "observed_failure_rate": None, "cell_mean": [0.3, 0.2], "atc": None, "doc": None,
        "forecaster": "f" * 16, "run_id": "run-1", "n": [60, 60], "reason": [None, "7 adapters were held out"],
    })  # fmt: skip


def held_out(adapter: str = "old", corruption: str = "blur") -> pd.DataFrame:
    return pd.DataFrame([{
        "adapter_id": adapter, "corruption": corruption, "severity": 1, "predicted": 0.5, "low": 0.4, "high": 0.6, "upper_bound": None,
        "observed": 0.55, "cell_mean": 0.35, "n": 60, "reason": None,
    }])  # fmt: skip


def rates(*cells: tuple[str, str, int, float]) -> pd.DataFrame:
    return pd.DataFrame([
        {"adapter_id": adapter, "corruption": name, "severity": severity, "observed": value, "atc": value / 2, "doc": None}
        for adapter, name, severity, value in cells
    ])  # fmt: skip


def said(rows: pd.DataFrame) -> list[list[object]]:
    """What rows told ahead, null as None."""
    mine = rows[rows["origin"] == "ahead"].sort_values(CELL)[[*CELL, *STORED]].astype(object)
    return mine.where(mine.notna(), None).values.tolist()


def test_the_truth_is_filled_in_and_nothing_that_was_said_changes() -> None:
    before, later = stored(), rates(("new", "blur", 1, 0.2), ("new", "noise", 2, 0.5), ("old", "blur", 1, 0.55))
    empty = pd.DataFrame()
    for found in (with_truth(empty, before, empty), with_truth(held_out(), before, later), with_truth(held_out("new"), before, later)):
        assert said(found) == said(before)
    once = with_truth(held_out(), before, later)
    assert once["observed_failure_rate"].tolist() == [0.2, 0.5, 0.55] and once["atc"].tolist() == [0.1, 0.25, 0.275]
    assert said(with_truth(held_out(), once[once["origin"] == "ahead"], later)) == said(before)  # again and again
    assert with_truth(empty, before, empty)["observed_failure_rate"].isna().all()


def test_an_adapter_with_a_stored_forecast_gets_no_second_one_by_hindsight() -> None:
    found = with_truth(pd.concat([held_out("new"), held_out("old")]), stored(), rates(("old", "blur", 1, 0.55)))
    assert found[["adapter_id", "origin"]].values.tolist() == [["new", "ahead"], ["new", "ahead"], ["old", "held_out"]]
    last = found.iloc[2]
    assert (last["predicted_failure_rate"], last["ci_low"], last["observed_failure_rate"]) == (0.5, 0.4, 0.55)
    assert pd.isna(last["forecaster"]) and pd.isna(last["run_id"])


def test_a_truth_of_another_severity_is_no_truth_and_without_anything_there_is_nothing() -> None:
    found = with_truth(pd.DataFrame(), stored(), rates(("new", "blur", 2, 0.9)))
    assert found["observed_failure_rate"].isna().all()
    assert with_truth(pd.DataFrame(), stored().iloc[:0], pd.DataFrame()).empty


def test_an_adapter_that_was_tried_and_not_foretold_keeps_its_rows_with_the_reason() -> None:
    found = with_truth(held_out(), pd.DataFrame(), rates(("old", "blur", 1, 0.55), ("bare", "blur", 1, 0.5)))
    bare = found[found["adapter_id"] == "bare"].iloc[0]
    assert (bare["origin"], bare["observed_failure_rate"], bare["atc"], bare["n"]) == ("held_out", 0.5, 0.25, 0)
    assert pd.isna(bare["predicted_failure_rate"]) and pd.isna(bare["cell_mean"])
    assert bare["reason"] == "none of its clean rows has every feature that is read" and len(found) == 2
    none = with_truth(pd.DataFrame(), pd.DataFrame(), rates(("old", "blur", 1, 0.0), ("bare", "blur", 1, 0.0)), "one class only")
    assert none["reason"].tolist() == ["one class only"] * 2 and none["predicted_failure_rate"].isna().all()
    told = with_truth(pd.DataFrame(), stored(), rates(("new", "blur", 1, 0.2), ("new", "noise", 2, 0.5)), "one class only")
    assert set(told["origin"]) == {"ahead"} and told["predicted_failure_rate"].notna().all()  # what was said ahead stays alone


def table(n_adapters: int, forecast: float, mean: float = 0.1, **other: float | None) -> pd.DataFrame:
    """Truths 0.2, 0.3, … in two cells; estimates are so far above it, with a tenth more or less of that by adapter."""
    rows = []
    for adapter in range(n_adapters):
        for place, corruption in enumerate(("blur", "noise")):
            truth = 0.2 + 0.02 * adapter + 0.1 * place
            tilt = 1 + 0.1 * (-1) ** adapter
            rows.append({
                "adapter_id": f"a{adapter}", "corruption": corruption, "severity": 1, "origin": "held_out", "observed_failure_rate": truth,
                "predicted_failure_rate": truth + forecast * tilt, "cell_mean": truth + mean,
                **{name: None if value is None else truth + value * tilt for name, value in ({"atc": None, "doc": None} | other).items()},
            })  # fmt: skip
    return pd.DataFrame(rows).astype({"atc": float, "doc": float})


def of(records: list[dict[str, object]], estimator: str) -> dict[str, object]:
    return next(record for record in records if record["estimator"] == estimator)


def test_bias_error_and_the_difference_from_a_competitor_by_hand() -> None:
    # errors by adapter 0.044, 0.036, 0.044, … (both cells); minus 0.1: mean -0.06
    # sd = 0.004 x sqrt(8 / 7) = 0.00427618; t(0.975, 7) = 2.364624; half = 2.364624 x 0.00427618 / sqrt(8) = 0.003575
    records = check(table(8, 0.04), 0.95)
    forecast, mean = of(records, "forecast"), of(records, "cell_mean")
    assert (forecast["bias"], forecast["mean_absolute_error"]) == (pytest.approx(0.04), pytest.approx(0.04))
    assert (forecast["mean_observed"], forecast["n_adapters"], forecast["n"]) == (pytest.approx(0.32), 8, 16)
    assert (forecast["forecast_error_over"], forecast["sentence"]) == (None, "The forecast is closer to the truth than the cell mean.")
    assert mean["forecast_error_over"] == pytest.approx(-0.06)
    assert (mean["ci_low"], mean["ci_high"]) == (pytest.approx(-0.063575, abs=1e-6), pytest.approx(-0.056425, abs=1e-6))
    assert mean["sentence"] == "The forecast is closer to the truth than the cell mean: -0.060 (-0.064 to -0.056)."


@pytest.mark.parametrize(
    ("n_adapters", "forecast", "begins", "ends"),
    [
        (8, 0.02, "The forecast is closer to the truth than the cell mean: -0.08", ")."),
        (8, 0.2, "The forecast is further from the truth than the cell mean: +0.100", "; use the cell mean."),
        (8, 0.1, "The forecast is not seen to beat the cell mean: +0.000 (-0.0", ")."),
        (8, -0.1, "The forecast is not seen to beat the cell mean: +0.000", ")."),
        (7, 0.02, "Against the cell mean the error of the forecast is -0.080: ", "7 adapters; an interval over adapters needs at least 8."),
    ],
)
def test_the_sentence_says_what_the_interval_says(n_adapters: int, forecast: float, begins: str, ends: str) -> None:
    text = str(of(check(table(n_adapters, forecast), 0.95), "cell_mean")["sentence"])
    assert text.startswith(begins) and text.endswith(ends)


def test_the_forecast_is_held_against_every_competitor_and_says_which_it_beats() -> None:
    records = check(table(8, 0.05, mean=0.2, atc=0.01, doc=-0.05), 0.95)
    assert of(records, "forecast")["sentence"] == (
        "The forecast is closer to the truth than the cell mean; not seen to beat DoC; further from the truth than ATC."
    )
    assert of(records, "atc")["forecast_error_over"] == pytest.approx(0.04)
    few = of(check(table(3, 0.05, atc=0.01), 0.95), "forecast")["sentence"]
    assert few == "The forecast is of too few adapters to be told from the cell mean, ATC."


def test_orders_are_those_of_adapters_and_of_cells_and_need_three_and_of_the_mean_of_the_others_say_nothing() -> None:
    records = check(table(4, 0.0, atc=0.01), 0.95)
    assert of(records, "forecast")["spearman_adapters"] == of(records, "atc")["spearman_adapters"] == pytest.approx(1.0)
    assert of(records, "forecast")["spearman_cells"] is None  # two cells
    assert of(records, "cell_mean")["spearman_adapters"] is None  # -1 whatever the rates are
    assert of(check(table(2, 0.0), 0.95), "forecast")["spearman_adapters"] is None


def test_what_has_no_value_has_no_record_but_the_forecast_says_why() -> None:
    assert [record["estimator"] for record in check(table(4, 0.0), 0.95)] == ["forecast", "cell_mean"]
    none = table(4, 0.0, atc=0.01).assign(predicted_failure_rate=np.nan, cell_mean=np.nan, reason="one class only")
    lacking, atc = check(none, 0.95)
    assert (lacking["estimator"], lacking["sentence"], lacking["n"]) == ("forecast", "No forecast: one class only.", 8)
    assert (lacking["mean_absolute_error"], lacking["mean_observed"]) == (None, pytest.approx(0.28))
    assert (atc["estimator"], atc["forecast_error_over"], atc["sentence"], atc["reason"]) == ("atc", None, None, "no cell has both")


def test_rows_without_truth_count_nowhere_and_origins_stand_apart() -> None:
    rows = table(4, 0.0)
    unknown = rows.assign(observed_failure_rate=None, adapter_id="later", origin="ahead")
    ahead = rows.assign(origin="ahead")
    records = check(pd.concat([rows, unknown.astype(rows.dtypes), ahead], ignore_index=True), 0.95)
    assert [(record["origin"], record["estimator"], record["n"]) for record in records] == [
        ("ahead", "forecast", 8), ("ahead", "cell_mean", 8), ("held_out", "forecast", 8), ("held_out", "cell_mean", 8),
    ]  # fmt: skip
    assert check(unknown.astype(rows.dtypes), 0.95) == []
    lone = of(check(rows.assign(cell_mean=np.nan), 0.95), "forecast")  # nothing to compare with
    assert (lone["forecast_error_over"], lone["ci_low"], lone["sentence"]) == (None, None, None)
