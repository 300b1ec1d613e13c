"""Heads fitted anew on frozen features: known minima, sets removed, random sets and the paired difference."""

from __future__ import annotations

import numpy as np
import pytest

from gold.provenance import frozen_head
from gold.provenance.causal import leave_out, random_same_class
from gold.provenance.frozen_head import fit_head
from gold.provenance.quasi_newton import minimise
from models.provenance.slots import NOBODY


def clouds(n: int, d: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping clouds of every class, so that no head separates them."""
    rng = np.random.default_rng(seed)
    labels = np.r_[np.arange(classes), rng.integers(0, classes, n - classes)]
    return (rng.standard_normal((classes, d))[labels] + rng.standard_normal((n, d))).astype(np.float32), labels


def test_many_quadratics_are_minimised_at_once_and_a_finished_one_is_left_alone() -> None:
    rng = np.random.default_rng(1)
    matrices = np.stack([part @ part.T + np.eye(4) for part in rng.standard_normal((3, 4, 4))])
    target = rng.standard_normal((3, 4))
    start = np.zeros((3, 4))
    start[1] = target[1] + 1e-13  # its gradient is below the tolerance from the start
    reached, norms = minimise(lambda points: np.einsum("bij,bj->bi", matrices, points - target), start, lambda slope: slope, 1e-10, 200)
    assert norms.max() <= 1e-10
    np.testing.assert_allclose(reached, target, atol=1e-9)
    assert np.array_equal(reached[1], start[1])


def test_a_step_that_goes_far_beyond_the_minimum_is_shortened() -> None:
    """The minimum of log cosh x from 3, with the inverse Hessian of that place, cosh(3)^2 = 101: Newton's step leads to -97. Behind the
    step that is taken the slope tanh x may be positive, or at most half of tanh 3 the other way."""
    reached, _ = minimise(np.tanh, np.array([[3.0]]), lambda slope: slope * np.cosh(3.0) ** 2, 1e-10, 1)
    assert -np.arctanh(0.5 * np.tanh(3.0)) <= reached[0, 0] < 3.0
    assert minimise(np.tanh, np.array([[3.0]]), lambda slope: slope * np.cosh(3.0) ** 2, 1e-10, 30)[0][0, 0] == pytest.approx(0.0, abs=1e-9)


def test_a_minimum_that_can_be_derived_is_reached() -> None:
    """Points +a of class 0 and -a of class 1: by symmetry weights w, -w and no bias, and d/dw [2 log(1 + exp(-2 w a)) + l2 w^2] = 0
    says l2 w = 2 a (1 - p) with p = 1 / (1 + exp(-2 w a))."""
    a, l2 = 1.5, 0.7
    head = fit_head(np.array([[a], [-a]]), np.array([0, 1]), 2, l2).head
    w, p = head.weight[0, 0], head.probabilities(np.array([[a]]))[0, 0]
    assert head.weight[0, 1] == pytest.approx(-w, abs=1e-9) and head.bias == pytest.approx([0.0, 0.0], abs=1e-9)
    assert p == pytest.approx(1 / (1 + np.exp(-2 * w * a)), abs=1e-12)
    assert l2 * w == pytest.approx(2 * a * (1 - p), abs=1e-8)


def test_the_bias_is_free_so_that_the_mean_probability_of_a_class_is_its_share() -> None:
    """The gradient in the bias is sum_i (p_i - y_i), 0 at the minimum."""
    features, labels = clouds(50, 4, 3)
    found = fit_head(features, labels, 3, 5.0).head.probabilities(features)
    np.testing.assert_allclose(found.mean(axis=0), np.bincount(labels) / 50, atol=1e-8)


@pytest.mark.parametrize(("n", "d"), [(80, 6), (25, 60)], ids=["more examples than numbers", "fewer: fitted in their span"])
def test_a_refit_from_the_full_head_is_the_fit_from_zero_on_the_rest(n: int, d: int) -> None:
    features, labels = clouds(n, d, 4)
    asked = clouds(10, d, 4, seed=9)[0]
    fitted = fit_head(features, labels, 4, 0.3)
    sets = [np.array([5]), np.array([4, 7, 11, 12, 19]), np.arange(4, 14)]
    for gone, head in zip(sets, fitted.without(sets), strict=True):
        cold = fit_head(np.delete(features, gone, axis=0), np.delete(labels, gone), 4, 0.3).head
        np.testing.assert_allclose(head.probabilities(asked), cold.probabilities(asked), atol=1e-7)
        assert np.abs(head.probabilities(asked) - fitted.head.probabilities(asked)).max() > 1e-3


def test_a_fit_ends_soon_on_features_that_are_long_in_one_direction(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those behind a ReLU are: none below 0, so that their mean is the longest direction by far; some units are dead. Six rounds are
    needed, and above 30 with a preconditioner whose steps do not sum to 0 over the classes."""
    monkeypatch.setattr(frozen_head, "ROUNDS", 12)
    clouded, labels = clouds(150, 40, 5)
    features = 8 * np.maximum(clouded, 0) + 10
    features[:, 30:] = 0.0
    fitted = fit_head(features, labels, 5, 1.0)
    (head,) = fitted.without([np.array([7, 8, 9])])
    cold = fit_head(np.delete(features, [7, 8, 9], axis=0), np.delete(labels, [7, 8, 9]), 5, 1.0).head
    np.testing.assert_allclose(head.probabilities(features), cold.probabilities(features), atol=1e-5)


def test_a_class_whose_examples_are_all_removed_has_probability_0_and_the_others_are_fitted_without_it() -> None:
    features, labels = clouds(40, 5, 3)
    fitted = fit_head(features, labels, 3, 0.5)
    (head,) = fitted.without([np.flatnonzero(labels == 1)])
    asked = clouds(8, 5, 3, seed=4)[0]
    kept = labels != 1
    two = fit_head(features[kept], np.where(labels[kept] == 2, 1, 0), 2, 0.5).head
    assert np.array_equal(head.probabilities(asked)[:, 1], np.zeros(8))
    np.testing.assert_allclose(head.probabilities(asked)[:, [0, 2]], two.probabilities(asked), atol=1e-7)
    absent = fit_head(features[kept], labels[kept], 3, 0.5)
    np.testing.assert_allclose(absent.head.probabilities(asked), head.probabilities(asked), atol=1e-7)
    (again,) = absent.without([np.array([0])])
    assert np.array_equal(again.probabilities(asked)[:, 1], np.zeros(8))


def test_a_test_example_whose_duplicate_is_removed_loses_probability_and_one_far_away_does_not() -> None:
    features, labels = clouds(60, 5, 3)
    odd = np.full(5, 6.0, dtype=np.float32)  # nobody's region but for the duplicate
    features, labels = np.vstack([features, odd]), np.r_[labels, 2]
    removed = np.array([[[60], [0]]])
    duplicate, far = leave_out(fit_head(features, labels, 3, 0.1), odd[None], np.array([2]), removed)[0]
    assert duplicate < -0.05
    assert abs(far) < abs(duplicate) / 5


def test_a_change_is_the_refits_probability_minus_the_full_heads_whoever_else_is_asked() -> None:
    features, labels = clouds(50, 4, 3)
    asked, targets = clouds(6, 4, 3, seed=5)
    fitted = fit_head(features, labels, 3, 0.2)
    removed = np.random.default_rng(2).integers(0, 50, (6, 3, 4))
    removed[0, 0], removed[1, 1], removed[2, 2] = NOBODY, removed[3, 0][::-1], [7, NOBODY, 9, NOBODY]
    found = leave_out(fitted, asked, targets, removed)
    for t, r in np.ndindex(6, 3):
        gone = np.setdiff1d(removed[t, r], [NOBODY])
        cold = fit_head(np.delete(features, gone, axis=0), np.delete(labels, gone), 3, 0.2).head
        both = [head.probabilities(asked)[t, targets[t]] for head in (cold, fitted.head)]
        assert found[t, r] == pytest.approx(both[0] - both[1], abs=1e-7)
    assert found[0, 0] == 0.0


def test_random_same_class_ones_are_different_of_the_class_and_keyed_by_the_test_example() -> None:
    labels = np.array([0, 1, 0, 1, 1, 1, 0, 2, 1, 1])
    targets, counts, ids = np.array([1, 2, 0, 1]), np.array([3, 2, 2, 0]), ["a", "b", "c", "d"]
    found = random_same_class(labels, targets, counts, ids, 3, 5)
    assert found.shape == (4, 5, 3)
    for t, drawn in ((0, 3), (1, 1), (2, 2), (3, 0)):  # of class 2 there is one example only
        for one in found[t]:
            assert len(set(one[:drawn])) == drawn and (labels[one[:drawn]] == targets[t]).all()
            assert (one[drawn:] == NOBODY).all()
    assert len({tuple(sorted(one)) for one in found[0]}) > 1
    turned = random_same_class(labels, targets[::-1], counts[::-1], ids[::-1], 3, 5)
    assert np.array_equal(turned[::-1], found)
    assert not np.array_equal(random_same_class(labels, targets, counts, ids, 4, 5), found)


def test_what_cannot_be_fitted_is_refused() -> None:
    features, labels = clouds(12, 3, 2)
    fitted = fit_head(features, labels, 2, 0.5)
    with pytest.raises(ValueError, match="l2 must be above 0"):
        fit_head(features, labels, 2, 0.0)
    with pytest.raises(ValueError, match=r"0\.\.0, found 0\.\.1"):
        fit_head(features, labels, 1, 0.5)
    with pytest.raises(ValueError, match="finite features"):
        fit_head(np.full_like(features, np.nan), labels, 2, 0.5)
    with pytest.raises(ValueError, match="removes all 12"):
        list(fitted.without([np.arange(12)]))
    with pytest.raises(ValueError, match=r"0\.\.11, found 3\.\.12"):
        list(fitted.without([np.array([3, 12])]))
    with pytest.raises(ValueError, match="T, R, k"):
        leave_out(fitted, features, labels, np.zeros((12, 2), dtype=np.int64))
