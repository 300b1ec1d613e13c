"""Reproduce-by-Poking by hand: what a unit's unsteadiness costs it, and what is only a smaller attribution."""

from __future__ import annotations

import math

import numpy as np
import pytest

from xai.inversion.refine import reproduce_by_poking, shapley_stability, shrink

A = np.array([[0.6, -0.2, 0.1]])
# three pokes of each unit; of the second unit none kept the prediction, of the third one did
POKED = np.array([[[0.7, 0.4, 0.6], [5.0, 5.0, 5.0], [0.4, 9.0, 9.0]]])
ADMISSIBLE = np.array([[[True, True, True], [False, False, False], [True, False, False]]])


def test_a_unit_is_discounted_by_the_mean_change_over_the_pokes_that_kept_the_prediction() -> None:
    found = reproduce_by_poking(A, POKED, ADMISSIBLE, strength=0.1)
    # unit 1: (0.1 + 0.2 + 0) / 3 = 0.1; unit 2: none, so unchanged; unit 3: |0.4 - 0.1| = 0.3
    assert found.delta == pytest.approx(np.array([[0.1, 0.0, 0.3]]))
    assert found.values == pytest.approx(np.array([[0.6 / 1.01, -0.2, 0.1 / 1.03]]))
    assert found.mean_delta == pytest.approx([0.4 / 3]) and found.unpoked.tolist() == [1.0]
    assert found.rejected == pytest.approx([5 / 9])
    assert found.mass_kept == pytest.approx([(0.6 / 1.01 + 0.2 + 0.1 / 1.03) / 0.9])


def test_without_an_admissible_poke_nothing_changes_and_all_units_are_counted() -> None:
    found = reproduce_by_poking(A, POKED, np.zeros_like(ADMISSIBLE), strength=10.0)
    assert np.array_equal(found.values, A) and (found.unpoked.tolist(), found.rejected.tolist(), found.mass_kept.tolist()) == (
        [3],
        [1],
        [1],
    )


def test_scale_free_a_multiple_is_discounted_alike_and_literal_it_is_not() -> None:
    for scale in (1e-6, 1e6):
        one, other = (reproduce_by_poking(s * A, s * POKED, ADMISSIBLE, 1.0, scale_free=True) for s in (1.0, scale))
        assert other.values == pytest.approx(scale * one.values) and other.mass_kept == pytest.approx(one.mass_kept)
    assert one.delta == pytest.approx(np.array([[0.1, 0.0, 0.3]]) / 0.3)  # mean |a| is 0.3
    literal = [reproduce_by_poking(s * A, s * POKED, ADMISSIBLE, 1.0).mass_kept[0] for s in (1e-6, 1e6)]
    assert literal[0] == pytest.approx(1.0, abs=1e-5) and literal[1] < 0.3  # normalised attributions barely move


def test_an_attribution_of_nothing_stays_nothing() -> None:
    nothing = np.zeros((1, 3))
    found = reproduce_by_poking(nothing, POKED, ADMISSIBLE, 1.0, scale_free=True)
    assert np.array_equal(found.values, nothing) and np.isnan(found.mass_kept).all()
    assert np.array_equal(shrink(nothing, found.values), nothing)


def test_shrinking_keeps_every_share_and_as_much_in_all_as_the_refined_one() -> None:
    refined = reproduce_by_poking(A, POKED, ADMISSIBLE, strength=10.0).values
    shrunk = shrink(A, refined)
    assert np.abs(shrunk).sum() == pytest.approx(np.abs(refined).sum())
    assert shrunk / A == pytest.approx(np.full((1, 3), np.abs(refined).sum() / 0.9))


