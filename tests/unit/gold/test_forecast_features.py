"""Feature sets, the shuffled control, and the ladder of rates that a group without training rows falls back on."""

from __future__ import annotations

import numpy as np
import pytest

from gold.forecast.features import BY_NAME, FEATURE_SETS, cell_logit, columns_of, group_rate, matrix_of, shuffled_within
from gold.forecast.rows import Rows
from tests.unit.gold.forecast_frames import grid, keys, rows

METRICS = ("xai__lime__ranking__deletion", "xai__lime__ranking__gini")


def test_the_sets_are_those_of_the_methods_and_each_learned_one_is_also_there_with_the_cell() -> None:
    names = [features.name for features in FEATURE_SETS]
    assert len(set(names)) == len(names)
    assert {"constant", "adapter", "cell", "confidence", "embedding", "xai", "confidence+xai", "all", "corrupted_confidence"} <= set(names)
    for name in ("confidence", "xai", "confidence+xai"):
        assert (BY_NAME[name].cell, BY_NAME[f"{name}|cell"].cell) == (False, True)
        assert BY_NAME[name].parts == BY_NAME[f"{name}|cell"].parts


def test_a_set_takes_the_features_that_are_there_and_says_what_is_lacking() -> None:
    there = rows()
    assert columns_of(there, BY_NAME["confidence+xai"]) == ("confidence", *METRICS)
    assert columns_of(there, BY_NAME["constant"]) == ()
    assert columns_of(there, BY_NAME["embedding"]) == "no feature of embedding: none is in the rows"
    assert columns_of(there, BY_NAME["corrupted_confidence"]) == ("shifted_confidence",)
    lacking = rows(grid().assign(confidence=1.0))
    assert columns_of(lacking, BY_NAME["confidence+xai"]) == "no feature of confidence: the same in every row"
    assert columns_of(rows(grid().drop(columns=list(METRICS))), BY_NAME["all"]) == "no feature of embedding: none is in the rows"


def test_attributions_are_explanations_without_what_exemplars_say_and_no_set_of_their_own_where_these_say_nothing() -> None:
    named = grid().assign(xai__slots__provenance__exemplar_distance=np.arange(180.0))
    assert columns_of(rows(named), BY_NAME["confidence+attributions"]) == ("confidence", *METRICS)
    assert columns_of(rows(named), BY_NAME["confidence+xai"]) == ("confidence", *METRICS, "xai__slots__provenance__exemplar_distance")
    asked = BY_NAME["confidence+attributions"]
    assert columns_of(rows(), asked) == "no metric of exemplars (none is in the rows): it would be confidence+xai again"
    constant = columns_of(rows(grid().assign(xai__slots__provenance__exemplar_distance=1.0)), asked)
    assert constant == "no metric of exemplars (the same in every row): it would be confidence+xai again"
    assert columns_of(rows(grid().drop(columns=list(METRICS))), asked) == "no feature of attributions: none is in the rows"
    assert columns_of(rows(named.drop(columns=list(METRICS))), asked) == "no feature of attributions: none is in the rows"


def test_the_control_takes_all_cells_of_a_pair_from_one_other_example_of_the_same_adapter() -> None:
    some = rows(grid(12, 3, (("blur", 1), ("noise", 1), ("noise", 2))))
    taken = shuffled_within(some.examples, some.adapters, 7)
    assert np.array_equal(some.adapters[taken], some.adapters)
    assert not (some.examples[taken] == some.examples).any()
    for adapter in range(3):
        mine = some.adapters == adapter
        given = [set(some.examples[taken][mine & (some.examples == example)]) for example in range(12)]
        assert all(len(one) == 1 for one in given) and len(set.union(*given)) == 12  # one for all cells; each is handed on once


@pytest.mark.parametrize("seed", range(20))
def test_no_seed_lets_an_example_keep_its_own_explanation(seed: int) -> None:
    examples, adapters = np.repeat(np.arange(4), 2), np.tile(np.arange(2), 4)
    assert not (examples[shuffled_within(examples, adapters, seed)] == examples).any()


def test_an_adapter_with_one_example_has_nothing_to_shuffle() -> None:
    assert shuffled_within(np.array([0, 0, 1]), np.array([0, 1, 1]), 0).tolist() == [0, 2, 1]


