"""Are poked inputs answered as a naive loop answers them, with one forward per needed input and none twice?"""

from __future__ import annotations

import numpy as np
import pytest

from xai.attribution import lime, occlusion
from xai.inversion.poked import UNPOKED, all_at_once, one_by_one, poked_value
from xai.masks import Masking, drawn_masks

BATCH, UNITS, REPEATS = 2, 4, 3


class World:
    """p = sigmoid of a product of visible units; counts what it is asked."""

    def __init__(self) -> None:
        generator = np.random.default_rng(0)
        self.x = generator.uniform(0.5, 1.5, (BATCH, UNITS))
        self.noise = 0.05 * generator.standard_normal((BATCH, UNITS * REPEATS, UNITS))
        self.asked: list[tuple[int, int, bytes]] = []

    def inputs(self, touched: np.ndarray) -> np.ndarray:
        """[batch, 1 + pokes, units]: the inputs and their pokes."""
        poked = self.x[:, None] + self.noise[:, : len(touched)] * touched
        return np.concatenate([self.x[:, None], poked], axis=1)

    def p(self, x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-(x[:, 0] * x[:, 1] - x[:, 2] + 0.1 * x[:, 3])))

    def flat(self, touched: np.ndarray):
        inputs = self.inputs(touched)

        def ask(rows: np.ndarray, pokes: np.ndarray, keep: np.ndarray) -> np.ndarray:
            self.asked += [(int(r), int(i), k.tobytes()) for r, i, k in zip(rows, pokes, keep, strict=True)]
            return self.p(inputs[rows, pokes + 1] * keep)

        return ask


def naive(world: World, touched: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """One forward per row and mask, whatever was asked before."""
    inputs = world.inputs(touched).reshape(-1, UNITS)
    return np.stack([[world.p((x * mask)[None])[0] for mask in masks] for x, masks in zip(inputs, keep, strict=True)])


@pytest.mark.parametrize("touched", [one_by_one(UNITS, REPEATS), all_at_once(UNITS, REPEATS)], ids=["one by one", "all at once"])
def test_answers_are_those_of_a_loop_over_inputs_pokes_and_masks(touched: np.ndarray) -> None:
    world = World()
    keep = np.random.default_rng(1).random((BATCH * (1 + len(touched)), 9, UNITS)) < 0.5
    value = poked_value(world.flat(touched), BATCH, touched)
    assert value(keep) == pytest.approx(naive(world, touched, keep), abs=1e-7)
    assert len(world.asked) == len(set(world.asked))  # none twice
    n = len(world.asked)
    assert value(keep[:, ::-1]) == pytest.approx(naive(world, touched, keep)[:, ::-1], abs=1e-7) and len(world.asked) == n


def test_occlusion_of_units_poked_one_at_a_time_costs_a_forward_per_poke_and_visible_rest() -> None:
    world, touched = World(), one_by_one(UNITS, REPEATS)
    value = poked_value(world.flat(touched), BATCH, touched)
    included = np.ones((BATCH * (1 + len(touched)), UNITS), dtype=bool)
    found = occlusion(value, included).values.reshape(BATCH, 1 + len(touched), UNITS)
    inputs = world.inputs(touched)
    for unit in range(UNITS):
        hidden = inputs * (np.arange(UNITS) != unit)
        expected = world.p(inputs.reshape(-1, UNITS)) - world.p(hidden.reshape(-1, UNITS))
        assert found[..., unit].ravel() == pytest.approx(expected, abs=1e-6)
    # per example: 1 + N of the input; each poke intact and with each of the N - 1 others hidden; with its own unit hidden it is the input
    pokes = UNITS * REPEATS
    assert len(world.asked) == BATCH * (1 + UNITS + pokes * (1 + UNITS - 1))
    # what Reproduce-by-Poking needs, each poke's own unit alone, is one forward per poke
    own, alone = World(), np.zeros((BATCH * (1 + pokes), 2, UNITS), dtype=bool)
    alone[:, 0] = True
    alone[:, 1] = ~np.tile(np.concatenate([np.zeros((1, UNITS), dtype=bool), touched]), (BATCH, 1))
    poked_value(own.flat(touched), BATCH, touched)(alone)
    assert len(own.asked) == BATCH * (1 + UNITS + pokes)
    assert {key[1] for key in own.asked if not np.frombuffer(key[2], dtype=bool).all()} == {UNPOKED}


def test_lime_shares_its_masks_between_an_input_and_its_pokes() -> None:
    world, touched = World(), one_by_one(UNITS, 1)
    value = poked_value(world.flat(touched), BATCH, touched)
    masks = drawn_masks([np.random.default_rng(row) for row in range(BATCH)], np.ones((BATCH, UNITS), dtype=bool), Masking(n=30))
    tiled = np.repeat(masks, 1 + UNITS, axis=0)
    included = np.ones((len(tiled), UNITS), dtype=bool)
    found = lime(value, tiled, included).values
    # fitted to a naive loop's answers it is the same
    again = lime(lambda keep: naive(world, touched, keep).astype(np.float32), tiled, included).values
    assert found == pytest.approx(again, abs=1e-5)
    for row in range(BATCH):
        distinct = np.unique(masks[row], axis=0)
        expected = len(distinct) + sum(int(distinct[:, unit].sum()) for unit in range(UNITS))  # a poke costs the masks that show it
        assert sum(key[0] == row for key in world.asked) == expected


def test_wrong_shapes_and_answers_are_named() -> None:
    touched = one_by_one(2, 1)
    with pytest.raises(ValueError, match=r"masks must be \[1 x \(1 \+ 2\), masks, 2 units\], got \(2, 1, 2\)"):
        poked_value(lambda rows, pokes, keep: np.zeros(len(rows)), 1, touched)(np.ones((2, 1, 2), dtype=bool))
    with pytest.raises(ValueError, match="one p per triple"):
        poked_value(lambda rows, pokes, keep: np.zeros(1), 1, touched)(np.ones((3, 2, 2), dtype=bool))
    with pytest.raises(ValueError, match="`touched` must be boolean"):
        poked_value(lambda rows, pokes, keep: np.zeros(1), 1, touched.astype(int))
