"""Does every method find the weights of a model that is nothing but weights?

Texts are bags of words from one vocabulary, so what each word of each text adds is known.
"""

from __future__ import annotations

import numpy as np
import pytest

from xai.attribution import METHODS, cap, kernel_shap, lime, occlusion, oracle
from xai.fits import CapFit, LimeFit, ShapleyFit
from xai.masks import drawn_masks
from xai.metrics import comprehensiveness, precision_at_k, sufficiency
from xai.priors import prior

RNG = np.random.default_rng(0)
VOCABULARY = RNG.uniform(-0.01, 0.02, size=50)
VOCABULARY[:5] = 0.2  # decisive words, each worth ten others
SIZES = np.array([14, 12, 9, 5, 1])
INCLUDED = np.arange(14) < SIZES[:, None]
# Every text holds one to three decisive words at the front of its bag, then others; no word twice.
DECISIVE = np.array([3, 2, 2, 1, 1])
WORDS = np.stack([np.concatenate([RNG.permutation(5)[:k], 5 + RNG.permutation(45)[: 14 - k]]) for k in DECISIVE])
WEIGHTS = np.where(INCLUDED, VOCABULARY[WORDS], 0.0)
TRUTH = INCLUDED & (WORDS < 5)
MASKS = drawn_masks([np.random.default_rng(seed) for seed in range(5)], INCLUDED)


def linear(keep: np.ndarray) -> np.ndarray:
    """p = .1 + what the visible words add."""
    return 0.1 + (keep * WEIGHTS[:, None, :]).sum(axis=2)


def as_cap_sees_it(keep: np.ndarray) -> np.ndarray:
    """The p whose -1 / log p is ten times what the visible words add, one for every word that stands there."""
    return np.exp(-1 / (keep * (1 + 10 * np.abs(WEIGHTS))[:, None, :]).sum(axis=2))


def test_occlusion_finds_each_weight() -> None:
    np.testing.assert_allclose(occlusion(linear, INCLUDED).values, WEIGHTS, atol=1e-7)


@pytest.mark.parametrize("enumerate_up_to", [0, 10, 14])
def test_shapley_values_are_the_weights_enumerated_or_from_masks(enumerate_up_to: int) -> None:
    # Exact Shapley of a linear model: w_j (x_j - 0). The fit leaves nothing over, so its error is 0 to rounding.
    found = kernel_shap(linear, MASKS, INCLUDED, ShapleyFit(enumerate_up_to=enumerate_up_to))
    np.testing.assert_allclose(found.values, WEIGHTS, atol=1e-7)
    np.testing.assert_allclose(found.error, 0.0, atol=1e-12)


def test_lime_finds_each_weight_as_the_ridge_vanishes_and_shrinks_them_with_it() -> None:
    several = SIZES > 1  # one word, always shown, has no slope
    np.testing.assert_allclose(lime(linear, MASKS, INCLUDED, LimeFit(ridge=1e-9)).values[several], WEIGHTS[several], atol=1e-7)
    shrunk = lime(linear, MASKS, INCLUDED).values
    ratio = shrunk[TRUTH & several[:, None]] / 0.2
    assert (ratio > 0.7).all() and (ratio < 1.0).all()


def test_cap_finds_each_weight_as_the_ridge_vanishes() -> None:
    found = cap(as_cap_sees_it, MASKS, INCLUDED, CapFit(ridge=1e-9))
    np.testing.assert_allclose(found.values, np.where(INCLUDED, 1 + 10 * np.abs(WEIGHTS), 0), rtol=1e-5)
    np.testing.assert_array_equal(found.clipped, 0.0)


def everyone() -> dict[str, np.ndarray]:
    return {
        "occlusion": occlusion(linear, INCLUDED).values,
        "lime": lime(linear, MASKS, INCLUDED).values,
        "kernel_shap": kernel_shap(linear, MASKS, INCLUDED).values,
        "cap": cap(linear, MASKS, INCLUDED).values,
        "oracle": oracle(TRUTH, INCLUDED),
    }


def test_no_method_that_asks_for_p_or_the_truth_is_missing_here() -> None:
    assert set(everyone()) == {method.name for method in METHODS if method.needs in ("value", "truth")}


@pytest.mark.parametrize("method", list(everyone()))
def test_every_method_puts_the_decisive_words_first(method: str) -> None:
    np.testing.assert_array_equal(precision_at_k(everyone()[method], TRUTH, INCLUDED), 1.0)


@pytest.mark.parametrize("method", list(everyone()))
def test_every_method_is_as_comprehensive_and_sufficient_as_the_truth(method: str) -> None:
    # A fifth of 14, 12, 9, 5, 1 words is 3, 3, 2, 1, 1: all decisive words, of the second text one more.
    found = everyone()[method]
    lost = comprehensiveness(found, linear, (20,), INCLUDED)
    np.testing.assert_array_less(0.2 * DECISIVE - 0.02, lost)
    assert (sufficiency(found, linear, (20,), INCLUDED) < 0.2).all()


def test_priors_of_every_source_rank_the_decisive_words_first_too() -> None:
    made = {"cap": cap, "lime": lime, "shap": kernel_shap}
    for source, method in made.items():
        np.testing.assert_array_equal(precision_at_k(prior(method(linear, MASKS, INCLUDED).values, source, INCLUDED), TRUTH, INCLUDED), 1.0)
