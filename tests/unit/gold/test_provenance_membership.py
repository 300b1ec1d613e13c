"""Membership inference: figures that can be counted by hand, their intervals, and the privacy sentence."""

from __future__ import annotations

import numpy as np
import pytest

from gold.provenance.membership import Membership, membership, privacy_sentence, true_positive_rate
from gold.scores import Ordered
from gold.statistics import Interval


def figures(auc: float, low: float, high: float, tpr: float = 0.25) -> Membership:
    return Membership(100, 100, 0.01, auc, Interval(low, high), tpr, Interval(tpr, tpr))


def test_both_figures_are_those_counted_by_hand() -> None:
    """Members 5, 4, 2; others 4, 3, 1, 0. Pairs: 5 beats 4; 4 beats 3 and ties one (3.5); 2 beats 2: 9.5 of 12. At most a quarter of the
    others: from 4 up two members and one other stand (a third member, 2, would bring 3 along); at most a fifth: 5 alone."""
    members, others = [5.0, 4.0, 2.0], [4.0, 3.0, 1.0, 0.0]
    quarter = membership(members, others, 10, np.random.default_rng(0), fpr=0.25)
    assert (quarter.n_members, quarter.n_others) == (3, 4)
    assert quarter.auc == pytest.approx(9.5 / 12) and quarter.tpr == pytest.approx(2 / 3)
    assert membership(members, others, 10, np.random.default_rng(0), fpr=0.2).tpr == pytest.approx(1 / 3)


def test_where_the_highest_score_is_anothers_none_is_found() -> None:
    assert membership([1.0, 1.0], [1.0, 2.0], 10, np.random.default_rng(0)).tpr == 0.0


def test_a_rate_that_is_just_allowed_counts() -> None:
    """1 of 100 others lies above a half of the members: at 1 % that half is found, at 0.99 % the few above it."""
    members, others = np.r_[np.full(5, 9.0), np.full(45, 7.0), np.full(50, -1.0)], np.r_[8.0, np.zeros(99)]
    found = [membership(members, others, 5, np.random.default_rng(0), fpr=fpr).tpr for fpr in (0.01, 0.0099)]
    assert found == [0.5, 0.05]


def test_intervals_are_those_of_resamples_written_out() -> None:
    """The twin draws members and others in the same order, copies them out and counts."""
    rng = np.random.default_rng(4)
    members, others = rng.normal(0.5, 1.0, 60).round(1), rng.normal(0.0, 1.0, 40).round(1)
    found = membership(members, others, 50, np.random.default_rng(7), fpr=0.1, level=0.9)
    twin, areas, rates = np.random.default_rng(7), [], []
    for _ in range(50):
        a, b = members[twin.integers(60, size=60)], others[twin.integers(40, size=40)]
        areas.append(np.mean((a[:, None] > b) + 0.5 * (a[:, None] == b)))
        rates.append(max([0.0, *(np.mean(a >= t) for t in np.r_[a, b] if np.mean(b >= t) <= 0.1)]))
    assert (found.auc_interval.low, found.auc_interval.high) == pytest.approx(tuple(np.quantile(areas, [0.05, 0.95])))
    assert (found.tpr_interval.low, found.tpr_interval.high) == pytest.approx(tuple(np.quantile(rates, [0.05, 0.95])))
    assert found.auc_interval.low < found.auc < found.auc_interval.high


def test_a_weight_is_a_copy() -> None:
    scores, inside, weight = np.array([3.0, 2.0, 2.0, 1.0]), np.array([True, False, True, False]), np.array([2, 1, 0, 3])
    copied = Ordered(np.repeat(scores, weight), np.repeat(inside, weight))
    assert true_positive_rate(Ordered(scores, inside), 0.2, weight) == true_positive_rate(copied, 0.2) == 1.0


def test_one_kind_alone_and_scores_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="found 2 and 0 scores"):
        membership([1.0, 2.0], [], 5, np.random.default_rng(0))
    with pytest.raises(ValueError, match="finite"):
        membership([1.0, np.nan], [0.0], 5, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("network", "plain", "end"),
    [
        ((0.9, 0.88, 0.92), (0.6, 0.55, 0.65), "near 1 is a privacy leak as much as a feature, and the plain classifier leaks 25 % of it"),
        ((0.7, 0.65, 0.75), (0.6, 0.55, 0.64), "an AUC above 0.5 is a privacy leak, and the plain classifier leaks 50 % of it"),
        ((0.95, 0.9, 0.98), (0.51, 0.49, 0.53), "the plain classifier leaks nothing that this attack can see."),
        ((0.7, 0.65, 0.75), (0.6, 0.55, 0.66), "more than the plain classifier leaks already was not shown."),
        ((0.52, 0.49, 0.55), (0.6, 0.55, 0.66), "no leak was seen with this attack, which does not mean that there is none."),
        ((0.3, 0.2, 0.4), (0.6, 0.55, 0.66), "which an attacker can turn round: it is a privacy leak."),
    ],
)
def test_the_privacy_sentence_says_what_the_figures_allow(network: tuple, plain: tuple, end: str) -> None:
    sentence = privacy_sentence(figures(*network), figures(*plain, tpr=0.031))
    assert end in sentence and sentence.count(". ") == 0
    assert f"AUC {network[0]:.3f} ({network[1]:.3f} to {network[2]:.3f}) and finds 25.0 % of them at 1 % false alarms" in sentence
    assert f"AUC {plain[0]:.3f}" in sentence and "3.1 % of them" in sentence
