"""Training subsets: sizes, classes, nesting, and naive twins of the three that look at features."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from gold.provenance.selection import boundary, diversity, prototypes, select, spread_order, stratified
from lake.identity import unit_interval

KINDS = ("stratified", "prototypes", "boundary", "diversity")


def world(n: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Features on a coarse grid, so that distances tie; a class of one example among the four."""
    rng = np.random.default_rng(seed)
    labels = np.r_[3, rng.choice(3, n - 1, p=[0.5, 0.3, 0.2])]
    return rng.integers(-2, 3, (n, 3)).astype(np.float32), labels, [f"id{i}" for i in range(n)]


def test_a_subset_has_the_classes_in_their_shares_and_every_class_once_at_least() -> None:
    """20 % of 50, 30, 15, 5: 10, 6, 3, 1 without remainders. 1 % is 1 of 100, but there are four classes. 30 % of 5, 5 is 3: 2 and 1."""
    labels, ids = np.repeat([0, 1, 2, 3], [50, 30, 15, 5]), [f"id{i}" for i in range(100)]
    assert np.bincount(labels[stratified(labels, 0.2, ids, 0)]).tolist() == [10, 6, 3, 1]
    assert np.bincount(labels[stratified(labels, 0.01, ids, 0)]).tolist() == [1, 1, 1, 1]
    halves = np.repeat([0, 2], 5)
    assert sorted(np.bincount(halves[stratified(halves, 0.3, ids[:10], 0)], minlength=3).tolist()) == [0, 1, 2]
    assert np.array_equal(stratified(labels, 1.0, ids, 0), np.arange(100))


def test_smaller_shares_lie_in_larger_ones_also_where_largest_remainders_would_take_one_away() -> None:
    """Classes of 6, 6, 2: by largest remainders 10 seats are 4.29, 4.29, 1.43 -> 4, 4, 2 and 11 are 4.71, 4.71, 1.57 -> 5, 5, 1."""
    labels, ids = np.repeat([0, 1, 2], [6, 6, 2]), [f"id{i}" for i in range(14)]
    subsets = [set(stratified(labels, n / 14, ids, 5).tolist()) for n in range(3, 15)]
    assert [len(one) for one in subsets] == list(range(3, 15))
    assert all(small < large for small, large in pairwise(subsets))


def test_a_subset_is_the_same_examples_in_any_order_and_others_under_another_seed() -> None:
    _, labels, ids = world()
    turned = np.random.default_rng(1).permutation(60)
    mine = {ids[place] for place in stratified(labels, 0.3, ids, 0)}
    assert {ids[turned[place]] for place in stratified(labels[turned], 0.3, [ids[place] for place in turned], 0)} == mine
    assert {ids[place] for place in stratified(labels, 0.3, ids, 1)} != mine


def test_every_beginning_of_the_order_is_the_divisor_rules() -> None:
    """The twin gives seat after seat to the class with the largest K_y / (given + 1/2), the method of Sainte-Laguë."""
    labels, ids = np.repeat([0, 1, 2], [17, 11, 5]), [f"id{i}" for i in range(33)]
    order, sizes, given = spread_order(labels, ids, 2, "any"), np.array([17, 11, 5]), np.zeros(3)
    for n in range(1, 34):
        given[np.argmax(sizes / (given + 0.5))] += 1
        if n not in (16, 17):  # each class's middle example ties with the others' at seats 16 to 18
            assert np.bincount(labels[order[:n]], minlength=3).tolist() == given.tolist(), n


@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_take_as_many_of_each_class_and_smaller_ones_lie_in_larger(kind: str) -> None:
    features, labels, ids = world()
    small, large = (select(kind, features, labels, share, ids, 4) for share in (0.2, 0.5))
    assert np.bincount(labels[small]).tolist() == np.bincount(labels[stratified(labels, 0.2, ids, 4)]).tolist()
    assert len(set(small.tolist())) == len(small) == 12 and set(small.tolist()) < set(large.tolist())
    assert np.array_equal(small, np.sort(small))
    for other in set(KINDS) - {kind}:
        assert not np.array_equal(select(other, features, labels, 0.2, ids, 4), small)


def means(features: np.ndarray, labels: np.ndarray) -> dict[int, np.ndarray]:
    return {int(label): features[labels == label].astype(np.float64).mean(axis=0) for label in np.unique(labels)}


def twin(features: np.ndarray, labels: np.ndarray, sizes: list[int], value: Callable[[int], float]) -> list[int]:
    """Per class the examples of smallest value, ties by position."""
    pairs = [sorted((value(i), i) for i in range(len(labels)) if labels[i] == label)[:size] for label, size in enumerate(sizes)]
    return sorted(i for part in pairs for _, i in part)


def test_prototypes_and_boundary_examples_are_the_naive_twins() -> None:
    features, labels, _ = world()
    sizes, centres = [7, 5, 4, 1], means(features, labels)

    def distance(i: int, label: int) -> float:
        return float(np.linalg.norm(features[i].astype(np.float64) - centres[label]))

    def margin(i: int) -> float:
        return min(distance(i, label) for label in centres if label != labels[i]) - distance(i, int(labels[i]))

    near = twin(features, labels, sizes, lambda i: distance(i, int(labels[i])))
    assert prototypes(features, labels, np.array(sizes)).tolist() == near
    assert boundary(features, labels, np.array(sizes)).tolist() == twin(features, labels, sizes, margin)


def test_diversity_is_the_naive_twin_and_covers_a_class_better_than_its_prototypes() -> None:
    features, labels, ids = world()
    sizes, expected = [7, 5, 4, 1], []
    for label, size in enumerate(sizes):
        members = [i for i in range(60) if labels[i] == label]
        taken = [min(members, key=lambda i: unit_interval("diversity", 8, ids[i]))]
        while len(taken) < size:
            left = [i for i in members if i not in taken]
            taken.append(max(left, key=lambda i: (min(float(((features[i] - features[j]) ** 2).sum()) for j in taken), -i)))
        expected += taken
    found = diversity(features, labels, np.array(sizes), ids, 8)
    assert found.tolist() == sorted(expected)
    own = features[labels == 0]
    radius = [
        float(np.linalg.norm(own[:, None] - features[chosen[labels[chosen] == 0]], axis=2).min(axis=1).max())
        for chosen in (found, prototypes(features, labels, np.array(sizes)))
    ]
    assert radius[0] < radius[1]


def test_equal_examples_can_all_be_taken() -> None:
    assert diversity(np.zeros((4, 2)), np.zeros(4, dtype=np.int64), np.array([4]), ["a", "b", "c", "d"], 0).tolist() == [0, 1, 2, 3]


def test_what_cannot_be_chosen_is_refused() -> None:
    features, labels, ids = world()
    with pytest.raises(ValueError, match=r"share must lie in \(0, 1\]"):
        stratified(labels, 0.0, ids, 0)
    with pytest.raises(ValueError, match=r"60 different ones, found 0\.5 and 59"):
        stratified(labels, 0.5, ["id1", *ids[1:]], 0)
    with pytest.raises(ValueError, match="more examples than it has"):
        prototypes(features, labels, np.array([1, 1, 1, 2]))
    with pytest.raises(ValueError, match="two classes"):
        boundary(features, np.zeros(60, dtype=np.int64), np.array([3]))
