"""Shares, entropy and Gini by hand."""

from __future__ import annotations

import numpy as np
import pytest

from xai.metrics import entropy, gini
from xai.metrics.shares import shares


def test_shares_are_absolute_and_sum_to_one() -> None:
    np.testing.assert_allclose(shares(np.array([[1.0, -3.0, 0.0]])), [[0.25, 0.75, 0.0]])


def test_an_all_zero_map_is_uniform_over_its_included_units() -> None:
    included = np.array([[True, True, False]])
    np.testing.assert_array_equal(shares(np.zeros((1, 3)), included), [[0.5, 0.5, 0.0]])


@pytest.mark.parametrize("scale", [1e-320, 1e-30, 1e30, 1.7e308])
def test_shares_do_not_depend_on_scale(scale: float) -> None:
    np.testing.assert_allclose(shares(np.array([[scale, scale]])), [[0.5, 0.5]])


def test_a_non_finite_unit_makes_all_shares_of_its_example_null_and_no_other() -> None:
    with np.errstate(invalid="raise"):
        found = shares(np.array([[1.0, np.inf], [1.0, 1.0], [np.nan, 0.0]]))
    np.testing.assert_array_equal(found, [[np.nan, np.nan], [0.5, 0.5], [np.nan, np.nan]])


def test_a_non_finite_value_on_an_excluded_place_does_not_count() -> None:
    np.testing.assert_array_equal(shares(np.array([[1.0, np.nan]]), np.array([[True, False]])), [[1.0, 0.0]])


def test_entropy_of_four_units_by_hand() -> None:
    # Shares 1/2, 1/4, 1/8, 1/8: 0.5·1 + 0.25·2 + 2·0.125·3 = 1.75 bits of log2 4 = 2.
    assert entropy(np.array([4.0, -2.0, 1.0, 1.0])) == pytest.approx(0.875, abs=1e-15)


def test_gini_of_four_units_by_hand() -> None:
    # Ascending 1/8, 1/8, 1/4, 1/2 with weights 3.5, 2.5, 1.5, 0.5: sum 1.375, S = 1 - 2/4 · 1.375.
    assert gini(np.array([4.0, -2.0, 1.0, 1.0])) == pytest.approx(0.3125, abs=1e-15)


@pytest.mark.parametrize("n_units", [2, 16, 25, 256])
def test_a_uniform_or_all_zero_map_has_entropy_one_and_gini_zero(n_units: int) -> None:
    maps = np.stack([np.zeros(n_units), np.full(n_units, 0.3)])
    np.testing.assert_allclose(entropy(maps), 1.0, rtol=1e-14)
    np.testing.assert_allclose(gini(maps), 0.0, atol=1e-14)


@pytest.mark.parametrize("n_units", [2, 16, 25, 256])
def test_a_one_hot_map_has_entropy_zero_and_gini_one_minus_one_over_n(n_units: int) -> None:
    one_hot = np.eye(1, n_units)[0]
    assert entropy(one_hot) == 0.0
    assert gini(one_hot) == pytest.approx(1 - 1 / n_units, abs=1e-14)


def test_one_unit_has_no_entropy_and_gini_zero() -> None:
    with np.errstate(all="raise"):
        assert np.isnan(entropy(np.array([0.7])))
        assert gini(np.array([0.7])) == 0.0


def test_an_epsilon_never_leads_out_of_the_range() -> None:
    # log2(1 + 1e-10) > 0, so KI's own entropy of a one-hot map is -7e-11 for 4 units.
    assert entropy(np.array([1.0, 0.0, 0.0, 0.0]), epsilon=1e-10) == 0.0


@pytest.mark.parametrize("metric", [entropy, gini])
def test_a_non_finite_attribution_gives_null_and_not_zero(metric) -> None:
    found = metric(np.array([[np.nan, 1.0], [np.inf, 1.0], [1.0, 3.0]]))
    assert np.isnan(found).tolist() == [True, True, False]


@pytest.mark.parametrize("metric", [entropy, gini])
def test_padding_changes_nothing(metric) -> None:
    bare = np.array([0.5, -0.2, 0.0, 1.0])
    padded = np.array([[0.5, 9.0, -0.2, 0.0, np.nan, 1.0]])
    included = np.array([[True, False, True, True, False, True]])
    assert metric(padded, included)[0] == pytest.approx(float(metric(bare)), abs=1e-15)


@pytest.mark.parametrize("metric", [entropy, gini])
def test_a_single_attribution_gives_one_number_and_a_batch_one_per_example(metric) -> None:
    batch = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    assert metric(batch).shape == (5,)
    assert metric(batch[2]).shape == ()
    assert metric(batch)[2] == metric(batch[2])


@pytest.mark.parametrize("metric", [entropy, gini])
@pytest.mark.parametrize(
    ("attribution", "included", "message"),
    [
        (np.zeros((2, 0)), None, "at least one unit"),
        (np.zeros((1, 2)), np.zeros((1, 2), dtype=bool), "at least one included unit"),
        (np.zeros((1, 2)), np.ones((1, 2)), "must be boolean"),
        (np.zeros((1, 2)), np.ones((2, 2), dtype=bool), "attribution's shape"),
    ],
)
def test_maps_without_units_and_masks_that_do_not_fit_are_refused(metric, attribution, included, message) -> None:
    with pytest.raises(ValueError, match=message):
        metric(attribution, included)
