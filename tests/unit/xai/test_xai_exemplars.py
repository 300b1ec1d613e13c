"""Are the metrics of named training examples what a hand says, and null where there is nothing to say?"""

from __future__ import annotations

import numpy as np
import pytest

from xai.metrics import exemplar_agreement, exemplar_distance, exemplar_entropy, exemplar_probability


def test_entropy_is_0_where_one_example_holds_all_and_1_where_all_hold_the_same() -> None:
    found = exemplar_entropy(np.array([[0.3, 0.0, 0.0, 0.0], [0.1, 0.1, 0.1, 0.1], [0.2, 0.2, 0.0, 0.0]]))
    np.testing.assert_allclose(found, [0.0, 1.0, 0.5])  # two of four: 1 bit of 2


def test_entropy_does_not_depend_on_what_the_others_hold() -> None:
    p = np.array([0.5, 0.25, 0.125])
    assert float(exemplar_entropy(p)) == pytest.approx(float(exemplar_entropy(p / 1000)))
    assert float(exemplar_entropy(p)) == pytest.approx(1.3788 / np.log2(3), abs=1e-4)  # shares 4/7, 2/7, 1/7


@pytest.mark.parametrize("p", [[0.7], [0.0, 0.0], [0.5, np.nan]], ids=["one place", "nobody", "no number"])
def test_entropy_of_nothing_is_null(p: list[float]) -> None:
    assert np.isnan(exemplar_entropy(np.array(p)))


def test_agreement_counts_those_that_are_there() -> None:
    labels, there = np.array([[0, 1, 1, 2], [1, 1, 9, 9], [0, 0, 0, 0]]), np.array([[True] * 4, [True, True, False, False], [False] * 4])
    np.testing.assert_array_equal(exemplar_agreement(labels, np.array([1, 9, 0]), there), [0.5, 0.0, np.nan])


def test_the_first_share_is_null_where_nobody_is_named() -> None:
    np.testing.assert_array_equal(exemplar_probability(np.array([[0.25, 0.1], [0.0, 0.0]])), [0.25, np.nan])


def test_distance_is_of_directions_and_between_0_and_2() -> None:
    x = np.array([3.0, 0.0])
    others = np.array([[9.0, 0.0], [0.0, 1.0], [-2.0, 0.0], [1.0, 1.0], [0.0, 0.0], [np.nan, 0.0]])
    np.testing.assert_allclose(exemplar_distance(x, others), [0.0, 1.0, 2.0, 1 - 0.5**0.5, 1.0, np.nan])
