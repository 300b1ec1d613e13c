"""Deletion and insertion by hand on linear models, where p is the sum of the visible units' weights."""

from __future__ import annotations

import numpy as np
import pytest

from xai.attribution import reverse
from xai.metrics import deletion, insertion
from xai.presets import DEFAULT, KI, Preset

FOUR = np.array([0.4, 0.1, 0.3, 0.2])


def test_deletion_of_four_units_by_hand(linear) -> None:
    # Removed .4, .3, .2, .1: p = 1, .6, .3, .1, 0 at steps of 1/4; area (.5 + .6 + .3 + .1 + 0)/4.
    curve = deletion(FOUR, linear(FOUR[None]))
    np.testing.assert_allclose(curve.p, [1, 0.6, 0.3, 0.1, 0], atol=1e-15)
    np.testing.assert_allclose(curve.fractions, [0, 0.25, 0.5, 0.75, 1])
    assert curve.area == pytest.approx(0.375, abs=1e-15)


def test_insertion_of_four_units_by_hand(linear) -> None:
    # Revealed .4, .3, .2, .1: p = 0, .4, .7, .9, 1; area (0 + .4 + .7 + .9 + .5)/4.
    assert insertion(FOUR, linear(FOUR[None])).area == pytest.approx(0.625, abs=1e-15)


def test_the_reverse_of_the_truth_swaps_the_two_areas(linear) -> None:
    # Removed .1, .2, .3, .4: p = 1, .9, .7, .4, 0; area (.5 + .9 + .7 + .4)/4. Revealed: the same numbers from the other side.
    assert deletion(reverse(FOUR), linear(FOUR[None])).area == pytest.approx(0.625, abs=1e-15)
    assert insertion(reverse(FOUR), linear(FOUR[None])).area == pytest.approx(0.375, abs=1e-15)


@pytest.mark.parametrize("preset", [DEFAULT, KI], ids=lambda preset: preset.name)
def test_sixteen_equal_units_go_one_by_one_and_leave_half(linear, preset: Preset) -> None:
    # step = max(1, 16 // 10) = 1: 17 points on a straight line from 1 to 0, exact and even spacing are the same.
    curve = deletion(np.ones(16), linear(np.full((1, 16), 1 / 16)), preset)
    assert curve.p.shape == (17,)
    assert curve.area == pytest.approx(0.5, abs=1e-15)


def test_a_shorter_last_step_counts_for_its_true_width(linear) -> None:
    # step = 25 // 10 = 2: thirteen steps, the last of one unit. p = 1 - x, whatever the points: area 1/2.
    curve = deletion(np.ones(25), linear(np.full((1, 25), 1 / 25)), DEFAULT)
    assert curve.p.shape == (14,)
    assert curve.area == pytest.approx(0.5, abs=1e-14)


def test_ki_spaces_its_points_evenly_although_the_last_step_is_shorter(linear) -> None:
    # p_j = 1 - 2j/25 for j = 0..12, then 0, each 1/13 apart: (1/2 + Σ_{j=1..12} (1 - 2j/25) + 0)/13 = (12.5 - 156/25)/13.
    curve = deletion(np.ones(25), linear(np.full((1, 25), 1 / 25)), KI)
    assert curve.area == pytest.approx(6.26 / 13, abs=1e-14)


def test_normalised_areas_are_divided_by_p_of_the_intact_input(linear) -> None:
    half = FOUR / 2  # intact p = .5
    assert deletion(FOUR, linear(half[None])).normalised == pytest.approx(0.375, abs=1e-15)
    assert deletion(FOUR, linear(half[None])).area == pytest.approx(0.1875, abs=1e-15)
    assert insertion(FOUR, linear(half[None])).normalised == pytest.approx(0.625, abs=1e-15)


def test_an_intact_p_of_zero_leaves_the_normalised_area_null_and_the_raw_one_zero(linear) -> None:
    with np.errstate(all="raise"):
        curve = deletion(FOUR, linear(np.zeros((1, 4))))
    assert curve.area == 0.0
    assert np.isnan(curve.normalised)


@pytest.mark.parametrize("metric", [deletion, insertion])
def test_a_non_finite_attribution_gives_null_and_costs_one_distinct_mask(metric, linear) -> None:
    asked = []

    def value(keep: np.ndarray) -> np.ndarray:
        asked.append(keep)
        return linear(np.stack([FOUR, FOUR]))(keep)

    curve = metric(np.array([[0.4, np.nan, 0.3, 0.2], FOUR]), value)
    assert np.isnan(curve.area).tolist() == np.isnan(curve.normalised).tolist() == [True, False]
    assert [len(np.unique(of_example, axis=0)) for of_example in asked[0]] == [1, 5]


@pytest.mark.parametrize("metric", [deletion, insertion])
def test_a_non_finite_p_gives_null(metric) -> None:
    curve = metric(FOUR, lambda keep: np.where(keep.sum(-1) == 2, np.nan, 1.0))
    assert np.isnan(curve.area)


def test_one_unit_has_two_points(linear) -> None:
    # p = 1 and 0: area 1/2 for both curves.
    assert deletion(np.array([3.0]), linear(np.ones((1, 1)))).area == 0.5
    assert insertion(np.array([3.0]), linear(np.ones((1, 1)))).area == 0.5


@pytest.mark.parametrize("preset", [DEFAULT, KI], ids=lambda preset: preset.name)
@pytest.mark.parametrize("metric", [deletion, insertion])
def test_examples_of_unlike_length_in_one_batch_have_the_areas_they_have_alone(metric, preset: Preset, linear) -> None:
    rng = np.random.default_rng(0)
    lengths = [1, 4, 25, 40]
    included = np.arange(40) < np.array(lengths)[:, None]
    attribution, weights = rng.normal(size=(4, 40)), rng.uniform(size=(4, 40)) / 40
    together = metric(attribution, linear(weights), preset, included)
    alone = [metric(attribution[i, :n], linear(weights[i : i + 1, :n]), preset) for i, n in enumerate(lengths)]
    np.testing.assert_allclose(together.area, [curve.area for curve in alone], rtol=1e-14)
    np.testing.assert_allclose(together.normalised, [curve.normalised for curve in alone], rtol=1e-14)


def test_a_constant_map_goes_by_position(linear) -> None:
    # Revealed .4, .1, .3, .2 in position order: p = 0, .4, .5, .8, 1; area (.4 + .5 + .8 + .5)/4.
    assert insertion(np.zeros(4), linear(FOUR[None])).area == pytest.approx(0.55, abs=1e-15)


def test_a_value_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="one p per example and mask"):
        deletion(FOUR, lambda keep: np.ones(keep.shape[1]))
