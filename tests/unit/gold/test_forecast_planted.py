"""Worlds whose truth was planted: statistics that cannot lie must not be taken in by adapters, by duplicates, or by luck.

Few seeds of small sets, trees few: the bench counts a hundred seeds of each (`benchmarks/forecast_claims.py`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.forecast_claims import REGIME_OF, Claims, Scale, claims
from benchmarks.forecast_planted import CONFIDENT, EXPLAINED, IDENTITY, LEAKED, NOTHING, Planted
from gold.forecast.regimes import Regime
from gold.forecast.verdict import ADDS, HARMS, NONE, WEAK
from tests.unit.gold.forecast_frames import FEW_TREES, settings

SCALE = Scale(n_examples=100, n_adapters=8, n_cells=2, n_xai=4)
PLACES = Scale(n_examples=100, n_adapters=8, n_cells=2, n_xai=8)  # as many metrics as adapters: a line can tell any of them from the rest
SIGNATURE = Scale(n_examples=60, n_adapters=8, n_cells=2, n_xai=30)  # enough metrics to tell every example from the others
GROUPED, HELD_OUT, ROWS = REGIME_OF["grouped"], REGIME_OF["leave_adapter_out"], REGIME_OF["ki"]
BROKEN = replace(GROUPED, leaky=True)  # grouped in name, by row in deed


def found(world: Planted, regime: Regime, seeds: int, scale: Scale = SCALE) -> Claims:
    return claims(world, regime, range(seeds), settings(resamples=60, boosted=FEW_TREES, n_folds=4), scale)


def test_without_a_signal_nothing_is_claimed_and_auroc_is_one_half() -> None:
    given = found(NOTHING, GROUPED, 8)
    # at 6 % each, two or more of eight come in 8 of 100 runs; the seeds are fixed
    assert given.verdicts[ADDS] <= 1 and given.verdicts[HARMS] <= 1 and given.verdicts[None] == 0
    assert given.held >= 7
    assert np.mean(given.aurocs) == pytest.approx(0.5, abs=0.015) and np.mean(given.gains) == pytest.approx(0.0, abs=0.015)


def test_what_tells_adapters_apart_gains_between_them_only() -> None:
    given = found(IDENTITY, GROUPED, 4, PLACES)
    assert min(given.aurocs) > 0.58 and min(given.gains) > 0.08  # pooled: as good as knowing which adapter it is
    assert np.mean(given.within) == pytest.approx(0.0, abs=0.02) and given.verdicts[ADDS] == 0


def test_what_tells_adapters_apart_is_worth_nothing_for_one_that_was_not_seen() -> None:
    given = found(IDENTITY, HELD_OUT, 2, PLACES)
    assert np.mean(given.aurocs) == pytest.approx(0.5, abs=0.03)
    assert np.mean(given.within) == pytest.approx(0.0, abs=0.02) and given.verdicts[ADDS] == 0


def test_beside_a_confidence_that_knows_explanations_that_do_not_add_nothing() -> None:
    given = found(CONFIDENT, GROUPED, 4)
    assert given.verdicts[ADDS] == 0 and -0.02 < np.mean(given.gains) < 0.005
    assert sum(given.verdicts[name] for name in (NONE, WEAK, HARMS)) == 4


@pytest.mark.parametrize(("regime", "seeds"), [(GROUPED, 4), (HELD_OUT, 2)], ids=["grouped", "leave_adapter_out"])
def test_explanations_that_know_more_are_found(regime: Regime, seeds: int) -> None:
    given = found(EXPLAINED, regime, seeds)
    assert given.verdicts == {ADDS: seeds} and min(given.within) > 0.08


def test_a_signature_of_the_example_is_worth_much_where_rows_are_split_and_nothing_where_examples_are() -> None:
    honest = found(LEAKED, GROUPED, 3, SIGNATURE)
    assert honest.verdicts[ADDS] == 0 and np.mean(honest.gains) == pytest.approx(0.0, abs=0.06)
    leaky = found(LEAKED, ROWS, 3, SIGNATURE)
    assert leaky.verdicts == {ADDS: 3} and min(leaky.gains) > 0.15


def test_the_planted_leak_would_show_that_the_grouped_split_is_broken() -> None:
    assert found(LEAKED, BROKEN, 2, SIGNATURE).verdicts == {ADDS: 2}
