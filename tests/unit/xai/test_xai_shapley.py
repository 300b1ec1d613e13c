"""Shapley values by hand, from all coalitions and from too few masks."""

from __future__ import annotations

import numpy as np
import pytest

from xai.fits import SHAPLEY_FIT, ShapleyFit, fit_shapley, shapley_design
from xai.fits.shapley import kernel_weights
from xai.masks import Masking, coalitions, drawn_masks

DRAWN = ShapleyFit(enumerate_up_to=0)


def all_coalitions(size: int) -> np.ndarray:
    """The intact mask and then every coalition that shows neither all nor nothing."""
    return np.concatenate([np.ones((1, size), dtype=bool), coalitions(size)[1:-1]])[None]


def drawn(included: np.ndarray, n: int = 60) -> np.ndarray:
    return drawn_masks([np.random.default_rng(seed) for seed in range(len(included))], included, Masking(n=n))


def crooked(keep: np.ndarray) -> np.ndarray:
    """Far from additive, one p per mask."""
    units = keep.shape[-1]
    pull, pairs = np.random.default_rng(0).normal(size=units), np.random.default_rng(1).normal(size=(units, units))
    seen = keep.astype(float)
    return 1 / (1 + np.exp(-seen @ pull - (seen @ pairs * seen).sum(axis=-1)))


def solved(masks: np.ndarray, value, settings: ShapleyFit = SHAPLEY_FIT, included: np.ndarray | None = None):
    included = masks[:, 0] if included is None else included
    design = shapley_design(masks, included, settings)
    return fit_shapley(design, value(design.keep), included, settings)


def test_the_defaults_are_those_of_the_methods() -> None:
    assert SHAPLEY_FIT.model_dump() == {"enumerate_up_to": 10, "keep_probability": None}


def test_one_word_that_needs_either_of_two_others_by_hand() -> None:
    # p = 1 with word 0 and one of 1, 2. Of six orders word 0 decides in 201, 210, 102, 120: when it is not first, 4/6; word 1 when it
    # comes second behind 0, in 012: 1/6; word 2 likewise.
    found = solved(all_coalitions(3), lambda keep: (keep[..., 0] & (keep[..., 1] | keep[..., 2])).astype(float))
    np.testing.assert_allclose(found.values, [[4 / 6, 1 / 6, 1 / 6]], rtol=1e-14)
    np.testing.assert_array_equal(found.error, 0.0)
    assert found.clipped.tolist() == [0.0]


@pytest.mark.parametrize("size", [2, 3, 6, 9])
def test_least_squares_over_every_coalition_is_the_shapley_value(size: int) -> None:
    # Lundberg and Lee's theorem 2: holds with the kernel's weights, the constraint and no ridge, and only then.
    masks = all_coalitions(size)
    np.testing.assert_allclose(solved(masks, crooked, DRAWN).values, solved(masks, crooked).values, atol=1e-12)


def test_the_kernels_weights_by_hand() -> None:
    # N = 4, s = 1, 2, 3: 3/(4·1·3) = 1/4, 3/(6·2·2) = 1/8, 3/(4·3·1) = 1/4; the largest is scaled to 1; all and nothing weigh 0.
    shows = np.array([[[1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 0, 0]]], dtype=float)
    np.testing.assert_allclose(kernel_weights(shows, None), [[0, 1, 0.5, 1, 0]], rtol=1e-12)
    # Drawn with q = 1/3, a mask of s comes with (1/3)^s (2/3)^(4 - s) = 8, 4, 2 of 81: 1/32, 1/32, 1/8.
    np.testing.assert_allclose(kernel_weights(shows, 1 / 3), [[0, 0.25, 0.25, 1, 0]], rtol=1e-12)


@pytest.mark.parametrize("size", [11, 30, 200])
def test_values_sum_to_what_all_units_add_however_few_the_masks(size: int) -> None:
    masks = drawn(np.ones((3, size), dtype=bool))
    found = solved(masks, crooked)
    design = shapley_design(masks, masks[:, 0])
    p = crooked(design.keep)
    np.testing.assert_allclose(found.values.sum(axis=1), p[:, 0] - p[:, -1], atol=1e-12)


def test_masks_that_do_not_determine_the_values_share_equally_what_they_leave_open() -> None:
    # p(nothing) = .1, p(all) = .9; with words 0 and 1 alone .7. Known: φ0 + φ1 = .6 and φ0 + … + φ3 = .8. Least norm: .3, .3, .1, .1.
    masks = np.array([[[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]]], dtype=bool)
    p_of = {4: 0.9, 2: 0.7, 0: 0.1}
    found = solved(masks, lambda keep: np.vectorize(p_of.get)(keep.sum(axis=-1)), DRAWN)
    np.testing.assert_allclose(found.values, [[0.3, 0.3, 0.1, 0.1]], atol=1e-14)
    assert np.isnan(found.error).all()


