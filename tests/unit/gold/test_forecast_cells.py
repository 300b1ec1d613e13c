"""Failure rates of an adapter in a cell: intervals for one more adapter, and what looks at shifted inputs or at the backbone's space."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from gold.forecast.cells import Spread, cell_means, residuals_of, without
from gold.forecast.distances import distances
from gold.forecast.label_free import average_thresholded_confidence, difference_of_confidence, rates
from tests.unit.gold.forecast_frames import keys, rows

EIGHT = Spread((-0.03, 0.01, 0.05, -0.01, 0.03, -0.05, 0.02, -0.02))  # sum 0; squares sum to 0.0078


def test_the_interval_for_one_more_adapter_is_student_s_by_hand() -> None:
    # root mean square = sqrt(0.0078 / 8) = 0.0312250; t(0.975, 8) = 2.306004; half = 0.0720049
    low, high, reason = EIGHT.interval(0.3, 0.95)
    assert (low, high, reason) == (pytest.approx(0.2279951, abs=1e-6), pytest.approx(0.3720049, abs=1e-6), None)
    moved = Spread(tuple(value + 0.1 for value in EIGHT.residuals))  # forecasts were 0.1 too low: that widens it, to both sides
    low, high, _ = moved.interval(0.3, 0.95)
    half = 2.306004 * (0.0078 / 8 + 0.01) ** 0.5
    assert (low, high) == pytest.approx((0.3 - half, 0.3 + half), abs=1e-6)


def test_the_interval_stays_a_share_on_both_sides() -> None:
    assert EIGHT.interval(0.02, 0.95)[:2] == (0.0, pytest.approx(0.0920049, abs=1e-6))
    assert Spread((0.2,) * 8).interval(0.95, 0.95)[1] == 1.0


def test_below_eight_adapters_the_interval_is_withheld_with_the_reason() -> None:
    expected = (None, None, "7 adapters were held out; an interval for a new one needs at least 8")
    assert without(EIGHT, 3).interval(0.3, 0.95) == expected
    assert Spread(()).interval(0.3, 0.95)[2] == "0 adapters were held out; an interval for a new one needs at least 8"


def test_the_interval_holds_one_more_adapter_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    for common, least, most in ((0.0, 0.885, 0.915), (0.04, 0.9, 1.0)):  # 3 standard errors of 4,000; what all have in common only widens
        residuals = common + 0.03 * generator.standard_normal((4000, 9))
        hits = [low <= 0.4 + one[8] <= high for one in residuals for low, high, _ in [Spread(tuple(one[:8])).interval(0.4, 0.9)]]
        assert least <= np.mean(hits) <= most


def test_the_conformal_bound_is_the_residual_of_rank_level_times_n_plus_one() -> None:
    nine = Spread(tuple(place / 100 for place in range(9)))
    assert nine.conformal(0.2, 0.9) == pytest.approx(0.28)  # ceil(0.9 x 10) = 9th of 9
    assert nine.conformal(0.2, 0.5) == pytest.approx(0.24)  # 5th
    assert nine.conformal(0.99, 0.9) == 1.0  # a rate
    assert Spread((-0.1,) * 9).conformal(0.2, 0.9) == 0.2  # never below the forecast
    assert Spread(nine.residuals[:8]).conformal(0.2, 0.9) is None  # ceil(8.1) = 9 of 8: no bound holds nine times in ten
    assert Spread(()).conformal(0.2, 0.9) is None


def test_the_conformal_bound_is_exceeded_by_at_most_one_in_ten_adapters() -> None:
    generator = np.random.default_rng(1)
    residuals = 0.1 * generator.exponential(size=(4000, 15)) - 0.1
    held = [0.4 + one[14] <= (Spread(tuple(one[:14])).conformal(0.4, 0.9) or 0.0) for one in residuals]
    # ceil(0.9 x 15) = 14 of 14: the largest; exceeded by 1 of 15
    assert np.mean(held) == pytest.approx(14 / 15, abs=0.012)


def test_rates_of_adapters_and_cells_by_hand() -> None:
    frame = keys(2, 2, [("blur", 1), ("noise", 1)])
    frame["is_correct"] = [False, False, True, False, False, True, True, True]
    some = rows(frame.drop(index=3).assign(confidence=np.arange(7.0)))  # a1 has one row in noise
    adapters, cells, means, n = cell_means(some, some.failed.astype(float))
    assert (adapters.tolist(), cells.tolist(), n.tolist()) == ([0, 0, 1, 1], [0, 1, 0, 1], [2, 2, 2, 1])
    assert means.tolist() == [1.0, 0.5, 0.0, 0.0]
    found = residuals_of(some, np.full(7, 0.4))  # observed minus forecast, adapters in order
    assert found["blur", 1].residuals == pytest.approx((0.6, -0.4)) and found["noise", 1].residuals == pytest.approx((0.1, -0.4))
    assert without(found["blur", 1], 0).residuals == pytest.approx((-0.4,))


def test_atc_counts_confidences_below_the_threshold_that_marks_as_many_as_are_wrong() -> None:
    clean, correct = np.array([0.2, 0.9, 0.5, 0.7]), np.array([False, True, False, True])  # 2 wrong: the threshold is 0.7
    assert average_thresholded_confidence(clean, correct, np.array([0.1, 0.65, 0.7, 0.95])) == 0.5
    assert average_thresholded_confidence(clean, correct, clean) == 0.5  # on clean inputs itself the share that is wrong
    assert average_thresholded_confidence(clean, np.ones(4, dtype=bool), np.array([0.1, 0.2])) == 0.5  # none wrong: below all of them
    assert average_thresholded_confidence(clean, np.zeros(4, dtype=bool), np.array([0.99])) == 1.0
    ties = np.array([0.5, 0.5, 0.5, 0.9])
    assert average_thresholded_confidence(ties, np.array([False, True, True, True]), ties) == 0.0  # nothing lies below 0.5


def test_doc_adds_the_fall_of_confidence_to_the_clean_error() -> None:
    clean, correct = np.array([0.6, 0.8]), np.array([True, False])
    assert difference_of_confidence(clean, correct, np.array([0.5, 0.5])) == pytest.approx(0.5 + 0.7 - 0.5)
    assert difference_of_confidence(clean, correct, np.array([0.0, 0.0])) == 1.0  # 0.5 + 0.7 is cut
    assert difference_of_confidence(clean, np.array([True, True]), np.array([1.0, 1.0])) == 0.0


def test_label_free_estimates_need_rows_with_a_confidence_on_both_sides() -> None:
    for estimate in (average_thresholded_confidence, difference_of_confidence):
        assert estimate(np.array([]), np.array([], dtype=bool), np.array([0.5])) is None
        assert estimate(np.array([0.5]), np.array([True]), np.array([])) is None
        assert estimate(np.array([0.5]), np.array([True]), np.array([np.nan])) is None
        clean, correct, shifted = np.array([0.4, np.nan, 0.8]), np.array([False, False, True]), np.array([np.nan, 0.5])
        assert estimate(clean, correct, shifted) == estimate(clean[[0, 2]], correct[[0, 2]], shifted[1:])


def test_rates_are_told_per_adapter_and_cell_and_without_a_clean_side_no_estimate_is_made() -> None:
    clean = pd.DataFrame({"adapter_id": "a0", "confidence": [0.2, 0.9], "clean_correct": [False, True]})
    shifts = pd.DataFrame({
        "adapter_id": ["a0", "a0", "a1"], "corruption": "blur", "severity": [1, 1, 2], "is_correct": [False, True, False],
        "shifted_confidence": [0.1, 0.95, 0.5],
    })  # fmt: skip
    first, second = rates(clean, shifts)
    # ATC: threshold 0.9, one of two below; DoC: 0.5 + 0.55 - 0.525
    assert first == {
        "adapter_id": "a0", "corruption": "blur", "severity": 1, "observed": 0.5, "atc": 0.5, "doc": pytest.approx(0.525),
    }  # fmt: skip
    assert second == {"adapter_id": "a1", "corruption": "blur", "severity": 2, "observed": 1.0, "atc": None, "doc": None}


def test_distances_by_hand_on_a_line() -> None:
    # centred at 3; one axis; class 0 at 0 and 2 (centre 1), class 1 at 4 and 6 (centre 5)
    train, labels = np.array([[0.0], [2.0], [4.0], [6.0]]), np.array([0, 0, 1, 1])
    knn, margin = distances(train, labels, np.array([[1.0], [3.0], [10.0]]), neighbours=2, components=5)
    assert knn == pytest.approx([1.0, 1.0, 5.0])  # |1-0|, |1-2|; |3-2|, |3-4|; |10-6|, |10-4|
    assert margin == pytest.approx([4.0, 0.0, 4.0])  # 4 - 0; 2 - 2; 9 - 5


def test_distances_are_taken_on_the_leading_axes_of_the_training_vectors() -> None:
    generator = np.random.default_rng(0)
    train, asked = generator.standard_normal((40, 6)) * [5, 3, 1, 1, 1, 1], generator.standard_normal((7, 6))
    labels = np.arange(40) % 3
    knn, margin = distances(train, labels, asked, 4, 2)
    axes = PCA(2).fit(train)
    known, other = axes.transform(train), axes.transform(asked)
    for place in range(7):
        far = np.sort(np.linalg.norm(known - other[place], axis=1))
        assert knn[place] == pytest.approx(far[:4].mean())
        centres = np.sort([np.linalg.norm(known[labels == label].mean(axis=0) - other[place]) for label in range(3)])
        assert margin[place] == pytest.approx(centres[1] - centres[0])


def test_without_training_vectors_or_a_second_class_there_is_no_distance_or_margin() -> None:
    asked = np.zeros((2, 3))
    knn, margin = distances(np.zeros((0, 3)), np.zeros(0, dtype=np.int64), asked, 3, 2)
    assert np.isnan(knn).all() and np.isnan(margin).all()
    knn, margin = distances(np.eye(3), np.zeros(3, dtype=np.int64), asked, 3, 2)
    assert np.isfinite(knn).all() and np.isnan(margin).all()
    assert all(len(part) == 0 for part in distances(np.eye(3), np.arange(3), asked[:0], 3, 2))
