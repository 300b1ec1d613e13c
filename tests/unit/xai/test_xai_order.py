"""Order of units, schedules and masks by hand."""

from __future__ import annotations

import numpy as np
import pytest

from xai.metrics.order import fractions, ranks, removal_masks, reveal_masks, schedule


def sizes(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def test_units_are_ranked_by_signed_value_descending_and_ties_by_position() -> None:
    np.testing.assert_array_equal(ranks(np.array([[0.0, 2.0, -5.0, 2.0, 0.0]])), [[2, 0, 4, 1, 3]])


def test_negative_zero_ties_with_zero() -> None:
    np.testing.assert_array_equal(ranks(np.array([[0.0, -0.0, 0.0]])), [[0, 1, 2]])


def test_excluded_units_are_ranked_behind_all_others() -> None:
    included = np.array([[False, True, True, False]])
    np.testing.assert_array_equal(ranks(np.array([[9.0, -1.0, 3.0, 5.0]]), included), [[2, 1, 0, 3]])


def test_ties_go_by_position_in_long_maps_too() -> None:
    # Only short arrays are sorted stably by numpy's default sort.
    signed = np.random.default_rng(0).integers(-1, 2, size=500).astype(np.float32)
    expected = np.empty(500, dtype=np.int64)
    expected[sorted(range(500), key=lambda unit: (-signed[unit], unit))] = np.arange(500)
    np.testing.assert_array_equal(ranks(signed[None])[0], expected)


def test_the_last_step_is_shorter_and_shorter_examples_repeat_their_end() -> None:
    counts = schedule(sizes(25, 4), sizes(10, 2))
    np.testing.assert_array_equal(counts, [[0, 10, 20, 25], [0, 2, 4, 4]])


def test_a_step_larger_than_the_example_changes_everything_at_once() -> None:
    np.testing.assert_array_equal(schedule(sizes(3), sizes(8)), [[0, 3]])


def test_exact_fractions_are_units_changed_and_even_ones_are_not() -> None:
    n_units, steps = sizes(25, 4), sizes(10, 2)
    np.testing.assert_allclose(fractions(n_units, steps, "exact"), [[0, 0.4, 0.8, 1], [0, 0.5, 1, 1]], rtol=1e-15)
    np.testing.assert_allclose(fractions(n_units, steps, "even"), [[0, 1 / 3, 2 / 3, 1], [0, 0.5, 1, 1]], rtol=1e-15)


@pytest.mark.parametrize("spacing", ["exact", "even"])
@pytest.mark.parametrize("n_units", [1, 9, 16, 25, 256])
def test_x_runs_from_zero_to_one_without_falling(spacing, n_units: int) -> None:
    x = fractions(sizes(n_units), sizes(max(1, n_units // 10)), spacing)[0]
    assert (x[0], x[-1]) == (0.0, 1.0)
    assert (np.diff(x) > 0).all()


def test_removal_hides_the_first_units_and_reveal_shows_them() -> None:
    places, counts, included = np.array([[1, 0, 2]]), np.array([[0, 1, 3]]), np.ones((1, 3), dtype=bool)
    np.testing.assert_array_equal(removal_masks(places, counts, included)[0].astype(int), [[1, 1, 1], [1, 0, 1], [0, 0, 0]])
    np.testing.assert_array_equal(reveal_masks(places, counts, included)[0].astype(int), [[0, 0, 0], [0, 1, 0], [1, 1, 1]])


def test_excluded_units_are_never_visible() -> None:
    included = np.array([[True, False, True]])
    places, counts = ranks(np.array([[1.0, 9.0, 2.0]]), included), np.array([[0, 1, 2]])
    assert not removal_masks(places, counts, included)[..., 1].any()
    assert not reveal_masks(places, counts, included)[..., 1].any()
    np.testing.assert_array_equal(removal_masks(places, counts, included)[0, 0], included[0])
    np.testing.assert_array_equal(reveal_masks(places, counts, included)[0, -1], included[0])
