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


def test_bias_error_and_the_difference_from_the_cell_mean_by_hand() -> None:
    # errors by adapter 0.044, 0.036, 0.044, 0.036 (both cells); minus 0.1: mean -0.06
    # sd = 0.004 x 2 / sqrt(3) = 0.0046188; t(0.975, 3) = 3.182446; half = 3.182446 x 0.0046188 / 2 = 0.0073495
    record = of(check(table(4, 0.04), 0.95), "forecast")
    assert (record["bias"], record["mean_absolute_error"]) == (pytest.approx(0.04), pytest.approx(0.04))
    assert (record["mean_observed"], record["n_adapters"], record["n"]) == (pytest.approx(0.28), 4, 8)
    assert record["error_over_cell_mean"] == pytest.approx(-0.06)
    assert (record["ci_low"], record["ci_high"]) == (pytest.approx(-0.0673495, abs=1e-6), pytest.approx(-0.0526505, abs=1e-6))
    assert record["sentence"] == "The forecast is closer to the truth than the cell mean, by -0.060 (-0.067 to -0.053)."


@pytest.mark.parametrize(
    ("n_adapters", "forecast", "begins"),
    [
        (6, 0.02, "The forecast is closer to the truth than the cell mean, by -0.08"),
        (6, 0.2, "The forecast is further from the truth than the cell mean, by +0.100"),
        (6, 0.1, "The forecast is not seen to beat the cell mean: +0.000 (-0.01"),
        (6, -0.1, "The forecast is not seen to beat the cell mean: +0.000"),
        (1, 0.02, "The forecast is off by -0.078 against the cell mean; too few adapters to be sure of it."),
    ],
)
def test_the_sentence_says_what_the_interval_says(n_adapters: int, forecast: float, begins: str) -> None:
    assert str(of(check(table(n_adapters, forecast), 0.95), "forecast")["sentence"]).startswith(begins)


def test_orders_are_those_of_adapters_and_of_cells_and_need_three() -> None:
    records = check(table(4, 0.0, atc=0.01), 0.95)
    assert of(records, "forecast")["spearman_adapters"] == pytest.approx(1.0)
    assert of(records, "forecast")["spearman_cells"] is None  # two cells
    assert of(records, "atc")["sentence"] == "ATC is closer to the truth than the cell mean, by -0.090 (-0.092 to -0.088)."
    assert of(check(table(2, 0.0), 0.95), "forecast")["spearman_adapters"] is None


def test_the_cell_mean_is_not_compared_with_itself_and_what_has_no_value_has_no_record() -> None:
    records = check(table(4, 0.0), 0.95)
    assert [record["estimator"] for record in records] == ["forecast", "cell_mean"]
    mean = of(records, "cell_mean")
    assert (mean["error_over_cell_mean"], mean["ci_low"], mean["sentence"]) == (
        None, None, "What the corruption did to other adapters, whatever this one is.",
    )  # fmt: skip


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
    assert (lone["error_over_cell_mean"], lone["ci_low"], lone["sentence"]) == (None, None, None)
