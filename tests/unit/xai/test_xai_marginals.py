"""Marginal contributions by size of coalition: against a loop over coalitions, and their mean against Shapley values."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from xai.inversion.marginals import by_size, marginals_of

UNITS = 4


def v(keep: np.ndarray) -> np.ndarray:
    """Two units that need each other, one that adds, one that does nothing."""
    return 2.0 * keep[..., 0] * keep[..., 1] + 3.0 * keep[..., 2]


def found(included: np.ndarray, enumerate_up_to: int) -> np.ndarray:
    plan = marginals_of(included, [np.random.default_rng(row) for row in range(len(included))], enumerate_up_to)
    return by_size(v(plan.keep)[:, None].astype(np.float64), plan.operator, included)[:, 0]


def test_exact_marginals_are_means_over_all_coalitions_of_a_size() -> None:
    included = np.array([[True] * UNITS, [True, True, False, True]])
    ours = found(included, 6)
    for row, inside in enumerate(included):
        places = np.flatnonzero(inside)
        for unit in places:
            others = [place for place in places if place != unit]
            for size in range(len(places)):
                told = []
                for chosen in combinations(others, size):
                    keep = np.isin(np.arange(UNITS), chosen)
                    told.append(v(keep | (np.arange(UNITS) == unit)) - v(keep))
                assert ours[row, unit, size] == pytest.approx(np.mean(told))
    assert np.isnan(ours[1, :, 3]).all() and (ours[1, 2, :3] == 0).all()


def test_turned_orders_give_every_unit_one_coalition_of_every_size() -> None:
    included = np.ones((1, UNITS), dtype=bool)
    ours = found(included, 0)[0]
    assert ours[2] == pytest.approx([3.0] * UNITS)  # it adds 3 to any coalition: no variance at any draw
    assert ours[3] == pytest.approx([0.0] * UNITS)
    assert sorted(np.round(ours[0], 9)) in ([0, 0, 0, 2], [0, 0, 2, 2], [0, 2, 2, 2])  # 2 where unit 1 came before
    # marginals of one order sum to v(all) - v(nothing) = 5; over the turns the sum over units and sizes is N times that
    assert ours.sum() == pytest.approx(5.0 * UNITS)
