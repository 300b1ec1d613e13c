"""Agreement of priors and precision against the truth, by hand and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from xai.prior_statistics import agreement, agreements, correlations

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


def test_shapes_that_do_not_fit_are_refused() -> None:
    included = np.array([[True, False]])
    with pytest.raises(ValueError, match="shape of `included`"):
        correlations(np.ones((1, 2)), np.ones((1, 3)), included)
