"""Occlusion and oracle by hand; what the methods that ask for p under masks have in common."""

from __future__ import annotations

import numpy as np
import pytest

from xai.attribution import cap, kernel_shap, lime, occlusion, oracle
from xai.fits import fit_cap, fit_lime
from xai.masks import Masking, drawn_masks
from xai.value import deduplicated

INCLUDED = np.arange(12) < np.array([12, 5, 1])[:, None]
PULL = np.random.default_rng(0).normal(size=(3, 12))
MASKS = drawn_masks([np.random.default_rng(seed) for seed in range(3)], INCLUDED, Masking(n=30))


def value(keep: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-(keep * PULL[: len(keep), None, : keep.shape[2]]).sum(axis=2)))


def test_occlusion_by_hand() -> None:
    # p = .9 with both words, .4 without the first, .95 without the second.
    p_of = {(True, True): 0.9, (False, True): 0.4, (True, False): 0.95}
    found = occlusion(lambda keep: np.array([[p_of[tuple(mask)] for mask in row] for row in keep.tolist()]), np.ones((1, 2), dtype=bool))
    np.testing.assert_allclose(found.values, [[0.5, -0.05]], atol=1e-7)
    np.testing.assert_array_equal(found.error, 0.0)
    assert found.values.dtype == np.float32


def test_occlusion_does_not_see_a_word_that_another_one_repeats() -> None:
    found = occlusion(lambda keep: keep.any(axis=2).astype(float), np.ones((1, 2), dtype=bool))
    np.testing.assert_array_equal(found.values, 0.0)


def test_occlusion_with_a_non_finite_p_is_null_in_its_own_row_only() -> None:
    def broken(keep: np.ndarray) -> np.ndarray:
        p = value(keep)
        p[1, 2] = np.nan
        return p

    found = occlusion(broken, INCLUDED)
    assert np.isnan(found.values[1][INCLUDED[1]]).all() and np.isnan(found.error[1][INCLUDED[1]]).all() and np.isnan(found.clipped[1])
    np.testing.assert_array_equal(found.values[[0, 2]], occlusion(value, INCLUDED).values[[0, 2]])
    assert (found.values[~INCLUDED] == 0).all()


@pytest.mark.parametrize("included", [np.zeros((1, 3), dtype=bool), np.ones(3, dtype=bool)])
def test_occlusion_of_no_units_is_refused(included) -> None:
    with pytest.raises(ValueError, match="at least one unit per example"):
        occlusion(value, included)


def test_methods_say_in_float32_what_their_fits_say_of_the_same_masks() -> None:
    for method, fit in ((cap, fit_cap), (lime, fit_lime)):
        expected = fit(MASKS, value(MASKS), INCLUDED)
        found = method(value, MASKS, INCLUDED)
        np.testing.assert_array_equal(found.values, expected.values.astype(np.float32))
        np.testing.assert_array_equal(found.error, expected.error.astype(np.float32))
        np.testing.assert_array_equal(found.clipped, expected.clipped)


def test_the_model_is_asked_for_no_more_than_the_stated_number_of_masks() -> None:
    asked: list[int] = []

    def flat(rows: np.ndarray, keep: np.ndarray) -> np.ndarray:
        asked.extend(rows.tolist())
        return np.array(
            [value(np.where(np.arange(3)[:, None, None] == row, mask, False))[row, 0] for row, mask in zip(rows, keep, strict=True)]
        )

    # Twelve words: 13 masks; 30 distinct ones and nothing. Five: 6; 32 coalitions. One: 2; 2.
    occlusion(deduplicated(flat, 3), INCLUDED)
    assert np.bincount(asked).tolist() == [13, 6, 2]
    asked.clear()
    kernel_shap(deduplicated(flat, 3), MASKS, INCLUDED)
    assert np.bincount(asked).tolist() == [len(np.unique(MASKS[0], axis=0)) + 1, 32, 2]


def test_methods_share_the_answers_of_one_deduplicated_value() -> None:
    asked: list[int] = []

    def flat(rows: np.ndarray, keep: np.ndarray) -> np.ndarray:
        asked.append(len(rows))
        return keep.mean(axis=1)

    shared = deduplicated(flat, 3)
    lime(shared, MASKS, INCLUDED)
    cap(shared, MASKS, INCLUDED)
    assert len(asked) == 1


def test_oracle_shares_one_out_over_the_units_that_decide() -> None:
    truth = np.array([[True, False, True, False], [False, True, False, False], [False, False, False, False]])
    np.testing.assert_array_equal(oracle(truth), [[0.5, 0, 0.5, 0], [0, 1, 0, 0], [0, 0, 0, 0]])


def test_oracle_refuses_a_truth_about_excluded_units_or_of_numbers() -> None:
    truth = np.array([[True, True]])
    with pytest.raises(ValueError, match="name included units alone"):
        oracle(truth, np.array([[True, False]]))
    with pytest.raises(ValueError, match="boolean"):
        oracle(truth.astype(float))
