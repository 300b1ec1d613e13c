"""Priors are cut, scaled and fused by hand; controls keep what they must keep."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from xai.priors import Fusion, fused, normalised, prior, random_prior, shuffled

THREE = np.ones((1, 3), dtype=bool)
RAGGED = np.arange(9) < np.array([9, 4, 1])[:, None]
SCORES = np.where(RAGGED, np.random.default_rng(0).normal(size=(3, 9)), 0.0)


def generators(n: int = 3) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in range(n)]


@pytest.mark.parametrize("source", ["cap", "lime", "shap"])
def test_negative_scores_count_as_zero_and_the_rest_has_norm_one(source) -> None:
    # 3 and 4 beside a -12: 5 is their norm.
    np.testing.assert_allclose(prior(np.array([[3.0, -12.0, 4.0]]), source, THREE), [[0.6, 0.0, 0.8]], atol=1e-15)


def test_without_clipping_the_sign_stays() -> None:
    np.testing.assert_allclose(prior(np.array([[3.0, -12.0, 4.0]]), "cap", THREE, clip=False), np.array([[3, -12, 4]]) / 13, atol=1e-15)


def test_integrated_gradients_come_without_sign_or_are_refused() -> None:
    np.testing.assert_allclose(prior(np.array([[3.0, 0.0, 4.0]]), "ig", THREE), [[0.6, 0.0, 0.8]], atol=1e-15)
    with pytest.raises(ValueError, match="absolute values"):
        prior(np.array([[3.0, -1.0, 4.0]]), "ig", THREE)


def test_nothing_left_is_uniform_over_the_included_units() -> None:
    included = np.array([[True, True, True, True, False]])
    np.testing.assert_array_equal(prior(np.array([[-1.0, 0.0, -2.0, -3.0, 9.0]]), "lime", included), [[0.5, 0.5, 0.5, 0.5, 0.0]])


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_huge_and_tiny_scores_are_scaled_too(scale: float) -> None:
    np.testing.assert_allclose(normalised(np.array([[3.0, 0.0, 4.0]]) * scale, THREE), [[0.6, 0.0, 0.8]], atol=1e-15)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_non_finite_score_makes_its_example_null_in_the_prior_and_in_the_fusion(broken: float) -> None:
    scores = SCORES.copy()
    scores[1, 2] = broken
    clip = not np.isneginf(broken)  # clipped, -inf is 0 like any score against the label
    one = prior(scores, "cap", RAGGED, clip)
    together = fused({"cap": one, "lime": prior(SCORES, "lime", RAGGED)}, Fusion(sources=("cap", "lime")), RAGGED)
    for found in (one, together):
        assert np.isnan(found[1, :4]).all() and (found[1, 4:] == 0).all() and np.isfinite(found[[0, 2]]).all()


def test_mean_and_max_by_hand() -> None:
    one, other = np.array([[0.6, 0.8, 0.0]]), np.array([[0.0, 0.8, 0.6]])
    # Mean .3, .8, .3: norm sqrt(.82). Max .6, .8, .6: norm sqrt(1.36).
    mean = fused({"cap": one, "ig": other}, Fusion(sources=("cap", "ig")), THREE)
    largest = fused({"cap": one, "ig": other}, Fusion(sources=("ig", "cap"), way="max"), THREE)
    np.testing.assert_allclose(mean, np.array([[0.3, 0.8, 0.3]]) / np.sqrt(0.82), rtol=1e-14)
    np.testing.assert_allclose(largest, np.array([[0.6, 0.8, 0.6]]) / np.sqrt(1.36), rtol=1e-14)


def test_a_single_source_stays_itself() -> None:
    own = prior(SCORES, "shap", RAGGED)
    np.testing.assert_allclose(fused({"shap": own, "cap": own[::-1]}, Fusion(sources=("shap",)), RAGGED), own, atol=1e-15)


def test_the_order_of_sources_changes_neither_settings_nor_bits() -> None:
    orders = [Fusion(sources=order) for order in (("shap", "cap", "ig"), ("ig", "shap", "cap"))]
    assert orders[0] == orders[1]
    made = {source: prior(np.abs(SCORES) ** power, source, RAGGED) for source, power in (("cap", 1), ("ig", 2), ("shap", 3))}
    np.testing.assert_array_equal(*(fused(made, order, RAGGED) for order in orders))


def test_neighbours_and_padding_change_no_bit() -> None:
    made = {"cap": prior(SCORES, "cap", RAGGED), "ig": prior(np.abs(SCORES), "ig", RAGGED)}
    fusion = Fusion(sources=("cap", "ig"))
    together = fused(made, fusion, RAGGED)
    for row in range(3):
        units = RAGGED[row]
        alone = {source: own[row : row + 1, units] for source, own in made.items()}
        np.testing.assert_array_equal(together[row, units], fused(alone, fusion, units[units][None])[0])


def test_a_shuffled_prior_holds_the_same_numbers_on_the_examples_own_units() -> None:
    own = prior(SCORES, "cap", RAGGED, clip=False)
    moved = shuffled(own, generators(), RAGGED)
    np.testing.assert_array_equal(np.sort(moved, axis=1), np.sort(own, axis=1))
    assert (moved[~RAGGED] == 0).all() and not np.array_equal(moved, own)
    np.testing.assert_array_equal(moved[1, :4], own[1, :4][np.random.default_rng(1).permutation(4)])


def test_every_place_of_a_shuffled_prior_is_equally_likely() -> None:
    # 3,000 shuffles of one 1 among three: 1,000 each, binomial sd 26, four of them.
    own = np.tile([[1.0, 0.0, 0.0]], (3000, 1))
    counts = shuffled(own, [np.random.default_rng(seed) for seed in range(3000)], np.ones((3000, 3), dtype=bool)).sum(axis=0)
    np.testing.assert_allclose(counts, 1000, atol=104)


def test_a_random_prior_is_not_negative_has_norm_one_and_knows_its_example_alone() -> None:
    noise = random_prior(generators(), RAGGED)
    assert (noise >= 0).all() and (noise[~RAGGED] == 0).all()
    np.testing.assert_allclose((noise**2).sum(axis=1), 1.0, rtol=1e-14)
    alone = random_prior([np.random.default_rng(1)], np.ones((1, 4), dtype=bool))
    np.testing.assert_array_equal(noise[1, :4], alone[0])


@pytest.mark.parametrize("wrong", [(), ("cap", "cap"), ("attention",)])
def test_sources_are_known_and_distinct(wrong) -> None:
    with pytest.raises(ValidationError):
        Fusion(sources=wrong)


def test_a_lacking_source_another_shape_and_a_lacking_generator_are_refused() -> None:
    with pytest.raises(ValueError, match="needs the priors lime"):
        fused({"cap": SCORES}, Fusion(sources=("cap", "lime")), RAGGED)
    with pytest.raises(ValueError, match="shape of `included`"):
        fused({"cap": SCORES[:, :4]}, Fusion(sources=("cap",)), RAGGED)
    with pytest.raises(ValueError, match="a generator of its own"):
        shuffled(SCORES, generators(2), RAGGED)
    with pytest.raises(ValueError, match="a generator of its own"):
        random_prior(generators(2), RAGGED)
