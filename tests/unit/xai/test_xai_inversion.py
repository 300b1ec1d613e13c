"""Reliance, faithfulness and inversion score: by hand, against scipy, and against the closed forms of METHODS 7."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from xai.inversion import movement, partial_reliance
from xai.metrics import faithfulness, inversion_score, reliance

N_POKES = 20


def product(x: np.ndarray) -> np.ndarray:
    """y = x1 sin(x2); x3 to x6 do nothing."""
    return x[..., 0] * np.sin(x[..., 1])


def occluded(x: np.ndarray) -> np.ndarray:
    """Exact occlusion at a baseline of 0 of `product`: both factors carry all of y."""
    found = np.zeros(x.shape)
    found[..., :2] = product(x)[..., None]
    return found


def shapley(x: np.ndarray) -> np.ndarray:
    return occluded(x) / 2.0  # of two units that only matter together each has half


def poked(generator: np.random.Generator, n_examples: int, n_units: int) -> tuple[np.ndarray, np.ndarray]:
    x = generator.uniform(0.5, 1.5, (n_examples, n_units))
    return x, x[:, None, :] + 0.05 * np.abs(x[:, None, :]) * generator.standard_normal((n_examples, N_POKES, n_units))


@pytest.mark.parametrize("explain", [occluded, shapley], ids=["occlusion", "shapley"])
def test_on_a_product_exact_explanations_have_reliance_and_faithfulness_one_and_a_score_worse_than_random(explain) -> None:
    x, pokes = poked(np.random.default_rng(0), 50, 6)
    r = reliance(movement(explain(x), explain(pokes)), product(x), product(pokes))
    f = faithfulness(explain(x), occluded(x))
    assert r == pytest.approx(np.ones(50)) and f == pytest.approx(np.ones(50))
    assert inversion_score(r, f) == pytest.approx(np.full(50, math.sqrt(0.5))) and inversion_score(r, f, p=1) == pytest.approx(
        np.full(50, 0.5)
    )


def test_a_random_explanation_has_a_score_of_about_sixty_hundredths_there() -> None:
    generator = np.random.default_rng(1)
    x, pokes = poked(generator, 2_000, 6)
    a, moved_to = generator.standard_normal(x.shape), generator.standard_normal(pokes.shape)
    score = inversion_score(reliance(movement(a, moved_to), product(x), product(pokes)), faithfulness(a, occluded(x)))
    assert np.mean(score) == pytest.approx(0.60, abs=0.01)


@pytest.mark.parametrize(("n_units", "expected"), [(2, 0.84), (6, 0.58), (20, 0.38)])
def test_of_a_linear_model_exact_attributions_are_faithful_and_rely_less_the_more_features_there_are(n_units: int, expected: float) -> None:
    generator = np.random.default_rng(2)
    weights, x = generator.standard_normal((2, 3_000, n_units))
    # 5 % of the feature's magnitude, not below 5 % of the training sd (METHODS 7)
    pokes = x[:, None, :] + 0.05 * np.maximum(np.abs(x), 1.0)[:, None, :] * generator.standard_normal((3_000, N_POKES, n_units))
    r = reliance(movement(weights * x, weights[:, None] * pokes), (weights * x).sum(-1), (weights[:, None] * pokes).sum(-1))
    assert faithfulness(weights * x, weights * x) == pytest.approx(np.ones(3_000))
    assert np.mean(r) == pytest.approx(expected, abs=0.02)


def test_both_are_the_correlations_of_scipy_and_do_not_depend_on_the_scale_of_the_attribution() -> None:
    generator = np.random.default_rng(3)
    a, moved_to = generator.standard_normal((3, 5)), generator.standard_normal((3, N_POKES, 5))
    y, y_poked, effect = generator.standard_normal(3), generator.standard_normal((3, N_POKES)), generator.standard_normal((3, 5))
    moved = movement(a, moved_to)
    assert moved == pytest.approx(np.linalg.norm(moved_to - a[:, None], axis=-1))
    for row in range(3):
        size = np.abs(y_poked[row] - y[row])
        assert reliance(moved, y, y_poked)[row] == pytest.approx(abs(pearsonr(moved[row], size).statistic))
        assert reliance(moved, y, y_poked, rank=True)[row] == pytest.approx(abs(spearmanr(moved[row], size).statistic))
        assert faithfulness(a, effect)[row] == pytest.approx(max(0.0, pearsonr(np.abs(a[row]), np.abs(effect[row])).statistic))
    for scale in (1e-9, 1e9):
        assert reliance(movement(scale * a, scale * moved_to), y, y_poked) == pytest.approx(reliance(moved, y, y_poked))
        assert faithfulness(scale * a, effect) == pytest.approx(faithfulness(a, effect))


def test_partial_reliance_is_the_correlation_of_what_a_regression_on_the_truth_leaves() -> None:
    generator = np.random.default_rng(4)
    truth, noise, other = generator.random((3, 1, 200))
    moved, size = truth + noise, truth + 0.3 * other + 0.5 * noise
    y = np.zeros(1)
    left = [part - np.polyval(np.polyfit(truth[0], part, 1), truth[0]) for part in (moved[0], size[0])]
    assert partial_reliance(moved, y, size, truth)[0] == pytest.approx(abs(pearsonr(*left).statistic))
    assert np.isnan(partial_reliance(truth, y, size, truth)).all()  # an exact explanation moves as the truth does: nothing is left
    with pytest.raises(ValueError, match=r"true movements must have the shape \(1, 200\)"):
        partial_reliance(moved, y, size, truth[:, :5])


def test_what_does_not_move_is_null_or_nothing() -> None:
    moved, still = np.array([[0.1, 0.3, 0.2]]), np.full((1, 3), 0.3)
    y, steps = np.zeros(1), np.array([[0.2, 0.1, 0.4]])
    assert np.isnan(reliance(moved, y, still)).all()  # a constant output: null, not 0
    assert reliance(still, y, steps).tolist() == [0.0]  # an explanation that stands still follows nothing
    assert np.isnan(reliance(moved[:, :1], y, steps[:, :1])).all() and np.isnan(reliance(np.array([[0.1, np.nan, 0.2]]), y, steps)).all()
    a, effect = np.array([[1.0, -1.0, 1.0]]), np.array([[0.5, 0.1, 0.2]])
    assert faithfulness(a, effect).tolist() == [0.0] and np.isnan(faithfulness(effect, a)).all()
    assert np.isnan(faithfulness(a[:, :1], effect[:, :1])).all() and np.isnan(faithfulness(np.array([[1.0, np.inf, 0.0]]), effect)).all()
    assert faithfulness(-(effect[:, ::-1] ** 2), effect).tolist()[0] == pytest.approx(
        max(0.0, pearsonr(effect[0, ::-1] ** 2, effect[0]).statistic)
    )
    assert np.isnan(inversion_score(np.array([np.nan, 0.5]), np.array([0.5, np.nan]))).all()
    # rounding alone is no spread
    assert np.isnan(reliance(moved, y, 0.3 + 1e-14 * steps)).all()


def test_padded_places_count_nowhere() -> None:
    generator = np.random.default_rng(5)
    a, moved_to, effect = generator.standard_normal((1, 3)), generator.standard_normal((1, 4, 3)), generator.standard_normal((1, 3))
    inside = np.array([[True, True, True, False]])
    wide = [np.concatenate([part, np.full((*part.shape[:-1], 1), 7.0)], axis=-1) for part in (a, moved_to, effect)]
    assert movement(wide[0], wide[1], inside) == pytest.approx(movement(a, moved_to))
    assert faithfulness(wide[0], wide[2], inside) == pytest.approx(faithfulness(a, effect))


def test_wrong_shapes_are_named() -> None:
    a, moved = np.zeros((2, 3)), np.zeros((2, 4))
    with pytest.raises(ValueError, match=r"poked attributions must be \[..., pokes, units\] beside \(2, 3\), got \(2, 3\)"):
        movement(a, a)
    with pytest.raises(ValueError, match=r"poked outputs \[..., pokes\] beside movements \(2, 4\), got \(2,\) and \(2, 3\)"):
        reliance(moved, np.zeros(2), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="effects must have the attribution's shape"):
        faithfulness(a, moved)
    with pytest.raises(ValueError, match="p must be above 0, got 0"):
        inversion_score(np.zeros(1), np.zeros(1), p=0)


def test_an_output_that_moves_by_its_rounding_alone_does_not_move() -> None:
    output, moved = np.array([0.9]), np.array([[0.1, 0.2, 0.3]])
    beside = 0.9 + np.array([[1e-16, 2e-16, 0.0]])
    assert np.isnan(reliance(moved, output, beside)).all()
    assert reliance(moved, output, 0.9 + 1e-6 * np.array([[1.0, 2.0, 3.0]])) == pytest.approx([1.0])  # small, and no rounding
