"""Comprehensiveness and sufficiency by hand on linear models."""

from __future__ import annotations

import numpy as np
import pytest

from xai.metrics import comprehensiveness, sufficiency
from xai.metrics.removal import words

TEN = np.arange(10, 0, -1) / 55.0  # 10/55, 9/55, …, 1/55: sum 1


def test_the_number_of_words_is_rounded_up_in_whole_numbers() -> None:
    # 1, 5, 10, 20, 50 % of 5: .05, .25, .5, 1, 2.5; of 10: .1, .5, 1, 2, 5; of 70, 10 % is 7 where 0.1·70 in floats is 7.000000000000001.
    n_units = np.array([5, 10, 70], dtype=np.int64)
    np.testing.assert_array_equal(words(n_units, (1, 5, 10, 20, 50)), [[1, 1, 1, 1, 3], [1, 1, 1, 2, 5], [1, 4, 7, 14, 35]])


def test_comprehensiveness_of_ten_words_by_hand(linear) -> None:
    # Lost with the top 1, 1, 1, 2, 5 words: 10, 10, 10, 19, 40 of 55; mean 17.8/55.
    assert comprehensiveness(TEN, linear(TEN[None])) == pytest.approx(17.8 / 55, abs=1e-15)
    assert comprehensiveness(TEN, linear(TEN[None]), percents=(20,)) == pytest.approx(19 / 55, abs=1e-15)


def test_sufficiency_of_ten_words_by_hand(linear) -> None:
    # Kept by the top 1, 1, 1, 2, 5 words: 10, 10, 10, 19, 40 of 55; lost on average 1 - 17.8/55.
    assert sufficiency(TEN, linear(TEN[None])) == pytest.approx(1 - 17.8 / 55, abs=1e-15)
    assert sufficiency(TEN, linear(TEN[None]), percents=(20,)) == pytest.approx(36 / 55, abs=1e-15)


def test_both_are_negative_where_the_words_taken_spoke_against_the_target() -> None:
    # p is 1 - .5 while word 0 is visible: taking it away gains .5.
    assert comprehensiveness(np.array([1.0, 0.0]), lambda keep: 1 - 0.5 * keep[..., 0], percents=(50,)) == -0.5
    assert sufficiency(np.array([0.0, 1.0]), lambda keep: 1 - 0.5 * keep[..., 0], percents=(50,)) == -0.5


@pytest.mark.parametrize("metric", [comprehensiveness, sufficiency])
def test_padding_changes_nothing(metric, linear) -> None:
    padded = np.concatenate([TEN, [7.0, 7.0]])[None]
    included = np.arange(12)[None] < 10
    assert metric(padded, linear(padded), included=included)[0] == pytest.approx(float(metric(TEN, linear(TEN[None]))), abs=1e-15)


@pytest.mark.parametrize("metric", [comprehensiveness, sufficiency])
def test_a_non_finite_attribution_gives_null(metric, linear) -> None:
    both = np.stack([TEN, TEN])
    broken = both.copy()
    broken[0, 3] = np.nan
    assert np.isnan(metric(broken, linear(both))).tolist() == [True, False]


@pytest.mark.parametrize("percents", [(), (0,), (101,), (0.5,)])
def test_percents_outside_one_to_a_hundred_are_refused(percents, linear) -> None:
    with pytest.raises(ValueError, match="whole numbers from 1 to 100"):
        comprehensiveness(TEN, linear(TEN[None]), percents=percents)


@pytest.mark.parametrize(("n_units", "expected"), [(1, [1, 1, 1, 1, 1]), (2, [1, 1, 1, 1, 1]), (12, [1, 1, 2, 3, 6])])
def test_at_least_one_word_is_taken_from_a_short_text(n_units: int, expected: list[int]) -> None:
    np.testing.assert_array_equal(words(np.array([n_units], dtype=np.int64), (1, 5, 10, 20, 50)), [expected])


def test_one_word_is_all_that_can_be_lost_and_alone_it_loses_nothing() -> None:
    assert comprehensiveness(np.array([0.3]), lambda keep: np.where(keep[..., 0], 0.75, 0.25)) == 0.5
    assert sufficiency(np.array([0.3]), lambda keep: np.where(keep[..., 0], 0.75, 0.25)) == 0.0
