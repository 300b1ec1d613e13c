"""Do the plain scores of a classifier's logits mean what they say, at the edges too?"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax
from scipy.stats import entropy

from silver.confidence import Confidence, confidence_scores

SCORES = ("confidence", "margin", "softmax_entropy", "energy", "pnorm_logit")


def logits(n: int = 64, labels: int = 7, scale: float = 4.0) -> NDArray[np.float32]:
    return (np.random.default_rng(5).normal(size=(n, labels)) * scale).astype(np.float32)


def test_all_scores_agree_with_scipy() -> None:
    given = logits()
    wide = given.astype(np.float64)
    found = confidence_scores(given)
    p = softmax(wide, axis=1)
    top = np.sort(p, axis=1)
    centred = wide - wide.mean(axis=1, keepdims=True)
    np.testing.assert_array_equal(found.predicted, p.argmax(axis=1))
    # both sides are float64 over 7 terms: a few ulps
    np.testing.assert_allclose(found.confidence, top[:, -1], rtol=1e-13)
    np.testing.assert_allclose(found.margin, top[:, -1] - top[:, -2], rtol=0, atol=1e-14)
    np.testing.assert_allclose(found.softmax_entropy, entropy(p, axis=1, base=7), rtol=1e-12)
    np.testing.assert_allclose(found.energy, -logsumexp(wide, axis=1), rtol=1e-14)
    np.testing.assert_allclose(found.pnorm_logit, centred.max(axis=1) / np.sqrt((centred**2).sum(axis=1)), rtol=1e-13)


def test_two_logits_by_hand() -> None:
    found = confidence_scores(np.array([[math.log(3), 0.0]], dtype=np.float32))
    # p = 3/4, 1/4. H = -(3/4 log2 3/4 + 1/4 log2 1/4) = 0.811278 bits of 1. energy = -log 4. centred = +-log(3)/2: max / norm = 1/sqrt 2.
    expected = (0.75, 0.5, 0.8112781244591328, -math.log(4), 1 / math.sqrt(2))
    assert [float(getattr(found, name)[0]) for name in SCORES] == pytest.approx(expected, abs=1e-7)  # log 3 was rounded to float32


def test_equal_logits_are_least_sure_and_go_to_the_first_label() -> None:
    found = confidence_scores(np.zeros((1, 5), dtype=np.float32))
    assert [float(getattr(found, name)[0]) for name in SCORES] == pytest.approx([0.2, 0.0, 1.0, -math.log(5), 0.0])
    assert found.predicted[0] == 0


def test_one_label_has_no_entropy_and_full_confidence() -> None:
    found = confidence_scores(np.array([[3.0]], dtype=np.float32))
    assert (found.confidence[0], found.margin[0], found.pnorm_logit[0]) == (1.0, 1.0, 0.0)
    assert math.isnan(found.softmax_entropy[0])


def test_huge_logits_overflow_nowhere_and_stay_inside_the_tables_ranges() -> None:
    extreme = np.array([[3e38, -3e38, 0.0], [-3e38, -3e38, -3e38], [88.0, 88.0, 88.0], [1e-30, 0, 0]], dtype=np.float32)
    found = confidence_scores(np.concatenate([extreme, logits(200, 3, 100.0)]))
    for name in ("confidence", "margin", "softmax_entropy", "pnorm_logit"):
        values = getattr(found, name)
        assert np.isfinite(values).all() and (values >= 0).all() and (values <= 1).all(), name
    assert np.isfinite(found.energy).all()


def test_a_constant_added_to_all_logits_moves_the_energy_alone() -> None:
    given = np.round(logits() * 8) / 8  # eighths, so that adding 4 rounds nothing in float32
    found, moved = confidence_scores(given), confidence_scores(given + np.float32(4))
    np.testing.assert_allclose(moved.energy, found.energy - 4, rtol=1e-13)
    for name in ("confidence", "margin", "softmax_entropy", "pnorm_logit"):
        np.testing.assert_allclose(getattr(moved, name), getattr(found, name), rtol=0, atol=1e-13)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_row_does_not_depend_on_its_neighbours_or_memory_order_and_the_input_is_not_edited(order: Literal["C", "F"]) -> None:
    # Picking labels by name gives Fortran order, in which numpy adds the terms of a row in another order than for one row alone.
    given = np.array(logits(labels=10), order=order)
    before = given.copy()
    together = confidence_scores(given)
    np.testing.assert_array_equal(given, before)
    for row in range(len(given)):
        alone: Confidence = confidence_scores(given[row : row + 1])
        for name in (*SCORES, "predicted"):
            assert getattr(alone, name)[0] == getattr(together, name)[row]
