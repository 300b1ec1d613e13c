"""Every adapter is forecast as if it were new, and what is kept for the next one says the same as what it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from gold.forecast.calibrated import learn_map
from gold.forecast.cells import cell_means
from gold.forecast.features import BY_NAME, cell_logit, columns_of, group_rate
from gold.forecast.forecaster import Origin
from gold.forecast.foretell import CELL, FEATURES, HELD_OUT, Foretold, foretell
from gold.forecast.learners import BOOSTED, boost, held_back, scored
from gold.forecast.regimes import blocks, parts_of
from gold.forecast.rows import Rows
from gold.forecast.run_regime import MEANS, out_of_fold
from tests.unit.gold.forecast_frames import grid, rows, settings

CELLS = (("blur", 1), ("noise", 1), ("noise", 2))
ORIGIN = Origin("pets", {"silver.predictions": 4}, {"silver.predictions": "made-so"})


@pytest.fixture(scope="module")
def zoo() -> Rows:
    """Ten adapters, so that each has nine others: enough for an interval, and for a bound at 90 %."""
    return rows(grid(24, 10, CELLS))


@pytest.fixture(scope="module")
def told(zoo: Rows) -> Foretold:
    return foretell(zoo, settings(), ORIGIN)


def test_every_adapter_and_cell_has_a_forecast_beside_its_truth(zoo: Rows, told: Foretold) -> None:
    keys = [(one.adapter_id, (one.corruption, one.severity)) for one in told.forecasts]
    assert keys == [(adapter, cell) for adapter in zoo.adapter_ids for cell in zoo.cell_names]
    observed = cell_means(zoo, zoo.failed.astype(float))[2]
    assert [one.observed for one in told.forecasts] == pytest.approx(observed.tolist())
    for one in told.forecasts:
        assert one.n == 24 and one.reason is None and 0.0 <= one.predicted <= 1.0
        assert one.low is not None and one.high is not None and 0.0 <= one.low <= one.high <= 1.0


def test_a_forecast_is_that_of_trees_whose_map_was_learned_on_the_examples_held_back(zoo: Rows, told: Foretold) -> None:
    columns = columns_of(zoo, FEATURES)
    assert isinstance(columns, tuple)
    risk = np.empty(len(zoo))
    for block in blocks(zoo, HELD_OUT, settings()):
        sides = [group_rate(zoo, block.train, side, "cell", adapter_known=False, cell_known=True) for side in (block.train, block.test)]
        train, test = (
            np.hstack([zoo.matrix(columns)[side], cell_logit(rate)]) for side, rate in zip((block.train, block.test), sides, strict=True)
        )
        failed, back = zoo.failed[block.train], held_back(zoo.examples[block.train], 42)
        booster, n_trees = boost(train, failed, back, settings())
        curve = learn_map("platt", scored(booster, train[back], n_trees, 1), failed[back])
        risk[block.test] = curve(scored(booster, test, n_trees, 1))
    assert [one.predicted for one in told.forecasts] == pytest.approx(cell_means(zoo, risk)[2].tolist(), abs=1e-12)


def test_the_usual_rate_beside_it_is_that_of_the_other_adapters(zoo: Rows, told: Foretold) -> None:
    found = out_of_fold(zoo, HELD_OUT, settings(), (CELL,), (BOOSTED,)).risks[CELL.name, MEANS]
    assert [one.cell_mean for one in told.forecasts] == pytest.approx(cell_means(zoo, found)[2].tolist())
    block = blocks(zoo, HELD_OUT, settings())[0]
    rate = group_rate(zoo, block.train, block.test, "cell", adapter_known=False, cell_known=True)
    assert np.array_equal(found[block.test], rate)


def test_an_adapter_s_own_truth_cannot_change_its_forecast(zoo: Rows, told: Foretold) -> None:
    part = next(block for block in blocks(zoo, HELD_OUT, settings()) if len(np.unique(zoo.adapters[block.test])) == 1)
    mine = int(zoo.adapters[part.test[0]])
    failed = np.where(zoo.adapters == mine, ~zoo.failed, zoo.failed)
    other = foretell(Rows(**vars(zoo) | {"failed": failed}), settings(), ORIGIN)
    name = zoo.adapter_ids[mine]
    for before, after in zip(told.forecasts, other.forecasts, strict=True):
        if before.adapter_id == name:
            assert after.predicted == before.predicted and after.cell_mean == before.cell_mean
            assert after.observed == pytest.approx(1 - before.observed)
    assert any(one.predicted != two.predicted for one, two in zip(told.forecasts, other.forecasts, strict=True))


def test_the_interval_rests_on_the_residuals_of_the_others_and_the_bound_on_their_ranks(zoo: Rows, told: Foretold) -> None:
    for place, cell in enumerate(zoo.cell_names):
        mine = [one for one in told.forecasts if (one.corruption, one.severity) == cell]
        residuals = np.array([one.observed - one.predicted for one in mine])
        for adapter, one in enumerate(mine):
            others = np.delete(residuals, adapter)
            half = 2.262157 * np.sqrt((others**2).mean())  # t(0.975, 9); nine others
            assert one.low == pytest.approx(np.clip(one.predicted - half, 0, 1), abs=1e-6), place
            assert one.high == pytest.approx(np.clip(one.predicted + half, 0, 1), abs=1e-6), place
            assert one.upper_bound == pytest.approx(np.clip(one.predicted + max(0, others.max()), 0, 1))  # ceil(0.9 x 10) = 9th of 9


def test_the_kept_forecaster_knows_its_cells_residuals_and_where_it_came_from(zoo: Rows, told: Foretold) -> None:
    assert told.forecaster is not None
    spec = told.forecaster.spec
    assert (spec.origin, spec.n, spec.n_adapters, spec.n_examples, spec.columns) == (ORIGIN, 720, 10, 24, ("confidence", *zoo.xai))
    rates = [(zoo.failed[zoo.cells == place].sum() + (zoo.failed.sum() + 0.5) / 721) / 241 for place in range(3)]
    assert [(name, severity) for name, severity, _ in spec.cells] == list(zoo.cell_names)
    assert [rate for *_, rate in spec.cells] == pytest.approx(rates)  # drawn to the rate of all by one row
    by_cell = {(one.corruption, one.severity): [] for one in told.forecasts}
    for one in told.forecasts:
        by_cell[one.corruption, one.severity].append(one.observed - one.predicted)
    assert {(name, severity): list(values) for name, severity, values in spec.residuals} == {
        cell: pytest.approx(values) for cell, values in by_cell.items()
    }


def test_the_kept_forecaster_foretells_known_adapters_about_as_they_were(zoo: Rows, told: Foretold) -> None:
    assert told.forecaster is not None
    scorer = told.forecaster.scorer()
    x, parts = zoo.matrix(told.forecaster.spec.columns), scorer.parts_of(zoo.example_ids)[zoo.examples]
    for place, cell in enumerate(zoo.cell_names):
        rows_of_cell = zoo.cells == place
        assert scorer.risk(x[rows_of_cell], cell, parts[rows_of_cell]).mean() == pytest.approx(zoo.failed[rows_of_cell].mean(), abs=0.1)


def test_what_an_example_did_never_reaches_the_trees_that_score_it(zoo: Rows, told: Foretold) -> None:
    """As in the procedure that the residuals come from: else intervals are too narrow where features know the example again."""
    assert told.forecaster is not None
    scorer, spec = told.forecaster.scorer(), told.forecaster.spec
    parts = scorer.parts_of(zoo.example_ids)
    assert 0 < parts.sum() < len(parts)  # both halves
    mine = int(np.flatnonzero(parts == 1)[0])
    changed = Rows(**vars(zoo) | {"failed": np.where(parts[zoo.examples] == 1, ~zoo.failed, zoo.failed)})
    other = foretell(changed, settings(), ORIGIN).forecaster
    assert other is not None
    x, cell = zoo.matrix(spec.columns)[zoo.examples == mine], zoo.cell_names[0]
    for part, same in ((1, True), (0, False)):  # scored as an example of its own half, and of the other one
        of = np.full(len(x), part)
        assert np.array_equal(scorer.risk(x, cell, of), other.scorer().risk(x, cell, of)) == same


def test_examples_that_do_not_fill_both_parts_foretell_nothing() -> None:
    some = rows(grid(24, 3, CELLS))
    alike = [name for name in (f"x{place}" for place in range(200)) if parts_of([name], 2, 42)[0] == 1][:24]
    told = foretell(Rows(**vars(some) | {"example_ids": tuple(alike)}), settings(), ORIGIN)
    assert told == Foretold(reason="24 examples do not fill 2 parts")


def test_the_same_rows_give_the_same_forecaster(zoo: Rows, told: Foretold) -> None:
    assert told.forecaster is not None
    again = foretell(zoo, settings(), ORIGIN).forecaster
    other = foretell(zoo, settings(), replace(ORIGIN, versions={"silver.predictions": 5})).forecaster
    assert again == told.forecaster and other is not None and other.identity != told.forecaster.identity


def test_below_eight_others_the_interval_is_withheld_and_with_one_adapter_nothing_is_held_out() -> None:
    few = foretell(rows(grid(24, 3, CELLS)), settings(), ORIGIN)
    assert {(one.low, one.high, one.upper_bound, one.reason) for one in few.forecasts} == {
        (None, None, None, "2 adapters were held out; an interval for a new one needs at least 8")
    }
    one = foretell(rows(grid(60, 1, CELLS)), settings(), ORIGIN)
    assert one.forecasts == () and one.reason == "one adapter only: none can be held out"
    assert one.forecaster is not None and one.forecaster.spec.residuals == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_correct": True}, "one class only: all rows are correct"),
        ({"confidence": np.nan}, "no feature of confidence: null in 100% of the rows"),
        ({"confidence": 0.5}, "no feature of confidence: the same in every row"),
    ],
)
def test_where_nothing_can_be_learned_there_is_no_forecaster_and_the_reason(change: Mapping[str, object], reason: str) -> None:
    assert foretell(rows(grid(24, 3, CELLS).assign(**change)), settings(), ORIGIN) == Foretold(reason=reason)


def test_forecasts_use_confidence_explanations_and_the_cell() -> None:
    assert BY_NAME["confidence+xai|cell"] == FEATURES and HELD_OUT.adapters and not HELD_OUT.corruptions
