"""Flipped labels, and how well a score finds them: exact counts, hand-derived figures, ties."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from gold.provenance.mislabel import detection, disagreement, flip_labels, losses
from models.provenance.ranking import Ranking
from models.provenance.slots import NOBODY

IDS = [f"id{i}" for i in range(400)]
LABELS = np.repeat([0, 1, 2], [200, 120, 80])


def test_exactly_the_share_is_flipped_in_every_class_and_to_another_label() -> None:
    """5 % of 200, 120, 80: 10, 6, 4."""
    found = flip_labels(LABELS, 0.05, 3, IDS, 0)
    assert np.bincount(LABELS[found.wrong]).tolist() == [10, 6, 4]
    assert np.array_equal(found.labels != LABELS, found.wrong)
    assert set(found.labels.tolist()) == {0, 1, 2}
    assert not flip_labels(LABELS, 0.0, 3, IDS, 0).wrong.any() and flip_labels(LABELS, 1.0, 3, IDS, 0).wrong.all()


def test_flips_go_with_the_ids_and_smaller_shares_lie_in_larger_ones_with_the_same_labels() -> None:
    turned = np.random.default_rng(1).permutation(400)
    small, large = (flip_labels(LABELS, share, 3, IDS, 0) for share in (0.05, 0.1))
    again = flip_labels(LABELS[turned], 0.05, 3, [IDS[place] for place in turned], 0)
    assert np.array_equal(again.labels, small.labels[turned])
    assert (large.wrong | ~small.wrong).all() and np.array_equal(small.labels[small.wrong], large.labels[small.wrong])
    assert not np.array_equal(flip_labels(LABELS, 0.05, 3, IDS, 1).wrong, small.wrong)


def test_the_other_label_is_uniform() -> None:
    """Of 200 flipped zeros 100 are expected under each other label, with sd sqrt(50): four of them are 28.3."""
    found = np.bincount(flip_labels(np.zeros(200, dtype=np.int64), 1.0, 3, IDS[:200], 0).labels, minlength=3)
    assert found[0] == 0 and abs(found[1] - 100) < 28.3


def test_disagreement_is_the_mass_on_other_labels_without_the_example_itself() -> None:
    """Row 0 (label 0): itself 0.5 left out; 0.3 on label 1 and 0.1 on label 0: 0.75. Row 1 (label 1): 0.2 on label 1, nobody else: 0.
    Row 2 (label 0): itself alone: 0. Row 3 (label 1) is no longer among its own: 0.6 of 0.8 on label 0."""
    given = np.array([0, 1, 0, 1])
    positions = np.array([[0, 1, 2], [3, NOBODY, NOBODY], [2, NOBODY, NOBODY], [0, 1, NOBODY]])
    probability = np.array([[0.5, 0.3, 0.1], [0.2, 0.0, 0.0], [1.0, 0.0, 0.0], [0.6, 0.2, 0.0]])
    found = disagreement(Ranking(positions, probability), np.arange(4), given)
    np.testing.assert_allclose(found, [0.75, 0.0, 0.0, 0.75])


def test_a_loss_is_minus_log_p_of_the_given_label_also_of_huge_logits() -> None:
    """Logits log 3, 0: p 3/4, 1/4. Logits 1000, 0: log p = -1000 for the second."""
    logits = np.array([[np.log(3.0), 0.0], [np.log(3.0), 0.0], [1000.0, 0.0]])
    np.testing.assert_allclose(losses(logits, np.array([0, 1, 1])), [np.log(4 / 3), np.log(4.0), 1000.0])


def test_precision_and_recall_are_counted_from_the_highest_score() -> None:
    """By score: wrong, right, wrong, right. AP = (1/1 + 2/3) / 2."""
    found = detection([0.1, 0.9, 0.5, 0.7], np.array([False, True, True, False]), [1, 2, 3, 4])
    assert (found.n, found.n_wrong, found.checked) == (4, 2, (1, 2, 3, 4))
    assert found.precision == pytest.approx((1.0, 1 / 2, 2 / 3, 1 / 2)) and found.recall == pytest.approx((0.5, 0.5, 1.0, 1.0))
    assert found.average_precision == pytest.approx(5 / 6)


def test_equal_scores_count_as_the_mean_over_all_their_orders() -> None:
    score, wrong = np.array([2.0, 1.0, 1.0, 1.0, 0.0]), np.array([False, True, True, False, True])
    orders = [[0, *(1 + np.array(one)), 4] for one in permutations(range(3))]
    for checked in (1, 2, 3, 4, 5):
        expected = np.mean([wrong[order[:checked]].mean() for order in orders])
        assert detection(score, wrong, [checked]).precision == pytest.approx((expected,))


def test_what_says_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"found 1\.5, 3 and 400"):
        flip_labels(LABELS, 1.5, 3, IDS, 0)
    with pytest.raises(ValueError, match="classes be 2 at least"):
        flip_labels(LABELS, 0.1, 1, IDS, 0)
    with pytest.raises(ValueError, match="found 0 and"):
        detection([0.1, 0.2], np.array([False, False]), [1])
    with pytest.raises(ValueError, match=r"1\.\.2 examples"):
        detection([0.1, 0.2], np.array([False, True]), [3])