def test_stability_over_coalition_sizes_discounts_by_the_variance_of_what_a_unit_adds() -> None:
    # unit 1 always adds 0.6; unit 2 adds 0, -0.2, -0.4: variance 0.08 / 3; unit 3: 0.1 always. mean |a| = 0.3
    marginals = np.array([[[0.6, 0.6, 0.6], [0.0, -0.2, -0.4], [0.1, 0.1, 0.1]]])
    found = shapley_stability(A, marginals, strength=2.0)
    delta = 0.08 / 3 / 0.09
    assert found.delta == pytest.approx(np.array([[0.0, delta, 0.0]]))
    assert found.values == pytest.approx(np.array([[0.6, -0.2 / (1 + 2 * delta), 0.1]])) and found.rejected.tolist() == [0.0]


def test_padded_places_are_zero_and_count_nowhere() -> None:
    inside = np.array([[True, True, True, False]])
    a, poked = np.append(A, [[7.0]], axis=1), np.append(POKED, np.full((1, 1, 3), 8.0), axis=1)
    admissible = np.append(ADMISSIBLE, np.ones((1, 1, 3), dtype=bool), axis=1)
    for scale_free in (False, True):
        wide, narrow = (
            reproduce_by_poking(a, poked, admissible, 1.0, scale_free, inside),
            reproduce_by_poking(A, POKED, ADMISSIBLE, 1.0, scale_free),
        )
        assert wide.values[:, :3] == pytest.approx(narrow.values) and wide.values[0, 3] == 0.0
        for name in ("mean_delta", "mass_kept", "rejected", "unpoked"):
            assert getattr(wide, name) == pytest.approx(getattr(narrow, name)), name
    marginals = np.zeros((1, 4, 4))
    marginals[0, 0] = [0.6, 0.0, 0.6, np.nan]  # sizes 0 to 2 of three units
    assert shapley_stability(a, marginals, 1.0, inside).delta[0, 0] == pytest.approx(0.08 / 0.09)


def test_what_is_not_finite_is_null() -> None:
    broken = np.array([[math.nan, -0.2, 0.1]])
    found = reproduce_by_poking(broken, POKED, ADMISSIBLE)
    assert np.isnan(found.values[0, 0]) and np.isnan(found.mean_delta).all() and np.isnan(found.mass_kept).all()


def test_wrong_shapes_and_strengths_are_named() -> None:
    with pytest.raises(ValueError, match=r"pokes must be \[batch, units, pokes\] beside \(1, 3\), got \(1, 3\)"):
        reproduce_by_poking(A, A, ADMISSIBLE)
    with pytest.raises(ValueError, match=r"admissible \(1, 3, 2\)"):
        reproduce_by_poking(A, POKED, ADMISSIBLE[..., :2])
    with pytest.raises(ValueError, match="strength must be 0 or above, got -1"):
        reproduce_by_poking(A, POKED, ADMISSIBLE, strength=-1)
    with pytest.raises(ValueError, match=r"marginals must be \[batch, units, sizes\]"):
        shapley_stability(A, A)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_example_with_a_number_that_is_none_is_null_and_its_neighbour_is_not(bad: float) -> None:
    given = np.array([[1.0, 2.0], [1.0, 2.0]])
    poked = np.repeat(given[..., None], 2, axis=2) + 0.1
    poked[0, 1, 0] = bad
    found = reproduce_by_poking(given, poked, np.ones((2, 2, 2), dtype=bool), 1.0)
    assert np.isnan(found.values[0]).all() and np.isnan([found.mass_kept[0], found.mean_delta[0]]).all()
    assert found.values[1] == pytest.approx([1.0 / 1.1, 2.0 / 1.1])
    unheard = np.ones((2, 2, 2), dtype=bool)
    unheard[0, 1, 0] = False  # a poke that does not count says nothing
    assert np.isfinite(reproduce_by_poking(given, poked, unheard, 1.0).values).all()
    own = given.copy()
    own[0, 0] = bad
    assert np.isnan(reproduce_by_poking(own, np.repeat(given[..., None], 2, axis=2), np.ones((2, 2, 2), dtype=bool)).values[0]).all()
