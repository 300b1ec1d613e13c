"""Known answers of each attribution method."""

from __future__ import annotations

import numpy as np
import pytest

from xai.attribution import attention, attention_rollout, random, reverse
from xai.metrics.order import ranks


def test_attention_is_the_mean_over_heads_without_the_prefix_renormalised() -> None:
    # Tokens: CLS, register, three units. Means over two heads: .3, .2 | .1, .1, .3; the units hold .5, so .2, .2, .6.
    weights = np.array([[[0.4, 0.1, 0.2, 0.0, 0.3], [0.2, 0.3, 0.0, 0.2, 0.3]]], dtype=np.float32)
    np.testing.assert_allclose(attention(weights, 2), [[0.2, 0.2, 0.6]], atol=1e-7)


def test_attention_on_excluded_units_does_not_count_towards_the_sum() -> None:
    # Units hold .2, .2, .4 and the last (an end token) is excluded: .5, .5, 0.
    weights = np.array([[[0.2, 0.2, 0.2, 0.4]]], dtype=np.float32)
    included = np.array([[True, True, False]])
    np.testing.assert_allclose(attention(weights, 1, included), [[0.5, 0.5, 0.0]], atol=1e-7)


def test_attention_that_never_leaves_the_prefix_is_all_zero() -> None:
    np.testing.assert_array_equal(attention(np.array([[[1.0, 0.0, 0.0]]], dtype=np.float32), 1), [[0.0, 0.0]])


def test_half_precision_weights_are_summed_in_higher_precision() -> None:
    # A mean over heads rounded to float16 is off by up to 5e-4 of itself.
    weights = np.random.default_rng(0).dirichlet(np.ones(258), size=(2, 12)).astype(np.float16)
    to_units = weights.astype(np.float64).sum(axis=1)[:, 2:]
    np.testing.assert_allclose(attention(weights, 2), to_units / to_units.sum(axis=1, keepdims=True), rtol=1e-6)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_non_finite_attention_stays_non_finite(broken: float) -> None:
    weights = np.array([[[0.2, broken, 0.4]], [[0.2, 0.4, 0.4]]], dtype=np.float32)
    with np.errstate(invalid="ignore"):
        shares = attention(weights, 1)
    assert not np.isfinite(shares[0]).all()
    np.testing.assert_allclose(shares[1], [0.5, 0.5])


@pytest.mark.parametrize(("shape", "n_prefix"), [((2, 3), 1), ((2, 3, 4), 4), ((2, 3, 4), -1)])
def test_attention_refuses_weights_without_units(shape: tuple[int, ...], n_prefix: int) -> None:
    with pytest.raises(ValueError, match="more tokens than n_prefix"):
        attention(np.ones(shape, dtype=np.float32), n_prefix)


# Two layers over CLS and two words' tokens, rows after softmax.
FIRST = [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
LAST = [[0.5, 0.0, 0.5], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
BOTH = np.array([[FIRST, LAST]], dtype=np.float32)


def test_rollout_multiplies_the_layers_with_half_a_residual_last_times_first() -> None:
    # CLS row of the last layer: .75, 0, .25. First layer's rows with the residual: .5 .5 0 | 0 .5 .5 | .5 0 .5. Their product:
    # .75 (.5 .5 0) + .25 (.5 0 .5) = .5, .375, .125; without CLS .75, .25. First times last would give .375, .5, .125 and so .8, .2.
    found = attention_rollout(BOTH, np.array([[-1, 0, 1]]), np.ones((1, 2), dtype=bool))
    np.testing.assert_allclose(found, [[0.75, 0.25]], atol=1e-7)


def test_rollout_sums_the_tokens_of_a_word_and_leaves_out_those_of_none() -> None:
    included = np.array([[True, False]])
    for unit_of, expected in (([-1, 0, 0], [1.0, 0.0]), ([-1, 0, -1], [1.0, 0.0]), ([0, 0, 1], [1.0, 0.0])):
        np.testing.assert_allclose(attention_rollout(BOTH, np.array([unit_of]), included), [expected], atol=1e-7)
    every = np.ones((1, 2), dtype=bool)
    np.testing.assert_allclose(attention_rollout(BOTH, np.array([[0, 0, 1]]), every), [[0.875, 0.125]], atol=1e-7)  # CLS counted too
    np.testing.assert_array_equal(attention_rollout(BOTH, np.array([[0, -1, -1]]), np.array([[False, True]])), [[0.0, 0.0]])


def test_rollout_of_non_finite_maps_is_not_finite_and_its_neighbour_is() -> None:
    maps = np.concatenate([BOTH, BOTH])
    maps[0, 0, 1, 1] = np.nan
    with np.errstate(invalid="ignore"):
        found = attention_rollout(maps, np.array([[-1, 0, 1]] * 2), np.ones((2, 2), dtype=bool))
    assert not np.isfinite(found[0]).any() and np.isfinite(found[1]).all()


@pytest.mark.parametrize(("shape", "unit_of"), [((1, 0, 3, 3), [-1, 0, 1]), ((1, 2, 3, 2), [-1, 0, 1]), ((1, 2, 3, 3), [-1, 0, 2])])
def test_rollout_refuses_maps_and_units_that_do_not_fit(shape: tuple[int, ...], unit_of: list[int]) -> None:
    with pytest.raises(ValueError, match="attention_rollout: "):
        attention_rollout(np.ones(shape, dtype=np.float32), np.array([unit_of]), np.ones((1, 2), dtype=bool))


def test_random_draws_each_examples_noise_from_its_own_generator() -> None:
    drawn = random([np.random.default_rng(5), np.random.default_rng(6)], 3)
    expected = [np.random.default_rng(seed).standard_normal(3) for seed in (5, 6)]
    np.testing.assert_array_equal(drawn, np.array(expected, dtype=np.float32))


def test_random_noise_of_an_example_does_not_depend_on_its_padding() -> None:
    included = np.array([[True, False, True, True, False]])
    padded = random([np.random.default_rng(5)], 5, included)
    np.testing.assert_array_equal(padded[included], random([np.random.default_rng(5)], 3)[0])


def test_random_is_standard_normal() -> None:
    drawn = random([np.random.default_rng(5)], 10_000)
    # Standard errors of mean and variance over 10,000 draws are .01 and .014; four of them.
    assert abs(drawn.mean()) < 0.04
    assert abs(drawn.var() - 1) < 0.06


def test_reverse_mirrors_values_within_their_range() -> None:
    # max + min = 5 - 1 = 4.
    np.testing.assert_array_equal(reverse(np.array([[5.0, -1.0, 2.0, 2.0]])), [[-1.0, 5.0, 2.0, 2.0]])


def test_reverse_looks_at_included_units_only() -> None:
    # Without the excluded 9: max + min = 3 + 1.
    turned = reverse(np.array([[3.0, 9.0, 1.0]]), np.array([[True, False, True]]))
    np.testing.assert_array_equal(turned, [[1.0, 0.0, 3.0]])


def test_reverse_turns_the_order_round_and_changes_the_size_of_values() -> None:
    signed = np.random.default_rng(0).normal(size=(3, 20))
    np.testing.assert_array_equal(ranks(reverse(signed)), 19 - ranks(signed))
    assert not np.allclose(np.abs(reverse(signed)), np.abs(signed))  # -a would leave |a| as it was


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_reverse_of_a_non_finite_attribution_is_not_finite(broken: float) -> None:
    assert not np.isfinite(reverse(np.array([[broken, 0.0, 1.0]]))).all()
