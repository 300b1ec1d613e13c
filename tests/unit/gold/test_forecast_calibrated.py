"""Maps of forecasts against scikit-learn, bins and rejection by hand and against loops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from gold.forecast.calibrated import KINDS, Bin, Kept, Map, coverage_risk, learn_map, reliability


def world(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Forecasts that are too sure by a factor of two in logit, and outcomes."""
    generator = np.random.default_rng(seed)
    truth = generator.standard_normal(n)
    return expit(2 * truth), generator.random(n) < expit(truth)


def test_isotonic_is_scikit_learn_s_inside_and_outside_of_what_it_learned_from() -> None:
    forecast, failed = world()
    other = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(forecast, failed)
    asked = np.r_[0.0, np.linspace(0.01, 0.99, 99), 1.0]
    assert learn_map("isotonic", forecast, failed)(asked) == pytest.approx(other.predict(asked), abs=1e-12)


def test_platt_is_an_unpenalised_logistic_regression_on_the_logit_and_undoes_a_forecast_that_is_too_sure() -> None:
    forecast, failed = world(20_000)
    found = learn_map("platt", forecast, failed)
    other = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(logit(forecast)[:, None], failed)
    assert found.x == pytest.approx((other.coef_[0, 0], other.intercept_[0]), abs=1e-3)
    assert found.x == pytest.approx((0.5, 0.0), abs=0.05)  # the truth: half the logit
    assert found(np.array([0.5])) == pytest.approx([expit(found.x[1])])
    assert np.isfinite(found(np.array([0.0, 1.0]))).all()  # their logits are cut at 1e-6


def test_isotonic_by_hand_pools_what_falls() -> None:
    # 0.1: 1; 0.2: 0 -> pooled to 1/2; 0.6: 1
    found = learn_map("isotonic", np.array([0.1, 0.2, 0.6]), np.array([True, False, True]))
    assert found(np.array([0.0, 0.1, 0.2, 0.4, 0.6, 1.0])) == pytest.approx([0.5, 0.5, 0.5, 0.75, 1.0, 1.0])


@pytest.mark.parametrize("kind", KINDS)
def test_with_one_class_or_no_rows_the_map_is_the_identity(kind: str) -> None:
    given = np.array([0.2, 0.4])
    for failed in (np.array([True, True]), np.array([False, False])):
        assert learn_map(kind, given, failed)(given) is given
    assert learn_map(kind, given[:0], np.zeros(0, dtype=bool)) == Map("none")


def test_bins_hold_equal_shares_from_the_least_risky_up() -> None:
    forecast = np.array([0.9, 0.1, 0.2, 0.8, 0.5, 0.4])
    failed = np.array([True, False, False, True, True, False])
    # in order: 0.1 C, 0.2 C | 0.4 C, 0.5 F | 0.8 F, 0.9 F
    expected = [Bin(pytest.approx(0.15), 0.0, 2), Bin(pytest.approx(0.45), 0.5, 2), Bin(pytest.approx(0.85), 1.0, 2)]
    assert reliability(forecast, failed, n_bins=3) == expected


def test_rows_of_one_forecast_share_their_outcome_whatever_their_order() -> None:
    forecast = np.full(8, 0.3)
    for failed in (np.arange(8) < 2, np.arange(8) >= 6):
        assert reliability(forecast, failed, n_bins=4) == [Bin(pytest.approx(0.3), 0.25, 2)] * 4
    assert [one.n for one in reliability(forecast[:3], forecast[:3] > 0)] == [1, 1, 1]  # fewer rows than bins
    assert [one.n for one in reliability(np.linspace(0, 1, 31), np.zeros(31, dtype=bool))] == [2] * 14 + [3]


def test_rejecting_the_riskiest_by_hand() -> None:
    forecast = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    failed = np.array([0, 0, 1, 0, 0, 0, 1, 0, 1, 1], dtype=bool)  # 4 of 10; without the riskiest 3 of 9; half of them 1 of 5
    expected = [Kept(1.0, 10, 0.4, 0.4), Kept(0.9, 9, pytest.approx(3 / 9), 0.4), Kept(0.5, 5, pytest.approx(0.2), 0.4)]
    assert list(coverage_risk(forecast, failed, (1.0, 0.9, 0.5))) == expected


def test_rejection_is_the_mean_over_all_orders_of_the_ties() -> None:
    generator = np.random.default_rng(1)
    forecast, failed = generator.integers(0, 4, 60) / 4, generator.random(60) < 0.4
    for kept in coverage_risk(forecast, failed):
        errors = []
        for _ in range(4000):
            order = np.lexsort((generator.random(60), forecast))
            errors.append(failed[order[: kept.n]].mean())
        assert kept.n == round(kept.coverage * 60)
        assert kept.error == pytest.approx(np.mean(errors), abs=4 * np.std(errors) / np.sqrt(4000) + 1e-12)


def test_of_very_few_rows_one_at_least_is_kept() -> None:
    assert [kept.n for kept in coverage_risk(np.array([0.3]), np.array([True]))] == [1] * 6
