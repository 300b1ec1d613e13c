"""Agreement of priors and precision against the truth, by hand and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from xai.prior_statistics import agreement, agreements, correlations, precision_at_k

RAGGED = np.arange(12) < np.array([12, 7, 3])[:, None]


def test_correlations_are_scipys_over_each_examples_own_units() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(3, 12)), rng.integers(0, 3, size=(3, 12)).astype(float)  # ties in the second
    b[2, :3] = 0, 2, 1
    pearson, spearman = correlations(a, b, RAGGED)
    for row in range(3):
        own = RAGGED[row]
        assert pearson[row] == pytest.approx(scipy.stats.pearsonr(a[row, own], b[row, own])[0], abs=1e-12)
        assert spearman[row] == pytest.approx(scipy.stats.spearmanr(a[row, own], b[row, own])[0], abs=1e-12)


def test_agreement_averages_over_the_examples_that_have_one() -> None:
    included = np.arange(3) < np.array([3, 3, 3, 1, 3])[:, None]
    a = np.array([[1.0, 2, 3], [1, 2, 3], [0.5, 0.5, 0.5], [1, 0, 0], [1, np.nan, 3]])
    b = np.array([[2.0, 4, 6], [3, 2, 1], [1, 2, 3], [1, 0, 0], [1, 2, 3]])
    # +1 and -1; then no spread, one unit, and NaN: three nulls.
    found = agreement(a, b, included)
    assert (found.pearson, found.spearman, found.n) == (pytest.approx(0.0, abs=1e-15), pytest.approx(0.0, abs=1e-15), 2)


def test_two_priors_without_any_correlation_have_none() -> None:
    found = agreement(np.ones((2, 3)), np.ones((2, 3)), np.ones((2, 3), dtype=bool))
    assert np.isnan(found.pearson) and np.isnan(found.spearman) and found.n == 0


def test_rounding_alone_is_no_spread() -> None:
    almost = np.full((1, 4), 0.5) + np.array([[0, 1e-16, 0, 1e-16]])
    assert np.isnan(correlations(almost, np.arange(4.0)[None], np.ones((1, 4), dtype=bool))[0]).all()


def test_every_pair_of_sources_comes_once() -> None:
    rng = np.random.default_rng(1)
    found = agreements({name: rng.normal(size=(3, 12)) for name in ("shap", "cap", "lime")}, RAGGED)
    assert list(found) == [("cap", "lime"), ("cap", "shap"), ("lime", "shap")]


def test_precision_by_hand() -> None:
    included = np.ones((2, 4), dtype=bool)
    truth = np.array([[True, False, True, False], [False, False, False, True]])
    scores = np.array([[0.9, 0.8, 0.1, 0.0], [0.0, 0.3, 0.2, 0.9]])
    assert precision_at_k(scores, truth, included).tolist() == [0.5, 1.0]  # two best hold one of two; the best is the one
    assert precision_at_k(scores, truth, included, k=3).tolist() == [2 / 3, 1 / 3]
    assert precision_at_k(scores, truth, included, k=9).tolist() == [0.5, 0.25]  # four units are all there are


def test_precision_ties_go_by_position_and_excluded_units_are_never_best() -> None:
    included = np.array([[False, True, True, True]])
    truth = np.array([[False, False, True, False]])
    assert precision_at_k(np.array([[9.0, 0.5, 0.5, 0.5]]), truth, included).tolist() == [0.0]
    assert precision_at_k(np.array([[9.0, 0.5, 0.5, 0.5]]), truth, included, k=2).tolist() == [0.5]


def test_precision_without_a_true_unit_or_with_a_broken_prior_is_null() -> None:
    included = np.ones((2, 2), dtype=bool)
    found = precision_at_k(np.array([[1.0, 0.0], [np.nan, 1.0]]), np.array([[False, False], [True, False]]), included)
    assert np.isnan(found).all()


def test_shapes_and_k_that_mean_nothing_are_refused() -> None:
    included = np.array([[True, False]])
    with pytest.raises(ValueError, match="shape of `included`"):
        correlations(np.ones((1, 2)), np.ones((1, 3)), included)
    for truth, k in ((included, 0), (~included, 1)):
        with pytest.raises(ValueError, match="k must be at least 1"):
            precision_at_k(np.ones((1, 2)), truth, included, k)
