"""What a forecast never sees: no example, and nothing that a regime holds out, stands on both sides of a block."""

from __future__ import annotations

import numpy as np
import pytest

from gold.forecast.regimes import GROUPED, REGIMES, Regime, blocks, obstacle
from gold.forecast.rows import Rows
from tests.unit.gold.forecast_frames import grid, rows, settings

CELLS = (("blur", 1), ("blur", 2), ("fog", 1), ("noise", 1))
BY_NAME = {regime.name: regime for regime in REGIMES}
HONEST = [regime for regime in REGIMES if not regime.leaky]


@pytest.fixture(scope="module")
def many() -> Rows:
    return rows(grid(20, 11, CELLS))  # 11 adapters in 8 parts: some parts hold two


@pytest.mark.parametrize("regime", REGIMES, ids=lambda regime: regime.name)
def test_every_row_is_tested_once_and_never_learned_from_in_its_own_block(regime: Regime, many: Rows) -> None:
    found = blocks(many, regime, settings())
    assert np.array_equal(np.sort(np.concatenate([block.test for block in found])), np.arange(len(many)))
    for block in found:
        assert len(block.train) and len(block.test) and not np.intersect1d(block.train, block.test).size
        assert all(np.array_equal(side, np.unique(side)) for side in (block.train, block.test))


@pytest.mark.parametrize("regime", HONEST, ids=lambda regime: regime.name)
def test_no_example_stands_on_two_sides_nor_does_what_is_held_out(regime: Regime, many: Rows) -> None:
    for block in blocks(many, regime, settings()):
        held = ["examples", *(["adapters"] if regime.adapters else []), *(["corruptions"] if regime.corruptions else [])]
        for name in held:
            codes = getattr(many, name)
            assert not np.intersect1d(codes[block.train], codes[block.test]).size, name
        # and nothing more is withheld: a row that shares none of these with the block is learned from
        shares = np.any([np.isin(getattr(many, name), getattr(many, name)[block.test]) for name in held], axis=0)
        assert np.array_equal(block.train, np.flatnonzero(~shares))


def test_the_row_split_has_examples_on_both_sides() -> None:
    few = rows(grid(20, 3))
    assert all(np.intersect1d(few.examples[block.train], few.examples[block.test]).size for block in blocks(few, REGIMES[0], settings()))


@pytest.mark.parametrize(
    ("name", "adapters", "expected"),
    [
        ("ki", 3, 3),  # n_folds
        ("grouped", 3, 3),
        ("leave_adapter_out", 3, 6),  # each adapter alone x 2 parts of examples
        ("leave_adapter_out", 11, 16),  # 8 parts x 2
        ("leave_corruption_out", 3, 6),  # blur, fog, noise x 2: severities of one corruption go together
        ("leave_adapter_and_corruption_out", 11, 8),  # 2 x 2 x 2
    ],
)
def test_there_are_as_many_blocks_as_parts(name: str, adapters: int, expected: int) -> None:
    assert len(blocks(rows(grid(20, adapters, CELLS)), BY_NAME[name], settings())) == expected


def test_parts_of_examples_differ_by_one_example_at_most_and_move_with_the_seed() -> None:
    many = rows(grid(20, 3))
    sizes = [len(np.unique(many.examples[block.test])) for block in blocks(many, GROUPED, settings())]
    assert sorted(sizes) == [6, 7, 7]  # 20 = 7 + 7 + 6
    first, again, other = (blocks(many, GROUPED, settings(seed=seed))[0].test.tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_a_frame_that_cannot_be_forecast_says_why() -> None:
    def of(name: str, **changes: object) -> str | None:
        return obstacle(rows(grid(20, 3).assign(**changes)), BY_NAME[name], settings())

    assert of("grouped") is None
    assert of("grouped", is_correct=True) == "one class only: all rows are correct"
    assert of("grouped", is_correct=False) == "one class only: all rows are wrong"
    assert obstacle(rows(grid(8, 3)), GROUPED, settings()) == "48 complete rows; at least 50 are needed"  # 8 x 3 x 2
    assert obstacle(rows(grid(2, 30)), GROUPED, settings()) == "2 examples do not fill 3 parts"
    assert obstacle(rows(grid(30, 1)), BY_NAME["leave_adapter_out"], settings()) == "one adapter only: it cannot be held out"
    one = grid(20, 3, (("blur", 1), ("blur", 2)))
    assert obstacle(rows(one), BY_NAME["leave_corruption_out"], settings()) == "one corruption only: it cannot be held out"
    assert obstacle(rows(one), BY_NAME["leave_adapter_and_corruption_out"], settings()) == "one corruption only: it cannot be held out"


def test_a_block_that_has_nothing_to_learn_from_is_an_obstacle_and_no_guess_of_one_half() -> None:
    frame = grid(20, 2)
    some = frame[~((frame["adapter_id"] == "a1") & (frame["corruption"] == "noise"))]  # without a0 and without blur nothing is left
    found = obstacle(rows(some, min_rows=10), BY_NAME["leave_adapter_and_corruption_out"], settings(min_rows=10))
    assert found == "for some rows nothing is left to learn from when what must be held out is"
