"""Every distinct mask is evaluated once."""

from __future__ import annotations

import numpy as np
import pytest

from xai.attribution import reverse
from xai.metrics import comprehensiveness, deletion, insertion, sufficiency
from xai.presets import DEFAULT
from xai.value import deduplicated, deduplicated_baselines


class Counting:
    """A flat value function, p = share of the row's weights that is visible, which counts the pairs it was asked about."""

    def __init__(self, weights: np.ndarray) -> None:
        self.weights, self.calls, self.pairs = weights, 0, []

    def __call__(self, rows: np.ndarray, keep: np.ndarray) -> np.ndarray:
        self.calls += 1
        self.pairs += [(int(row), mask.tobytes()) for row, mask in zip(rows, keep, strict=True)]
        return (self.weights[rows] * keep).sum(-1).astype(np.float32)


@pytest.fixture
def weights() -> np.ndarray:
    return np.random.default_rng(0).dirichlet(np.ones(20), size=3)


def test_answers_are_those_of_the_flat_function(weights) -> None:
    keep = np.random.default_rng(1).random((3, 11, 20)) < 0.5
    found = deduplicated(Counting(weights), 3)(keep)
    expected = [[np.float32((weights[row] * mask).sum()) for mask in keep[row]] for row in range(3)]
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32


def test_no_pair_is_asked_twice_within_a_call_or_across_calls(weights) -> None:
    flat = Counting(weights)
    value = deduplicated(flat, 3)
    keep = np.random.default_rng(1).random((3, 6, 20)) < 0.5
    first = value(np.concatenate([keep, keep[:, ::-1]], axis=1))
    again = value(keep)
    assert flat.calls == 1
    assert len(flat.pairs) == len(set(flat.pairs)) == 18
    np.testing.assert_array_equal(again, first[:, :6])


def test_the_same_mask_of_two_examples_is_two_pairs(weights) -> None:
    flat = Counting(weights)
    found = deduplicated(flat, 3)(np.ones((3, 1, 20), dtype=bool) & (np.arange(20) < 7))
    assert [row for row, _ in flat.pairs] == [0, 1, 2]
    np.testing.assert_allclose(found[:, 0], weights[:, :7].sum(-1), rtol=1e-6)


def test_a_reversed_order_costs_nothing_where_the_step_divides_the_units(weights) -> None:
    # 20 units, step 2: 11 points per curve. Deletion by a and by its reverse are disjoint but for the ends: 11 + 9 masks, and the two
    # insertions need the same 20: half of the 40 distinct-by-curve ones (44 points in all), for each of 3 examples.
    flat = Counting(weights)
    value = deduplicated(flat, 3)
    for attribution in (weights, reverse(weights)):
        deletion(attribution, value)
        insertion(attribution, value)
    assert len(flat.pairs) == 3 * 20


def test_a_reversed_order_shares_only_the_ends_where_it_does_not() -> None:
    # 25 units, step 2: deletions leave 25, 23, …, 1, 0 and insertions show 0, 2, …, 24, 25: nothing shared but the two ends.
    weights = np.random.default_rng(0).dirichlet(np.ones(25), size=1)
    flat = Counting(weights)
    value = deduplicated(flat, 1)
    for attribution in (weights, reverse(weights)):
        deletion(attribution, value, DEFAULT)
        insertion(attribution, value, DEFAULT)
    assert len(flat.pairs) == 4 * 12 + 2


def test_twenty_percent_alone_is_free_after_the_mean(weights) -> None:
    flat = Counting(weights)
    value = deduplicated(flat, 3)
    comprehensiveness(weights, value)
    sufficiency(weights, value)
    asked = len(flat.pairs)
    comprehensiveness(weights, value, percents=(20,))
    sufficiency(weights, value, percents=(20,))
    assert len(flat.pairs) == asked == 3 * (1 + 4 + 4)  # intact; 1, 2, 4 or 10 of 20 words gone; the same alone


def test_none_and_all_visible_are_legal(weights) -> None:
    keep = np.stack([np.zeros((3, 20), dtype=bool), np.ones((3, 20), dtype=bool)], axis=1)
    np.testing.assert_allclose(deduplicated(Counting(weights), 3)(keep), [[0, 1]] * 3, atol=1e-6)


def test_no_masks_and_no_examples_are_legal(weights) -> None:
    assert deduplicated(Counting(weights), 3)(np.zeros((3, 0, 20), dtype=bool)).shape == (3, 0)
    assert deduplicated(Counting(weights[:0]), 0)(np.zeros((0, 4, 20), dtype=bool)).shape == (0, 4)


def test_a_call_that_fails_leaves_nothing_remembered(weights) -> None:
    flat = Counting(weights)
    broken = {"now": True}

    def sometimes(rows: np.ndarray, keep: np.ndarray) -> np.ndarray:
        if broken["now"]:
            raise MemoryError
        return flat(rows, keep)

    value = deduplicated(sometimes, 3)
    keep = np.ones((3, 2, 20), dtype=bool)
    with pytest.raises(MemoryError):
        value(keep)
    broken["now"] = False
    np.testing.assert_allclose(value(keep), 1.0, rtol=1e-6)


def test_baselines_ask_about_the_intact_input_once_between_them_and_about_all_else_themselves(weights) -> None:
    flats = {name: Counting(weights) for name in ("mean", "zero")}
    values = deduplicated_baselines(flats, 3)
    keep = np.stack([np.ones((3, 20), dtype=bool), np.zeros((3, 20), dtype=bool), np.tile(np.arange(20) < 5, (3, 1))], axis=1)
    first, second = values["mean"](keep), values["zero"](keep)
    np.testing.assert_array_equal(first, second)
    assert [len(flats[name].pairs) for name in ("mean", "zero")] == [9, 6]  # three masks of three examples, then two
    np.testing.assert_array_equal(values["zero"](keep[:, :1]), first[:, :1])
    assert flats["zero"].calls == 1


def test_an_intact_input_learnt_later_serves_the_baseline_that_asked_before(weights) -> None:
    flats = {name: Counting(weights) for name in ("mean", "zero")}
    values = deduplicated_baselines(flats, 3)
    values["mean"](np.zeros((3, 1, 20), dtype=bool))
    values["zero"](np.ones((3, 1, 20), dtype=bool))
    values["mean"](np.ones((3, 1, 20), dtype=bool))
    assert flats["mean"].calls == 1


def test_null_answers_are_remembered_as_null() -> None:
    value = deduplicated(lambda rows, keep: np.full(len(rows), np.nan), 1)
    keep = np.ones((1, 2, 3), dtype=bool)
    assert np.isnan(value(keep)).all()
    assert np.isnan(value(keep)).all()


@pytest.mark.parametrize("shape", [(2, 4, 20), (3, 4, 19), (3, 20)])
def test_another_batch_or_number_of_units_is_refused(weights, shape) -> None:
    value = deduplicated(Counting(weights), 3)
    value(np.ones((3, 1, 20), dtype=bool))
    with pytest.raises(ValueError, match="one deduplicated value per batch"):
        value(np.ones(shape, dtype=bool))


def test_an_answer_of_another_length_is_refused(weights) -> None:
    with pytest.raises(ValueError, match="one p per pair"):
        deduplicated(lambda rows, keep: np.ones(1), 3)(np.ones((3, 1, 20), dtype=bool))
