"""Gradient similarity: hand-derived numbers, ties, masks and blocks."""

from __future__ import annotations

import numpy as np
import pytest

from gold.provenance import tracin
from gold.provenance.tracin import Examples, supporters
from models.provenance.slots import NOBODY


def examples(n: int, seed: int, d: int = 5, classes: int = 4) -> Examples:
    rng = np.random.default_rng(seed)
    return Examples(rng.standard_normal((n, d)).astype(np.float32), 2 * rng.standard_normal((n, classes)), rng.integers(0, classes, n))


def test_a_similarity_is_errors_times_features_and_one_and_equal_ones_stand_in_training_order() -> None:
    """Logits 0: p = (1/2, 1/2), errors -+1/2, their product 1/2 for one class and -1/2 for two. With f = (1, 2) and f_i = (1, 0), (2, 1),
    (1, 0), (0, -3): f . f_i + 1 = 2, 5, 2, -5; classes 0, 1, 0, 1 against target 0 give 1, -2.5, 1, 2.5."""
    train = Examples(np.array([[1.0, 0.0], [2.0, 1.0], [1.0, 0.0], [0.0, -3.0]]), np.zeros((4, 2)), np.array([0, 1, 0, 1]))
    test = Examples(np.array([[1.0, 2.0]]), np.zeros((1, 2)), np.array([0]))
    found = supporters(test, train, 4)
    assert found.positions.tolist() == [[3, 0, 2, 1]]
    assert found.similarity.tolist() == [[2.5, 1.0, 1.0, -2.5]]
    many = Examples(np.tile(train.features, (50, 1)), np.zeros((200, 2)), np.tile(train.classes, 50))
    assert supporters(test, many, 60).positions.tolist() == [[*range(3, 200, 4), 0, 2, 4, 6, 8, 10, 12, 14, 16, 18]]


def test_blocks_and_masks_give_what_the_naive_order_of_all_similarities_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    test, train = examples(7, 1), examples(30, 2)
    closed = np.random.default_rng(3).random((7, 30)) < 0.5
    monkeypatch.setattr(tracin, "HELD", 65)  # two rows at a time
    found = supporters(test, train, 6, closed)
    for row in range(7):
        gradient = np.outer(test.errors[row], np.r_[test.features[row], 1.0])
        pairs = [(-np.sum(gradient * np.outer(train.errors[i], np.r_[train.features[i], 1.0])), i) for i in range(30) if not closed[row, i]]
        expected = sorted(pairs)[:6]
        assert found.positions[row].tolist() == [i for _, i in expected]
        np.testing.assert_allclose(found.similarity[row], [-score for score, _ in expected], rtol=1e-9)


def test_a_training_input_that_is_masked_is_not_its_own_supporter_and_missing_places_hold_nobody() -> None:
    train = examples(5, 4)
    found = supporters(train, train, 7, np.eye(5, dtype=bool))
    assert (found.positions != np.arange(5)[:, None]).all()
    assert (found.positions[:, 4:] == NOBODY).all() and (found.similarity[:, 4:] == 0.0).all()
    assert all(sorted(row[:4]) == [i for i in range(5) if i != own] for own, row in enumerate(found.positions.tolist()))
    everywhere = supporters(train, train, 2, np.array([True, False, True, True, True]))
    assert everywhere.positions.tolist() == [[1, NOBODY]] * 5


def test_two_heads_are_refused() -> None:
    with pytest.raises(ValueError, match="one head"):
        supporters(examples(3, 1), examples(3, 1, d=6), 1)
    with pytest.raises(ValueError, match=r"logits \[n, C\]"):
        Examples(np.zeros((3, 2)), np.zeros((2, 2)), np.zeros(3, dtype=np.int64))