def test_in_the_control_confidence_stays_and_explanations_come_from_the_partner() -> None:
    some = rows()
    columns = columns_of(some, BY_NAME["confidence+shuffled_xai"])
    assert isinstance(columns, tuple)
    plain, control = (matrix_of(some, BY_NAME[name], columns, 3) for name in ("confidence+xai", "confidence+shuffled_xai"))
    assert np.array_equal(control[:, 0], plain[:, 0])
    assert np.array_equal(control[:, 1:], plain[shuffled_within(some.examples, some.adapters, 3)][:, 1:])
    assert not np.array_equal(control[:, 1:], plain[:, 1:])


def eight() -> Rows:
    """Two examples, adapters a0 and a1, cells blur 1 and noise 1; failures by hand: a0 blur FF, a0 noise FC, a1 blur CC, a1 noise FC."""
    frame = keys(2, 2, [("blur", 1), ("noise", 1)])
    #              e0: a0 blur, a0 noise, a1 blur, a1 noise; e1: the same
    frame["is_correct"] = [False, False, True, False, False, True, True, True]
    return rows(frame.assign(confidence=np.arange(8.0)))


OVERALL = (4 + 0.5) / (8 + 1)  # 4 of 8 failed: 0.5
BLUR, NOISE = (2 + OVERALL) / (4 + 1), (2 + OVERALL) / (4 + 1)  # two of four each
A0, A1 = (3 + OVERALL) / 5, (1 + OVERALL) / 5


@pytest.mark.parametrize(
    ("level", "adapter_known", "cell_known", "expected"),
    [
        ("all", True, True, [OVERALL] * 4),
        ("adapter", True, True, [A0, A0, A1, A1]),
        ("adapter", False, True, [OVERALL] * 4),  # an adapter that was not seen has the rate of all
        ("cell", True, True, [(2 + BLUR) / 3, (1 + NOISE) / 3, (0 + BLUR) / 3, (1 + NOISE) / 3]),
        ("cell", False, True, [BLUR, NOISE, BLUR, NOISE]),  # of all adapters
        ("cell", True, False, [A0, A0, A1, A1]),  # a corruption that was not seen: the adapter's rate
        ("cell", False, False, [OVERALL] * 4),
    ],
)
def test_a_group_s_rate_is_drawn_to_the_wider_one_by_one_row(
    level: str, adapter_known: bool, cell_known: bool, expected: list[float]
) -> None:
    every = np.arange(8)
    found = group_rate(eight(), every, np.arange(4), level, adapter_known=adapter_known, cell_known=cell_known)
    assert found == pytest.approx(expected, abs=1e-15)


def test_a_group_without_training_rows_has_exactly_the_wider_rate() -> None:
    train = np.array([0, 1, 4, 5])  # a0 alone: blur FF, noise FC: 3 of 4
    overall = (3 + 0.5) / 5
    blur, noise = (2 + overall) / 3, (1 + overall) / 3
    found = group_rate(eight(), train, np.array([2, 3]), "cell", adapter_known=True, cell_known=True)
    assert found == pytest.approx([blur, noise], abs=1e-15)
    assert group_rate(eight(), train, np.array([2]), "adapter", adapter_known=True, cell_known=True) == pytest.approx([overall])
    assert group_rate(eight(), train[:0], np.array([2]), "all", adapter_known=True, cell_known=True) == pytest.approx([0.5])


def test_the_rate_of_a_test_row_does_not_know_its_outcome() -> None:
    some, train = eight(), np.array([0, 1, 2, 3])
    other = grid(2, 2, (("blur", 1), ("noise", 1)))
    assert len(other) == 8
    flipped = Rows(**vars(some) | {"failed": np.where(np.arange(8) < 4, some.failed, ~some.failed)})
    for level in ("all", "adapter", "cell"):
        one, two = (group_rate(given, train, np.arange(4, 8), level, adapter_known=True, cell_known=True) for given in (some, flipped))
        assert np.array_equal(one, two)


def test_the_cell_s_feature_is_the_logit_of_its_rate() -> None:
    assert cell_logit(np.array([0.5, 0.75])) == pytest.approx(np.array([[0.0], [np.log(3.0)]]), abs=1e-15)
