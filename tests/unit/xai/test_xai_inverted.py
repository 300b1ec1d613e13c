"""R, F and IS of a method and of its refinements: against a loop over examples, pokes and units, and where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from xai.inversion import FORMS, Inverted, Pokes, inverted, movement
from xai.inversion.answers import Answers, Known, answered
from xai.inversion.linear import asked, occlusion_of
from xai.metrics import faithfulness, inversion_score, reliance

BATCH, POKES, UNITS, REPEATS = 3, 5, 4, 2
INPUTS = BATCH * (1 + POKES)


class World:
    """y = x1 sin(x2) + bend x3^2, with a fourth unit that does nothing; hidden units are 0."""

    def __init__(self, bend: float = 0.5) -> None:
        self.bend, self.n_asked = bend, 0
        generator = np.random.default_rng(0)
        first = generator.uniform(0.5, 1.5, (BATCH, 1, UNITS))
        noise = generator.standard_normal((BATCH, 1 + POKES, UNITS))
        noise[:, 0] = 0.0
        self.x = (first * (1 + 0.05 * noise)).reshape(INPUTS, UNITS)
        self.own = 1 + 0.05 * generator.standard_normal((INPUTS, UNITS, REPEATS))
        self.kept = generator.random((INPUTS, UNITS, REPEATS)) < 0.8

    def y(self, x: np.ndarray) -> np.ndarray:
        return x[..., 0] * np.sin(x[..., 1]) + self.bend * x[..., 2] ** 2

    def poked(self, row: int, unit: int, repeat: int) -> np.ndarray:
        found = self.x[row].copy()
        found[unit] *= self.own[row, unit, repeat]
        return found

    def flat(self, rows: np.ndarray, pokes: np.ndarray, keep: np.ndarray) -> np.ndarray:
        self.n_asked += len(rows)
        inputs = [self.x[r] if i < 0 else self.poked(r, i // REPEATS, i % REPEATS) for r, i in zip(rows, pokes, strict=True)]
        return self.y(np.stack(inputs) * keep)

    def occluded(self, x: np.ndarray) -> np.ndarray:
        return np.array([self.y(x) - self.y(np.where(np.arange(UNITS) == unit, 0.0, x)) for unit in range(UNITS)])


def answers(world: World) -> tuple[Answers, np.ndarray]:
    """What the world answers about occlusion, and occlusion's S."""
    included = np.ones((BATCH, UNITS), dtype=bool)
    plan = asked({"occlusion": occlusion_of(included)}, included)
    pokes = [world.y(world.poked(row, unit, i)) for row in range(INPUTS) for unit in range(UNITS) for i in range(REPEATS)]
    known = Known(world.y(world.x).reshape(BATCH, 1 + POKES), np.reshape(pokes, (BATCH, 1 + POKES, UNITS, REPEATS)))
    return answered(world.flat, plan, known), plan.operators["occlusion"]


def found(world: World, truth: np.ndarray | None = None) -> Inverted:
    told, operator = answers(world)
    given, own = told.attributions(operator)
    effect = np.abs(np.stack([world.occluded(world.x[row]) for row in range(0, INPUTS, 1 + POKES)]))
    kept = world.kept.reshape(BATCH, 1 + POKES, UNITS, REPEATS)
    pokes = Pokes(told.given[:, :, 0], effect, kept)
    return inverted(given, own, pokes, np.ones((BATCH, UNITS), dtype=bool), truth)


def naive(world: World, form: str, strength: float) -> list[tuple[float, float, float]]:
    """(R, F, IS) of each example, one explanation after another."""

    def attribution(row: int) -> np.ndarray:
        a = world.occluded(world.x[row])
        if form == "none":
            return a
        delta = np.zeros(UNITS)
        for unit in range(UNITS):
            moves = [abs(world.occluded(world.poked(row, unit, i))[unit] - a[unit]) for i in range(REPEATS) if world.kept[row, unit, i]]
            delta[unit] = np.mean(moves) if moves else 0.0
        if form != "literal":
            delta /= np.abs(a).mean()
        refined = a / (1 + strength * delta)
        return a * np.abs(refined).sum() / np.abs(a).sum() if form == "shrink" else refined

    told = []
    for example in range(BATCH):
        rows = range(example * (1 + POKES), (example + 1) * (1 + POKES))
        a = np.stack([attribution(row) for row in rows])
        y = np.array([world.y(world.x[row]) for row in rows])
        r = float(reliance(movement(a[:1], a[None, 1:]), y[:1], y[None, 1:])[0])
        f = float(faithfulness(a[:1], world.occluded(world.x[rows[0]])[None])[0])
        told.append((r, f, float(inversion_score(np.array([r]), np.array([f]))[0])))
    return told


def test_every_form_is_that_of_a_loop_over_examples_pokes_and_units() -> None:
    world = World()
    answer = found(world)
    assert set(answer.by) == {("none", 0.0), *((form.name, form.strength) for form in FORMS), *(("shrink", s) for s in (0.1, 1.0, 10.0))}
    for (form, strength), figures in answer.by.items():
        told = zip(figures.reliance, figures.faithfulness, figures.inversion_score, strict=True)
        for ours, theirs in zip(told, naive(world, form, strength), strict=True):
            assert ours == pytest.approx(theirs, abs=1e-9), (form, strength)


def test_what_is_needed_is_asked_once() -> None:
    world = World()
    told, _ = answers(world)
    # each unit hidden at each input; nothing at its pokes: hiding the poked unit is the input's own answer, the rest is no number of its
    assert world.n_asked == told.forwards == INPUTS * UNITS


def test_on_a_product_an_exact_explanation_relies_wholly_and_beyond_the_truth_not_at_all() -> None:
    world = World(bend=0.0)
    truth = np.stack([world.occluded(x) for x in world.x]).reshape(BATCH, 1 + POKES, UNITS)
    plain = found(world, truth=truth).by["none", 0.0]
    assert plain.reliance == pytest.approx(np.ones(BATCH), abs=1e-4) and plain.faithfulness == pytest.approx(np.ones(BATCH), abs=1e-4)
    assert plain.inversion_score == pytest.approx(np.full(BATCH, 0.5**0.5), abs=1e-4)


def test_refining_reports_what_it_did_to_the_input_itself() -> None:
    answer = found(World())
    for form in FORMS:
        refined = answer.refined[form.name, form.strength]
        assert refined.values.shape == (BATCH, UNITS)
        assert np.array_equal(refined.values, answer.by[form.name, form.strength].attribution)
        assert (refined.mass_kept <= 1).all() and (refined.mass_kept > 0).all()
    nothing = World()
    nothing.kept[:] = False
    assert np.array_equal(found(nothing).by["literal", 0.1].attribution, found(nothing).by["none", 0.0].attribution)


def test_arrays_of_another_shape_are_named() -> None:
    given, own = np.zeros((BATCH, 1 + POKES, UNITS)), np.zeros((BATCH, 1 + POKES, UNITS, REPEATS))
    pokes = Pokes(np.zeros((BATCH, 1 + POKES)), np.zeros((BATCH, UNITS)), own[:, 1:] > 0)
    with pytest.raises(ValueError, match=r"kept must be \[3, 6 inputs, 4 units, repeats\] .* got \(3, 6, 4, 2\), \(3, 5, 4, 2\)"):
        inverted(given, own, pokes, np.ones((BATCH, UNITS), dtype=bool))
