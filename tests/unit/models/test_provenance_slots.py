"""Which output of an index head stands for which training example? Expected values by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.provenance.slots import Slots

# Eight training examples of four classes: class 0 at 1, 4, 6; class 1 at 0, 2; class 2 nowhere; class 3 at 3, 5, 7.
LABELS = np.array([1, 0, 1, 3, 0, 3, 0, 3])
WITH_ONE = np.array([0, 2, 0, 1, 0, 1])  # class 2 has one example, at place 1


def lists(groups: list[tuple[np.ndarray, np.ndarray]]) -> list[tuple[list[int], list[int]]]:
    return [(rows.tolist(), members.tolist()) for rows, members in groups]


def test_slot_s_of_a_class_is_its_sth_training_example_in_order() -> None:
    slots = Slots(LABELS, 4, conditional=True)
    assert [members.tolist() for members in slots.members] == [[1, 4, 6], [0, 2], [], [3, 5, 7]]
    assert slots.sizes.tolist() == [3, 2, 0, 3]
    assert slots.within.tolist() == slots.slot_of.tolist() == [0, 0, 1, 0, 1, 1, 2, 2]
    assert slots.width == 3  # the largest class


def test_a_class_independent_head_has_one_slot_per_example_in_order() -> None:
    slots = Slots(LABELS, 4, conditional=False)
    assert slots.width == 8 and slots.slot_of.tolist() == list(range(8))
    assert lists(slots.groups(np.array([3, 2]))) == [([0, 1], list(range(8)))]


def test_rows_told_one_class_see_its_examples_and_those_of_an_absent_class_none() -> None:
    slots = Slots(LABELS, 4, conditional=True)
    assert lists(slots.groups(np.array([3, 0, 3, 2]))) == [([1], [1, 4, 6]), ([3], []), ([0, 2], [3, 5, 7])]


def test_without_mixing_every_target_is_its_own() -> None:
    rows = np.array([5, 5, 0, 3])
    assert Slots(LABELS, 4, False).mixed(rows, 0.0, np.random.default_rng(0)).tolist() == [5, 5, 0, 3]


@pytest.mark.parametrize("conditional", [True, False])
def test_the_only_one_of_its_class_stays_its_own_target(conditional: bool) -> None:
    rows = np.full(500, 1)
    assert set(Slots(WITH_ONE, 3, conditional).mixed(rows, 1.0, np.random.default_rng(1))) == {1}


def test_with_alpha_one_no_target_is_its_own_and_the_others_of_the_class_are_equally_likely() -> None:
    labels = np.array([0, 1, 0, 0, 1, 0, 0])  # class 0 at 0, 2, 3, 5, 6
    drawn = Slots(labels, 2, True).mixed(np.full(40_000, 3), 1.0, np.random.default_rng(2))
    found, counts = np.unique(drawn, return_counts=True)
    assert found.tolist() == [0, 2, 5, 6]
    # 10,000 expected each, sd sqrt(40,000 x 1/4 x 3/4) = 87: five of them
    assert np.abs(counts - 10_000).max() < 435


def test_a_target_is_moved_as_often_as_alpha_says() -> None:
    drawn = Slots(np.zeros(3, dtype=np.int64), 1, False).mixed(np.full(40_000, 2), 0.3, np.random.default_rng(3))
    # moved 12,000 times, sd sqrt(40,000 x 0.3 x 0.7) = 92; half of that to each of the two others
    found, counts = np.unique(drawn, return_counts=True)
    assert found.tolist() == [0, 1, 2]
    assert np.abs(counts - np.array([6_000, 6_000, 28_000])).max() < 460


def test_a_mixed_target_always_has_the_class_of_its_row() -> None:
    rows = np.tile(np.arange(8), 200)
    drawn = Slots(LABELS, 4, False).mixed(rows, 1.0, np.random.default_rng(4))
    assert (LABELS[drawn] == LABELS[rows]).all() and (drawn != rows).all()


@pytest.mark.parametrize(
    ("labels", "said"),
    [(np.array([0, 4]), r"0\.\.3, found 0\.\.4"), (np.array([-1, 0]), "found -1"), (np.array([], dtype=np.int64), r"shape \(0,\)")],
)
def test_labels_outside_the_classes_and_empty_training_sets_are_refused(labels: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Slots(labels, 4, conditional=True)
