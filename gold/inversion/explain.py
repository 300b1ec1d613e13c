"""What does each method say of every input and poke of a probe world?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gold.inversion.pokes import Poked
from gold.inversion.settings import InversionSettings
from models.probes import ConvNet, NetProbe, WordNet
from xai.attribution.attention import attention
from xai.attribution.attention_rollout import attention_rollout
from xai.attribution.grad_cam import grad_cam
from xai.fits import ShapleyFit, fit_lime
from xai.inversion.answers import Alike, Answers, Known, answered
from xai.inversion.echo import OUTPUT_ECHO, output_echo
from xai.inversion.linear import Asked, asked, kernel_shap_of, lime_of, occlusion_of
from xai.inversion.marginals import by_size, marginals_of
from xai.masks import drawn_masks

FRESH = "lime_fresh"
MARGINALS = "marginals"
LINEAR = ("occlusion", "lime", "kernel_shap")
CHUNK = 200_000  # inputs at once where a method asks about every poke of one unit

Values = NDArray[np.float64]
Method = Callable[[NDArray[np.float32], NDArray[np.int64], NDArray[np.float64]], NDArray[np.floating]]
"""(inputs [m, units, width], row of the batch of each, M of each) -> attributions [m, units]."""


@dataclass(frozen=True)
class Said:
    """One method's attributions of every input [batch, inputs, units], and the poked unit's own at every poke of one unit [batch, inputs,
    units, repeats]; `own` None where pokes of one unit were not asked about."""

    given: Values
    own: Values | None


@dataclass(frozen=True)
class Masked:
    """What was asked under masks. `effect` [batch, units]: |M(x) - M(x without a unit)|. `marginals` [batch, inputs, units, sizes].
    `forwards`: distinct questions, all methods together."""

    said: dict[str, Said]
    effect: Values
    marginals: Values
    forwards: int


def masked(world: Poked, settings: InversionSettings) -> Masked:
    """Occlusion, LIME and KernelSHAP, with the masks of the clean example for all its pokes, and marginals by size of coalition.

    Under masks that hide the slot an example is the same whatever stands there: those are asked once for all conditions.
    """
    setup, intact = world.setup, world.intact
    plan = _plan(world, settings)
    first: dict[int, Alike] = {}
    said: dict[str, list[tuple[Values, Values]]] = {method: [] for method in LINEAR}
    marginals, forwards = [], 0
    for row, example in enumerate(world.examples.tolist()):
        mine = _of_example(plan, example)
        known = Known(intact.given[row : row + 1], intact.poked[row : row + 1])
        answers = _answers(world, mine, row, known, first.get(example))
        first.setdefault(example, Alike(answers, ~mine.keep[:, :, setup.slot]))
        forwards += answers.forwards
        for method in LINEAR:
            said[method].append(answers.attributions(mine.operators[method]))
        marginals.append(by_size(answers.given, mine.operators[MARGINALS], setup.included[example][None]))
    found = {method: Said(*(np.concatenate(parts) for parts in zip(*told, strict=True))) for method, told in said.items()}
    return Masked(found, np.abs(found["occlusion"].given[:, 0]), np.concatenate(marginals), forwards)


def direct(world: Poked, settings: InversionSettings) -> Iterator[tuple[str, Said]]:
    """Methods that look inside the model, where it can be looked into, and the controls; each asks about every input and poke by itself."""
    probe = world.setup.probe
    if isinstance(probe, NetProbe):
        zero = np.zeros(world.inputs.shape[2:], dtype=np.float32)
        yield "ig", _everywhere(world, lambda inputs, batch, _: probe.integrated(
            inputs, world.included[batch], world.targets[batch], zero, settings.ig_steps
        ))  # fmt: skip
    if isinstance(probe, NetProbe) and isinstance(probe.net, WordNet):
        yield "attention", _everywhere(world, lambda inputs, batch, _: attention(
            probe.attention(inputs, world.included[batch])[0], 1, world.included[batch]
        ))  # fmt: skip
        yield "attention_rollout", _everywhere(world, lambda inputs, batch, _: attention_rollout(
            np.stack(probe.attention(inputs, world.included[batch])[1], axis=1), _units(world.included[batch]), world.included[batch]
        ))  # fmt: skip
    if isinstance(probe, NetProbe) and isinstance(probe.net, ConvNet):
        yield "grad_cam", _everywhere(world, lambda inputs, batch, _: grad_cam(
            *probe.grad_cam_parts(inputs, world.included[batch], world.targets[batch])
        ))  # fmt: skip
    oracle = world.setup.oracle
    if oracle is not None:
        yield "oracle", _everywhere(world, lambda inputs, batch, m: oracle(inputs, m, world.examples[batch]))
    yield OUTPUT_ECHO, _everywhere(world, lambda _, batch, m: output_echo(m, world.included[batch]))
    yield "random", _random(world)


def fresh_lime(world: Poked, settings: InversionSettings) -> Said:
    """LIME with masks of its own at every poke: what sampling noise alone does to R. Pokes of one unit are not asked about."""
    batch, inputs, units = world.inputs.shape[:3]
    found = np.empty((batch, inputs, units))
    for row, example in enumerate(world.examples):
        inside = np.repeat(world.setup.included[example][None], inputs, axis=0)
        generators = [world.rng(int(example), "masks", "fresh", i) for i in range(inputs)]
        keep = drawn_masks(generators, inside, settings.masks)
        rows = np.repeat(row * inputs + np.arange(inputs), keep.shape[1])
        p = world.output(rows, np.full(len(rows), -1), keep.reshape(-1, units)).reshape(keep.shape[:2])
        found[row] = fit_lime(keep, p, inside).values
    return Said(found, None)


def effects(world: Poked, reference: NDArray[np.float32]) -> Values:
    """|M(x) - M(x with one unit as in the reference, mean over its rows)| [batch, units]; reference [rows, units, width]."""
    batch, _, units = world.inputs.shape[:3]
    first = np.repeat(world.inputs[:, 0], units * len(reference), axis=0)
    unit = np.tile(np.repeat(np.arange(units), len(reference)), batch)
    row = np.tile(np.arange(len(reference)), batch * units)
    first[np.arange(len(first)), unit] = reference[row, unit]
    m, _ = world.asked(first, np.repeat(np.arange(batch), units * len(reference)))
    replaced = m.reshape(batch, units, len(reference)).mean(axis=2)
    return np.where(world.included, np.abs(world.intact.given[:, :1] - replaced), 0.0)


def _plan(world: Poked, settings: InversionSettings) -> Asked:
    """Of every example: its masks are the same under every condition and at every poke."""
    setup = world.setup
    every = range(len(setup.inputs))
    masks = drawn_masks([world.rng(example, "masks") for example in every], setup.included, settings.masks)
    shapley = ShapleyFit(enumerate_up_to=settings.enumerate_up_to, keep_probability=settings.masks.keep_probability)
    methods = {
        "occlusion": occlusion_of(setup.included),
        "lime": lime_of(masks, setup.included),
        "kernel_shap": kernel_shap_of(masks, setup.included, shapley),
        MARGINALS: marginals_of(setup.included, [world.rng(example, "turns") for example in every], settings.enumerate_up_to),
    }
    return asked(methods, setup.included)


def _of_example(plan: Asked, example: int) -> Asked:
    part = slice(example, example + 1)
    return Asked(plan.keep[part], {name: operator[part] for name, operator in plan.operators.items()}, plan.needed[part])


def _answers(world: Poked, plan: Asked, row: int, known: Known, alike: Alike | None) -> Answers:
    start = row * world.inputs.shape[1]
    return answered(lambda rows, pokes, keep: world.output(rows + start, pokes, keep), plan, known, alike)


def _everywhere(world: Poked, method: Method) -> Said:
    """The method at every input, and the poked unit's number at every poke of one unit."""
    batch, inputs, units = world.inputs.shape[:3]
    repeats = world.noise.shape[2]
    rows = np.arange(batch * inputs)
    flat = world.inputs.reshape(-1, *world.inputs.shape[2:])
    given = np.asarray(method(flat, rows // inputs, world.intact.given.reshape(-1)), dtype=np.float64).reshape(batch, inputs, units)
    own = np.empty(batch * inputs * units * repeats)
    told = world.intact.poked.reshape(-1)
    for start in range(0, len(own), CHUNK):
        place = np.arange(start, min(start + CHUNK, len(own)))
        row, poke = np.divmod(place, units * repeats)
        values = np.asarray(method(world.of_unit(row, poke), row // inputs, told[place]))
        own[place] = values[np.arange(len(place)), poke // repeats]
    return Said(given, own.reshape(batch, inputs, units, repeats))


def _units(included: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The unit of each token, CLS first; -1 for CLS and padding."""
    places = np.where(included, np.arange(included.shape[1]), -1)
    return np.concatenate([np.full((len(included), 1), -1), places], axis=1)


def _random(world: Poked) -> Said:
    """Standard normal numbers, other ones at every poke; the same under every condition."""
    inputs, units = world.inputs.shape[1:3]
    repeats = world.noise.shape[2]
    n = len(world.setup.inputs)
    given, own = np.zeros((n, inputs, units)), np.zeros((n, inputs, units, repeats))
    for example in range(n):
        generator = world.rng(example, "random")
        given[example] = generator.standard_normal((inputs, units))
        own[example] = generator.standard_normal((inputs, units, repeats))
    times = len(world.conditions)
    inside = world.included[:, None, :]
    return Said(np.where(inside, np.tile(given, (times, 1, 1)), 0.0), np.where(inside[..., None], np.tile(own, (times, 1, 1, 1)), 0.0))
