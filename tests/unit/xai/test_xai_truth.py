"""Do the metrics of a known truth count and weigh what they say, in a padded batch as alone?"""

from __future__ import annotations

import numpy as np
import pytest

from xai.attribution import ig
from xai.explain import explanation_metrics
from xai.metrics import precision_at_k, truth_share
from xai.presets import DEFAULT_TEXT
from xai.value import deduplicated_baselines

SIZES = np.array([25, 11, 4, 1])
INCLUDED = np.arange(25) < SIZES[:, None]
SIGNED = np.where(INCLUDED, np.random.default_rng(0).normal(size=(4, 25)), 0.0).astype(np.float32)
DECISIVE = INCLUDED & (np.random.default_rng(1).random((4, 25)) < 0.3)
DECISIVE[2] = False  # of this one the truth is not known
DECISIVE[3, 0] = True


def test_precision_by_hand() -> None:
    included = np.ones((2, 4), dtype=bool)
    truth = np.array([[True, False, True, False], [False, False, False, True]])
    scores = np.array([[0.9, 0.8, 0.1, 0.0], [0.0, 0.3, 0.2, 0.9]])
    assert precision_at_k(scores, truth, included).tolist() == [0.5, 1.0]  # two best hold one of two; the best is the one
    assert precision_at_k(scores, truth, included, k=3).tolist() == [2 / 3, 1 / 3]
    assert precision_at_k(scores, truth, included, k=9).tolist() == [0.5, 0.25]  # four units are all there are
    assert float(precision_at_k(scores[0], truth[0])) == 0.5


def test_precision_ties_go_by_position_and_excluded_units_are_never_best() -> None:
    included = np.array([[False, True, True, True]])
    truth = np.array([[False, False, True, False]])
    assert precision_at_k(np.array([[9.0, 0.5, 0.5, 0.5]]), truth, included).tolist() == [0.0]
    assert precision_at_k(np.array([[9.0, 0.5, 0.5, 0.5]]), truth, included, k=2).tolist() == [0.5]


def test_the_share_of_the_truth_by_hand() -> None:
    truth = np.array([[True, True, False, False]])
    # |a| = .4 .2 .3 .1: the first two hold .6 of 1. All zero is uniform: 2 of 4 units. Everything on a wrong word: nothing.
    for scores, share in (([0.4, -0.2, 0.3, -0.1], 0.6), ([0, 0, 0, 0], 0.5), ([0, 0, -7, 0], 0.0), ([3, 1, 0, 0], 1.0)):
        assert truth_share(np.array([scores], dtype=float), truth).tolist() == pytest.approx([share])


def test_without_a_true_unit_or_with_a_broken_attribution_both_are_null() -> None:
    scores, truth = np.array([[1.0, 0.0], [np.nan, 1.0]]), np.array([[False, False], [True, False]])
    assert np.isnan(precision_at_k(scores, truth)).all() and np.isnan(truth_share(scores, truth)).all()


def test_what_the_truth_cannot_say_is_refused() -> None:
    included = np.array([[True, False]])
    for function in (precision_at_k, truth_share):
        with pytest.raises(ValueError, match="included units alone"):
            function(np.ones((1, 2)), ~included, included)
        with pytest.raises(ValueError, match="boolean"):
            function(np.ones((1, 2)), np.ones((1, 2)))
    with pytest.raises(ValueError, match="k must be at least 1"):
        precision_at_k(np.ones((1, 2)), included, included, 0)
    with pytest.raises(ValueError, match="included units alone"):
        explanation_metrics({"a": SIGNED}, {"mask": lambda keep: keep.mean(-1)}, DEFAULT_TEXT, INCLUDED, ~INCLUDED)


def test_rows_hold_them_where_a_truth_is_given_and_a_padded_text_has_the_bits_it_has_alone() -> None:
    rows = explanation_metrics({"a": SIGNED}, {"mask": lambda keep: keep.mean(-1)}, DEFAULT_TEXT, INCLUDED, DECISIVE)["a"]
    assert [rows[2][name] for name in ("precision_at_k", "truth_share")] == [None, None] and rows[2]["entropy"] is not None
    assert [rows[3][name] for name in ("precision_at_k", "truth_share")] == [1.0, 1.0]  # one word, and it decides
    for row, size in ((0, 25), (1, 11)):
        own, decisive = SIGNED[row, :size], DECISIVE[row, :size]
        assert rows[row]["precision_at_k"] == float(precision_at_k(own, decisive))
        assert rows[row]["truth_share"] == float(truth_share(own, decisive))
    without = explanation_metrics({"a": SIGNED}, {"mask": lambda keep: keep.mean(-1)}, DEFAULT_TEXT, INCLUDED)["a"]
    assert not {"precision_at_k", "truth_share"} & set(without[0])


def test_integrated_gradients_keep_their_sign_leave_padding_out_and_are_null_where_they_are_broken() -> None:
    given = SIGNED + np.where(INCLUDED, 0.0, 9.0).astype(np.float32)
    given[1, 3] = np.inf
    found = ig(given, INCLUDED)
    np.testing.assert_array_equal(found.values[[0, 2, 3]], SIGNED[[0, 2, 3]])
    assert np.isnan(found.values[1, :11]).all() and (found.values[1, 11:] == 0).all() and np.isnan(found.error[1, 0])
    assert (found.error[[0, 2, 3]] == 0).all()
    with pytest.raises(ValueError, match="shape of `included`"):
        ig(given, INCLUDED[:2])


def test_a_p_that_is_known_of_the_intact_inputs_is_not_asked_again() -> None:
    asked: list[tuple[int, bytes]] = []

    def flat(rows: np.ndarray, keep: np.ndarray) -> np.ndarray:
        asked.extend((int(row), mask.tobytes()) for row, mask in zip(rows, keep, strict=True))
        return np.full(len(rows), 0.25)

    value = deduplicated_baselines({"mask": flat}, 4, INCLUDED, [0.5, 0.6, 0.7, 0.8])["mask"]
    assert value(INCLUDED[:, None, :])[:, 0].tolist() == np.array([0.5, 0.6, 0.7, 0.8], dtype=np.float32).tolist() and not asked
    assert value(np.zeros((4, 1, 25), dtype=bool))[:, 0].tolist() == [0.25] * 4 and len(asked) == 4
