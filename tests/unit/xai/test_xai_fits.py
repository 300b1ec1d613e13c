"""CAP's and LIME's regressions by hand, their errors by refitting, and what becomes of bad p."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pydantic import ValidationError

from xai.fits import CAP_FIT, LIME_FIT, CapFit, LimeFit, fit_cap, fit_lime
from xai.fits.least_squares import lower_inverse
from xai.masks import Masking, drawn_masks

TWO = np.array([[[True, True], [True, False], [False, True]]])
BOTH = np.ones((1, 2), dtype=bool)
RAGGED = np.arange(9) < np.array([9, 6, 6, 1])[:, None]
FITS = [fit_cap, fit_lime]


def drawn(included: np.ndarray, n: int = 40) -> np.ndarray:
    return drawn_masks([np.random.default_rng(seed) for seed in range(len(included))], included, Masking(n=n))


def logistic(keep: np.ndarray, seed: int = 0) -> np.ndarray:
    pull = np.random.default_rng(seed).normal(size=keep.shape[2])
    return 1 / (1 + np.exp(1 - keep @ pull))


def test_the_defaults_are_those_of_the_methods() -> None:
    assert CAP_FIT.model_dump() == {"ridge": 1.0, "p_low": 1e-6, "p_high": 0.99}
    assert LIME_FIT.model_dump() == {"ridge": 1.0, "width": 0.25}


def test_cap_of_two_words_by_hand() -> None:
    # z = 1, 1/2, 1/4. MᵀM + I = [[3, 1], [1, 3]], Mᵀz = [3/2, 5/4], so α = [3·3/2 - 5/4, 3·5/4 - 3/2] / 8 = [13/32, 9/32].
    # Without the second mask [[2, 1], [1, 3]] α = [1, 5/4] gives [.35, .3]; without the third [[3, 1], [1, 2]] α = [3/2, 1] gives
    # [.4, .3]: sqrt(1/2 · (.025² + .025²)) = .025, and 0.
    found = fit_cap(TWO, np.exp([[-1.0, -2.0, -4.0]]), BOTH)
    np.testing.assert_allclose(found.values, [[13 / 32, 9 / 32]], rtol=1e-14)
    np.testing.assert_allclose(found.error, [[0.025, 0.0]], atol=1e-15)
    assert found.clipped.tolist() == [0.0]


def test_cap_clips_p_and_says_of_how_many_masks() -> None:
    found = fit_cap(TWO, np.array([[1.0, 0.5, 0.0]]), BOTH)
    same = fit_cap(TWO, np.array([[0.99, 0.5, 1e-6]]), BOTH)
    np.testing.assert_array_equal(found.values, same.values)
    assert (found.clipped.tolist(), same.clipped.tolist()) == ([2 / 3], [0.0])


def test_lime_of_two_words_by_hand() -> None:
    # Width such that half removed weighs 1/2: weights 1, 1/2, 1/2. Weighted means x = 3/4, y = 11/16; centred x = (1, 1), (1, -3),
    # (-3, 1) quarters, y = 5, -3, -7 sixteenths. XᵀWX + I = [[11, -1], [-1, 11]] / 8, XᵀWy = [7, 3] / 32: slopes 1/6 and 1/12.
    found = fit_lime(TWO, np.array([[1.0, 0.5, 0.25]]), BOTH, LimeFit(width=0.5 / math.sqrt(2 * math.log(2))))
    np.testing.assert_allclose(found.values, [[1 / 6, 1 / 12]], rtol=1e-14)


def test_lime_weighs_by_the_share_removed_and_not_by_the_number() -> None:
    # Three of ten and six of twenty units removed are equally near: exp(-.5 · (.3 / .25)²) = .4868.
    from xai.fits.lime import proximity

    ten, twenty = np.ones((1, 1, 10)), np.ones((1, 1, 20))
    ten[..., :3], twenty[..., :6] = 0, 0
    assert proximity(ten, 0.25)[0, 0] == pytest.approx(math.exp(-0.72), rel=1e-12)
    assert proximity(twenty, 0.25)[0, 0] == pytest.approx(math.exp(-0.72), rel=1e-12)


def test_lime_ignores_a_constant_that_cap_shares_out() -> None:
    keep = drawn(np.ones((1, 5), dtype=bool))
    flat = np.full(keep.shape[:2], 0.5)
    np.testing.assert_allclose(fit_lime(keep, flat, keep[:, 0]).values, 0.0, atol=1e-15)
    assert (fit_cap(keep, flat, keep[:, 0]).values > 0.1).all()


@pytest.mark.parametrize("fit", FITS)
def test_errors_are_those_of_leaving_out_one_drawn_mask_after_the_other(fit) -> None:
    keep = drawn(np.ones((1, 6), dtype=bool), n=25)
    p, included = logistic(keep), keep[:, 0]
    left_out = [fit(np.delete(keep, i, axis=1), np.delete(p, i, axis=1), included).values[0] for i in range(1, 25)]
    expected = np.sqrt(23 / 24 * ((np.array(left_out) - np.mean(left_out, axis=0)) ** 2).sum(axis=0))
    np.testing.assert_allclose(fit(keep, p, included).error[0], expected, rtol=1e-10)


@pytest.mark.parametrize("fit", FITS)
def test_neighbours_and_padding_change_no_bit(fit) -> None:
    keep = drawn(RAGGED)
    p = logistic(keep)
    together = fit(keep, p, RAGGED)
    for row in range(4):
        units = RAGGED[row]
        alone = fit(keep[row : row + 1][:, :, units], p[row : row + 1], units[units][None])
        np.testing.assert_array_equal(together.values[row][units], alone.values[0])
        np.testing.assert_array_equal(together.error[row][units], alone.error[0])
        assert (together.values[row][~units] == 0).all() and (together.error[row][~units] == 0).all()


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_non_finite_p_makes_its_own_example_null_and_no_other(fit, broken: float) -> None:
    keep = drawn(RAGGED)
    p = logistic(keep)
    clean = fit(keep, p, RAGGED)
    p[1, 7] = broken
    found = fit(keep, p, RAGGED)
    assert np.isnan(found.values[1][RAGGED[1]]).all() and np.isnan(found.error[1][RAGGED[1]]).all() and np.isnan(found.clipped[1])
    assert (found.values[~RAGGED] == 0).all()
    np.testing.assert_array_equal(found.values[[0, 2, 3]], clean.values[[0, 2, 3]])


def test_one_word_alone_has_a_cap_score_and_no_slope() -> None:
    keep = np.ones((1, 9, 1), dtype=bool)
    p = np.full((1, 9), np.exp(-2.0))
    # Nine rows of one: 9 · 1/2 / (9 + 1).
    cap, lime = fit_cap(keep, p, keep[:, 0]), fit_lime(keep, p, keep[:, 0])
    assert cap.values[0, 0] == pytest.approx(0.45, rel=1e-14) and lime.values[0, 0] == 0.0
    assert cap.error[0, 0] == pytest.approx(0.0, abs=1e-15) and lime.error[0, 0] == 0.0


@pytest.mark.parametrize("fit", FITS)
def test_more_words_than_masks_are_solved_and_have_errors(fit) -> None:
    keep = drawn(np.ones((2, 120), dtype=bool), n=30)
    found = fit(keep, logistic(keep), keep[:, 0])
    assert np.isfinite(found.values).all() and (found.error > 0).all()


def test_with_one_drawn_mask_no_error_can_be_told() -> None:
    assert np.isnan(fit_cap(TWO[:, :2], np.array([[0.5, 0.2]]), BOTH).error).all()


def test_the_inputs_are_not_edited() -> None:
    keep = drawn(RAGGED)
    p = logistic(keep)
    for array in (keep, p):
        array.flags.writeable = False
    before = p.copy()
    for fit in FITS:
        fit(keep, p, RAGGED)
    np.testing.assert_array_equal(p, before)


def test_masks_or_p_that_do_not_fit_are_refused() -> None:
    p = np.full((1, 3), 0.5)
    with pytest.raises(ValueError, match="first must show every included unit"):
        fit_cap(TWO[:, ::-1], p, BOTH)
    with pytest.raises(ValueError, match="none an excluded one"):
        fit_cap(TWO, p, np.array([[True, False]]))
    with pytest.raises(ValueError, match=r"p must answer every mask of every example, \(1, 3\), got \(1, 2\)"):
        fit_lime(TWO, p[:, :2], BOTH)
    with pytest.raises(ValueError, match="needs masks bool"):
        fit_lime(TWO.astype(float), p, BOTH)
    with pytest.raises(ValueError, match="at least one included unit"):
        fit_cap(np.zeros((1, 3, 2), dtype=bool), p, np.zeros((1, 2), dtype=bool))


@pytest.mark.parametrize("wrong", [{"ridge": 0.0}, {"p_low": 0.5, "p_high": 0.5}, {"p_high": 1.0}, {"width": 1.0}])
def test_settings_out_of_range_are_refused(wrong) -> None:
    with pytest.raises(ValidationError):
        CapFit(**wrong)


def test_the_triangular_inverse_is_the_inverse() -> None:
    lower = np.tril(np.random.default_rng(0).normal(size=(3, 6, 6))) + 3 * np.eye(6)
    np.testing.assert_allclose(lower_inverse(lower), np.linalg.inv(lower), atol=1e-12)
