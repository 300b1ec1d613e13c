"""Masks are a function of the example's own generator and units alone."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from xai.masks import MASKING, Masking, coalitions, drawn_masks, one_hidden

INCLUDED = np.arange(9) < np.array([9, 7, 2, 1])[:, None]


def generators(*seeds: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in seeds]


def test_the_defaults_are_those_of_the_methods() -> None:
    assert MASKING.model_dump() == {"n": 100, "keep_probability": 0.7}


def test_the_first_mask_shows_everything_and_none_shows_nothing_or_an_excluded_unit() -> None:
    keep = drawn_masks(generators(0, 1, 2, 3), INCLUDED)
    assert keep.shape == (4, 100, 9) and keep.dtype == np.bool_
    np.testing.assert_array_equal(keep[:, 0], INCLUDED)
    assert keep.any(axis=2).all()
    assert not (keep & ~INCLUDED[:, None, :]).any()


def test_a_text_of_one_word_is_shown_whole_every_time() -> None:
    assert drawn_masks(generators(3), np.ones((1, 1), dtype=bool)).all()


def test_ten_thousand_words_are_drawn_like_ten() -> None:
    keep = drawn_masks(generators(3), np.ones((1, 10_000), dtype=bool), Masking(n=20))[0]
    # 190,000 coins of 0.7: a standard error of .00105, four of them.
    assert keep[0].all() and abs(keep[1:].mean() - 0.7) < 0.0042


def test_masks_are_the_generators_numbers_below_the_keep_probability() -> None:
    # Nine units: a mask without any is drawn with 0.3^9 = 2e-5, and was not here.
    drawn = np.random.default_rng(0).random((99, 9)) < 0.7
    assert drawn.any(axis=1).all()
    np.testing.assert_array_equal(drawn_masks(generators(0), INCLUDED[:1])[0, 1:], drawn)


def test_masks_that_show_nothing_are_drawn_again_and_the_others_stay() -> None:
    generator = np.random.default_rng(7)
    first = generator.random((99, 2)) < 0.7
    empty = ~first.any(axis=1)
    again = generator.random((int(empty.sum()), 2)) < 0.7
    found = drawn_masks(generators(7), np.ones((1, 2), dtype=bool))[0, 1:]
    assert 0 < empty.sum() < 99 and again.any()
    np.testing.assert_array_equal(found[~empty], first[~empty])
    np.testing.assert_array_equal(found[empty][again.any(axis=1)], again[again.any(axis=1)])


def test_neighbours_padding_and_order_change_no_mask() -> None:
    together = drawn_masks(generators(0, 1, 2, 3), INCLUDED)
    for row, size in enumerate((9, 7, 2, 1)):
        alone = drawn_masks(generators(row), np.ones((1, size), dtype=bool))[0]
        np.testing.assert_array_equal(together[row][:, INCLUDED[row]], alone)
    scattered = np.array([[False, True, False, True, True, False]])
    np.testing.assert_array_equal(
        drawn_masks(generators(4), scattered)[0][:, [1, 3, 4]], drawn_masks(generators(4), np.ones((1, 3), dtype=bool))[0]
    )


def test_a_unit_is_visible_with_the_keep_probability_given_that_something_is() -> None:
    # Two units: P(visible | not both hidden) = .7 / (1 - .09) = .7692; 40,000 draws have a standard error of .0021, four of them.
    keep = drawn_masks(generators(5), np.ones((1, 2), dtype=bool), Masking(n=40_001))
    np.testing.assert_allclose(keep[0, 1:].mean(axis=0), 0.7 / 0.91, atol=0.0085)


@pytest.mark.parametrize("wrong", [{"n": 2}, {"keep_probability": 0.01}, {"keep_probability": 1.0}, {"masks": 3}])
def test_masking_out_of_range_is_refused(wrong) -> None:
    with pytest.raises(ValidationError):
        Masking(**wrong)


def test_an_example_without_units_or_without_a_generator_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one unit in each"):
        drawn_masks(generators(0), np.zeros((1, 3), dtype=bool))
    with pytest.raises(ValueError, match="one generator per example"):
        drawn_masks(generators(0), INCLUDED)


def test_coalitions_are_the_binary_numbers() -> None:
    np.testing.assert_array_equal(coalitions(2).astype(int), [[0, 0], [1, 0], [0, 1], [1, 1]])
    assert len(np.unique(coalitions(7), axis=0)) == 128


@pytest.mark.parametrize("size", [0, 17])
def test_coalitions_of_no_units_or_too_many_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="1 to 16 units"):
        coalitions(size)


def test_one_hidden_hides_each_unit_once_and_repeats_the_intact_input_for_excluded_ones() -> None:
    keep = one_hidden(np.array([[True, True, False]]))[0].astype(int)
    np.testing.assert_array_equal(keep, [[1, 1, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0]])