def test_the_least_norm_among_all_minimisers_is_found_with_fewer_masks_than_units() -> None:
    masks = drawn(np.ones((1, 30), dtype=bool), n=12)
    design = shapley_design(masks, masks[:, 0], DRAWN)
    p = crooked(design.keep)
    # A twin by Lagrange: rows of masks and of the sum as equations, all met (12 < 30), least norm by the pseudoinverse.
    rows = np.concatenate([masks[0, 1:].astype(float), np.ones((1, 30))])
    wanted = np.append(p[0, 1:12] - p[0, 12], p[0, 0] - p[0, 12])
    found = fit_shapley(design, p, masks[:, 0], DRAWN)
    np.testing.assert_allclose(found.values[0], np.linalg.pinv(rows) @ wanted, atol=1e-10)
    assert np.isnan(found.error).all()


def test_errors_are_those_of_leaving_out_one_drawn_mask_after_the_other() -> None:
    masks = drawn(np.ones((1, 6), dtype=bool), n=40)
    left_out = [solved(np.delete(masks, i, axis=1), crooked, DRAWN).values[0] for i in range(1, 40)]
    expected = np.sqrt(38 / 39 * ((np.array(left_out) - np.mean(left_out, axis=0)) ** 2).sum(axis=0))
    np.testing.assert_allclose(solved(masks, crooked, DRAWN).error[0], expected, rtol=1e-8)


@pytest.mark.parametrize("settings", [SHAPLEY_FIT, DRAWN], ids=["enumerated", "drawn"])
def test_one_word_holds_all_that_there_is(settings: ShapleyFit) -> None:
    found = solved(np.ones((1, 5, 1), dtype=bool), lambda keep: np.where(keep[..., 0], 0.8, 0.3), settings)
    assert found.values[0, 0] == pytest.approx(0.5, abs=1e-15) and found.error[0, 0] == 0.0


def test_short_examples_are_asked_about_every_coalition_and_long_ones_about_their_masks_and_nothing() -> None:
    included = np.arange(12) < np.array([12, 3, 1])[:, None]
    masks = drawn(included, n=20)
    design = shapley_design(masks, included)
    assert design.keep.shape == (3, 21, 12)
    assert design.lengths.tolist() == [21, 8, 2] and design.enumerated.tolist() == [False, True, True]
    np.testing.assert_array_equal(design.keep[0, :20], masks[0])
    assert not design.keep[0, 20].any()
    np.testing.assert_array_equal(design.keep[1, :8, :3], coalitions(3))
    np.testing.assert_array_equal(design.keep[1, 8:], np.broadcast_to(included[1], (13, 12)))
    assert not (design.keep & ~included[:, None, :]).any()


def test_neighbours_and_padding_change_no_bit() -> None:
    included = np.arange(14) < np.array([14, 12, 4, 4, 1])[:, None]
    masks = drawn(included)
    design = shapley_design(masks, included)
    p = crooked(design.keep)
    together = fit_shapley(design, p, included)
    for row in range(5):
        units = included[row]
        alone_design = shapley_design(masks[row : row + 1][:, :, units], units[units][None])
        alone = fit_shapley(alone_design, p[row : row + 1, : alone_design.keep.shape[1]], units[units][None])
        np.testing.assert_array_equal(together.values[row][units], alone.values[0])
        np.testing.assert_array_equal(together.error[row][units], alone.error[0])
        assert (together.values[row][~units] == 0).all()


def test_a_non_finite_p_makes_its_example_null_unless_the_example_never_asked() -> None:
    included = np.arange(12) < np.array([12, 3])[:, None]
    design = shapley_design(drawn(included), included)
    p = crooked(design.keep)
    clean = fit_shapley(design, p, included)
    p[1, 8:] = np.nan  # behind the eight coalitions of three words
    np.testing.assert_array_equal(fit_shapley(design, p, included).values, clean.values)
    p[1, 2] = np.nan
    found = fit_shapley(design, p, included)
    assert np.isnan(found.values[1, :3]).all() and np.isnan(found.error[1, :3]).all() and np.isnan(found.clipped[1])
    np.testing.assert_array_equal(found.values[0], clean.values[0])


def test_p_of_another_design_is_refused() -> None:
    design = shapley_design(all_coalitions(3), np.ones((1, 3), dtype=bool))
    with pytest.raises(ValueError, match=r"every mask of the design, \(1, 8\), got \(1, 7\)"):
        fit_shapley(design, np.zeros((1, 7)), np.ones((1, 3), dtype=bool))
