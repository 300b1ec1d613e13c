"""Methods as matrices over p: the same numbers as the methods themselves, at inputs and at pokes of one unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from xai.attribution import kernel_shap, lime, occlusion
from xai.fits import ShapleyFit
from xai.inversion.answers import Known, answered
from xai.inversion.linear import asked, kernel_shap_of, lime_of, occlusion_of
from xai.masks import Masking, drawn_masks

BATCH, INPUTS, UNITS, REPEATS = 2, 3, 5, 2
SHAPLEY = ShapleyFit(enumerate_up_to=3)  # the second example is enumerated, the first is not


def included() -> np.ndarray:
    inside = np.ones((BATCH, UNITS), dtype=bool)
    inside[1, 3:] = False
    return inside


class Model:
    """A smooth model of five units without any symmetry, of inputs and of pokes of one unit."""

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        self.x = rng.standard_normal((BATCH * INPUTS, UNITS))
        self.own = rng.standard_normal((BATCH * INPUTS, UNITS, REPEATS))
        self.w = rng.standard_normal((UNITS, UNITS))
        self.asked: list[tuple[int, int, bytes]] = []

    def y(self, x: np.ndarray) -> np.ndarray:
        return np.tanh(x @ self.w).sum(axis=-1) + (x[..., :1] * x[..., 1:]).sum(axis=-1)

    def input(self, row: int, poke: int) -> np.ndarray:
        found = self.x[row].copy()
        if poke >= 0:
            found[poke // REPEATS] = self.own[row, poke // REPEATS, poke % REPEATS]
        return found

    def __call__(self, rows: np.ndarray, pokes: np.ndarray, keep: np.ndarray) -> np.ndarray:
        self.asked += [(int(row), int(poke), mask.tobytes()) for row, poke, mask in zip(rows, pokes, keep, strict=True)]
        return self.y(np.stack([self.input(row, poke) for row, poke in zip(rows, pokes, strict=True)]) * keep)

    def known(self) -> Known:
        inside = np.repeat(included(), INPUTS, axis=0)
        given = self.y(self.x * inside).reshape(BATCH, INPUTS)
        pokes = [
            self.y(self.input(row, unit * REPEATS + i) * inside[row])
            for row in range(BATCH * INPUTS)
            for unit in range(UNITS)
            for i in range(REPEATS)
        ]
        return Known(given, np.reshape(pokes, (BATCH, INPUTS, UNITS, REPEATS)))


def masks() -> np.ndarray:
    return drawn_masks([np.random.default_rng(row) for row in range(BATCH)], included(), Masking(n=40, keep_probability=0.5))


def methods(keep: np.ndarray):
    inside = included()
    return {"occlusion": occlusion_of(inside), "lime": lime_of(keep, inside), "kernel_shap": kernel_shap_of(keep, inside, SHAPLEY)}


def direct(name: str, x: np.ndarray, example: int, model: Model, keep: np.ndarray) -> np.ndarray:
    """The method itself, asked about one input."""
    inside = included()[example : example + 1]

    def value(asked: np.ndarray) -> np.ndarray:
        return model.y(x * asked)

    if name == "occlusion":
        return occlusion(value, inside).values[0]
    if name == "lime":
        return lime(value, keep[example : example + 1], inside).values[0]
    return kernel_shap(value, keep[example : example + 1], inside, SHAPLEY).values[0]


@pytest.mark.parametrize("name", ["occlusion", "lime", "kernel_shap"])
def test_a_matrix_says_what_its_method_says_at_inputs_and_of_the_poked_unit_at_its_pokes(name: str) -> None:
    keep, model = masks(), Model()
    plan = asked(methods(keep), included())
    given, own = answered(model, plan, model.known()).attributions(plan.operators[name])
    for example in range(BATCH):
        for row in range(INPUTS):
            at = example * INPUTS + row
            theirs = direct(name, model.input(at, -1), example, model, keep)
            assert given[example, row] == pytest.approx(theirs, abs=2e-5)  # methods answer in float32
            for unit in np.flatnonzero(included()[example]):
                for i in range(REPEATS):
                    poked = direct(name, model.input(at, unit * REPEATS + i), example, model, keep)
                    assert own[example, row, unit, i] == pytest.approx(poked[unit], abs=2e-5)


def test_nothing_is_asked_twice_nor_under_a_mask_that_hides_what_was_poked_nor_the_intact_input() -> None:
    model = Model()
    plan = asked(methods(masks()), included())
    told = answered(model, plan, model.known())
    assert len(model.asked) == len(set(model.asked)) == told.forwards
    for row, poke, mask in model.asked:
        keep = np.frombuffer(mask, dtype=bool)
        assert poke < 0 or keep[poke // REPEATS]
        assert not (keep == included()[row // INPUTS]).all()


def test_occlusion_asks_one_forward_per_unit_and_none_for_its_pokes() -> None:
    inside = np.ones((1, 16), dtype=bool)
    plan = asked({"occlusion": occlusion_of(inside)}, inside)
    assert plan.keep.shape == (1, 17, 16) and plan.needed[0].sum() == 16 and plan.needed[0, :, 0].all()  # the intact one, which is known


def test_a_method_that_is_not_asked_about_pokes_needs_no_mask_of_one() -> None:
    plan = asked({"occlusion": replace(occlusion_of(included()), at_pokes=False)}, included())
    assert not plan.needed.any() and plan.operators["occlusion"].any()


def test_known_answers_of_another_shape_are_named() -> None:
    plan = asked({"occlusion": occlusion_of(included())}, included())
    with pytest.raises(ValueError, match=r"known outputs must be \[2, inputs\]"):
        answered(Model(), plan, Known(np.zeros((3, INPUTS)), np.zeros((3, INPUTS, UNITS, REPEATS))))
