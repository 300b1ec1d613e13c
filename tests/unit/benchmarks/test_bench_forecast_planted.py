"""Are planted worlds what they say, and are claims counted as false where they are?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import forecast_claims, forecast_regime, forecast_trained
from benchmarks.forecast_claims import Claims, row_of
from benchmarks.forecast_planted import CONFIDENT, EXPLAINED, IDENTITY, LEAKED, NOTHING, WORLDS, Planted, frame
from gold.forecast.rows import rows_of
from gold.forecast.settings import ForecastSettings
from gold.scores import auroc

FIRST = "xai__lime__ranking__m00"


def made(world: Planted, seed: int = 0) -> pd.DataFrame:
    return frame(world, np.random.default_rng(seed), 200, 10, 6, 3)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_rows_are_examples_by_adapters_by_cells_and_clean_features_repeat_over_the_cells(world: Planted) -> None:
    rows = made(world)
    assert len(rows) == 12_000 and not rows.duplicated(["example_id", "adapter_id", "corruption", "severity"]).any()
    assert sorted(set(zip(rows["corruption"], rows["severity"], strict=True)))[:3] == [("c0", 1), ("c0", 2), ("c1", 1)]
    pairs = rows.groupby(["example_id", "adapter_id"])
    assert (pairs[["confidence", "knn_distance", FIRST]].nunique() == 1).all().all() and pairs["shifted_confidence"].nunique().max() == 6
    assert not rows_of(rows, ForecastSettings()).left_out and 0.2 < 1 - rows["is_correct"].mean() < 0.6


@pytest.mark.parametrize(
    ("world", "column", "least", "most"),
    [
        (NOTHING, "confidence", 0.48, 0.52),
        (NOTHING, FIRST, 0.46, 0.54),  # half of it is the example's, of which there are 200
        (CONFIDENT, "confidence", 0.62, 0.75),
        (CONFIDENT, FIRST, 0.46, 0.54),
        (EXPLAINED, "confidence", 0.48, 0.52),
        (EXPLAINED, FIRST, 0.62, 0.75),
    ],
)
def test_a_world_has_its_signal_where_it_says_and_nowhere_else(world: Planted, column: str, least: float, most: float) -> None:
    rows = made(world)
    value = auroc(rows[column].to_numpy(), ~rows["is_correct"].to_numpy())
    assert value is not None and least < value < most


def test_identity_stands_in_the_means_of_adapters_and_a_signature_is_the_same_under_all_of_them() -> None:
    spread = made(IDENTITY).groupby("adapter_id")[FIRST].mean().std()
    assert spread > 1.0 and made(NOTHING).groupby("adapter_id")[FIRST].mean().std() < 0.2
    assert (made(LEAKED).groupby("example_id")[FIRST].nunique() == 1).all()


@pytest.mark.parametrize(
    ("world", "regime", "verdicts", "value", "met"),
    [
        (NOTHING, "grouped", {"adds_value": 1, "harms": 7, None: 92}, 7.0, False),
        (NOTHING, "grouped", {"adds_value": 6, "harms": 6, "underpowered": 88}, 6.0, True),
        (IDENTITY, "leave_adapter_out", {"adds_value": 7, "no_evidence": 93}, 7.0, False),
        (CONFIDENT, "grouped", {"adds_value": 2, "harms": 98}, 2.0, True),  # noise beside a signal harms: that claim is true
        (EXPLAINED, "grouped", {"adds_value": 95, "no_evidence": 5}, 95.0, True),
        (EXPLAINED, "grouped", {"adds_value": 94, "no_evidence": 6}, 94.0, False),
        (LEAKED, "grouped", {"adds_value": 7, "no_evidence": 93}, 7.0, False),
        (LEAKED, "ki", {"adds_value": 100}, 100.0, True),  # the row split is taken in
    ],
)
def test_claims_are_false_where_the_world_says_so(
    world: Planted, regime: str, verdicts: dict[str | None, int], value: float, met: bool
) -> None:
    row = row_of(world, regime, 100, Claims(Counter(verdicts), Counter(), [0.1], [0.2], [0.5], 95))
    assert (row.value, row.met) == (value, met)


def test_small_twins_give_their_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast_claims, "ASKED", ((LEAKED, "grouped", 100), (EXPLAINED, "grouped", 100)))
    monkeypatch.setattr(forecast_regime, "NAMES", ("grouped",))
    rows = [*forecast_claims.measure(tmp_path, quick=True), *forecast_regime.measure(tmp_path, quick=True)]
    assert [row.details.get("seeds") for row in rows] == [2, 2, None, None, None]
    assert rows[3].details["forecasts"] == 25 and rows[3].details["blocks"] == 5  # three means; eleven sets by two learners


def test_coverage_of_new_adapters_is_counted_and_its_row_meets_the_aim_within_two_points() -> None:
    found = forecast_claims.arrivals(range(12), 40, n_adapters=10)
    assert found.n == 12 and 9 <= found.held <= 12 and found.exceeded <= 4
    assert forecast_claims.arrivals(range(12), 40, n_adapters=10) == found  # a seed's world is its own
    for held, met in ((97, True), (98, False), (92, False), (93, True)):
        row = forecast_claims.row_of_arrivals(forecast_claims.Arrivals(held, 10, 100))
        assert (row.value, row.met, row.details["exceeding_the_bound_of_90"]) == (held, met, 10.0)


def test_intervals_hold_what_training_in_every_fold_gives_only_when_they_are_widened() -> None:
    nothing = forecast_trained.held(forecast_trained.WORLDS[0], 150, 1.0)
    assert nothing.plain_figure < 0.91 < 0.92 < nothing.figure and nothing.ratio_of_figure > 1.2  # 0.83 and 0.945 of 400
    known = forecast_trained.held(forecast_trained.WORLDS[2], 60, 1.0)
    assert known.plain_figure > 0.88 and known.figure >= known.plain_figure and known.ratio_of_figure < 1.2
    row = forecast_trained.rows_of(4)[0]
    assert row.value is not None and row.met == (row.value >= 93) and row.details["folds"] == 5
