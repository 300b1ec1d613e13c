"""What is a probe world's model asked about: examples under every psi, their pokes, and the pokes of one unit of each?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy.typing import NDArray

from gold.inversion.settings import InversionSettings
from gold.inversion.worlds.world import Setup
from lake.identity import rng

UNTOUCHED = "untouched"
OVERWRITTEN = "overwritten"
NOISE_OF_SLOT = 0.05  # sd of what is added to psi M(x), in sd of M
STAYS = 0.05  # a regression keeps its prediction within so many sd of M


@dataclass(frozen=True)
class Poked:
    """Examples [batch], each with its pokes [batch, inputs]; batch = conditions x examples, conditions as in `conditions`.

    `inputs` [batch, inputs, units, width], the example itself first. `noise` [batch, units, repeats, width] of a poke of one unit: the same
    at every poked input of an example, under every psi and for every kind of model of the world and seed. `targets` are what the
    untouched input is taken for.
    """

    setup: Setup
    conditions: tuple[tuple[str, float], ...]
    inputs: NDArray[np.float32]
    noise: NDArray[np.float32]
    magnitude: float
    targets: Int64[NDArray[np.int64], " batch"]
    name: str
    seed: int

    def rng(self, example: int, *what: object) -> np.random.Generator:
        """The generator of one example of this world and seed: the same under every condition."""
        return keyed(self.name, self.seed, example, *what)

    @property
    def included(self) -> Bool[NDArray[np.bool_], "batch units"]:
        return np.tile(self.setup.included, (len(self.conditions), 1))

    @property
    def examples(self) -> Int64[NDArray[np.int64], " batch"]:
        """Which example each row of the batch is of."""
        return np.tile(np.arange(len(self.setup.inputs)), len(self.conditions))

    def of_unit(self, rows: NDArray[np.int64], pokes: NDArray[np.int64]) -> NDArray[np.float32]:
        """Inputs [m, units, width] of `rows` (of batch x inputs) with one unit poked: unit x repeats + repeat, or -1: none."""
        found = self.inputs.reshape(-1, *self.inputs.shape[2:])[rows].copy()
        moved = np.flatnonzero(pokes >= 0)
        unit, repeat = np.divmod(pokes[moved], self.noise.shape[2])
        own = found[moved, unit]
        noise = self.noise[rows[moved] // self.inputs.shape[1], unit, repeat]
        found[moved, unit] = own + scale(self.setup, own, self.magnitude, unit) * noise
        return found

    def output(self, rows: NDArray[np.int64], pokes: NDArray[np.int64], keep: NDArray[np.bool_]) -> NDArray[np.floating]:
        """M with hidden units at zero: what `xai.inversion.answers` asks."""
        batch = rows // self.inputs.shape[1]
        return self.asked(self.of_unit(rows, pokes) * keep[:, :, None], batch)[0]

    def asked(self, inputs: NDArray[np.float32], batch: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """M, and what the model decides for, of inputs [m, units, width] that belong to these rows of the batch."""
        found = self.setup.probe.outputs(inputs, self.included[batch]).astype(np.float64)
        if found.shape[1] == 1:
            return found[:, 0], np.zeros(len(found), dtype=np.int64)
        return found[np.arange(len(found)), self.targets[batch]], found.argmax(axis=1)

    @cached_property
    def intact(self) -> Intact:
        """M of everything without a mask, and which pokes of one unit kept the prediction."""
        batch, inputs, units = self.inputs.shape[:3]
        repeats = self.noise.shape[2]
        rows = np.arange(batch * inputs)
        given, decided = self.asked(self.inputs.reshape(-1, *self.inputs.shape[2:]), rows // inputs)
        every, pokes = np.repeat(rows, units * repeats), np.tile(np.arange(units * repeats), len(rows))
        told, said = self.asked(self.of_unit(every, pokes), every // inputs)
        shape = (batch, inputs, units, repeats)
        if self.is_regression:
            kept = np.abs(told - np.repeat(given, units * repeats)) <= STAYS * self.setup.output_sd
        else:
            kept = said == np.repeat(decided, units * repeats)
        return Intact(given.reshape(batch, inputs), told.reshape(shape), kept.reshape(shape))

    @cached_property
    def is_regression(self) -> bool:
        return bool(self.setup.probe.outputs(self.inputs[:1, 0], self.included[:1]).shape[1] == 1)


@dataclass(frozen=True)
class Intact:
    """M [batch, inputs], M of pokes of one unit [batch, inputs, units, repeats], and whether each kept the prediction."""

    given: Float64[NDArray[np.float64], "batch inputs"]
    poked: Float64[NDArray[np.float64], "batch inputs units repeats"]
    kept: Bool[NDArray[np.bool_], "batch inputs units repeats"]


def keyed(name: str, seed: int, example: int, *what: object) -> np.random.Generator:
    """METHODS 9: keyed by (seed, example, unit, number), so that seeds are independent draws."""
    return rng(seed, f"{name}#{example}", *what)


def poked(
    name: str,
    seed: int,
    setup: Setup,
    settings: InversionSettings,
    conditions: tuple[tuple[str, float], ...],
    repeats: int,
    magnitude: float,
) -> Poked:
    """The examples under each condition, (untouched, 0) or (overwritten, psi), with `settings.pokes` pokes of the whole input each.

    x_slot = psi M(x) + eps overwrites the slot; M(x) is the untouched input's, eps has 5 % of M's sd and is the same under every psi.
    Raises ValueError when a second forward of the same inputs says something else: what does not repeat cannot be poked.
    """
    n, units, width = setup.inputs.shape
    first = setup.probe.outputs(setup.inputs, setup.included)
    if not np.array_equal(first, setup.probe.outputs(setup.inputs, setup.included), equal_nan=True):
        raise ValueError(f"probe world {name}: the model must answer the same twice, found other outputs: put it in eval mode")
    targets = first.argmax(axis=1).astype(np.int64)
    m = first[np.arange(n), targets].astype(np.float64)
    eps = NOISE_OF_SLOT * setup.output_sd * np.array([keyed(name, seed, i, "slot").standard_normal() for i in range(n)])
    direction = np.ones(width, dtype=np.float32) if setup.direction is None else setup.direction
    parts = []
    for kind, psi in conditions:
        inputs = setup.inputs.copy()
        if kind == OVERWRITTEN:
            inputs[:, setup.slot] = (psi * m + eps)[:, None] * direction
        parts.append(inputs)
    base = np.concatenate(parts)
    whole = np.stack([keyed(name, seed, i, "poke").standard_normal((settings.pokes, units, width)) for i in range(n)]).astype(np.float32)
    single = np.stack([_single(name, seed, i, units, repeats, width) for i in range(n)])
    times = len(conditions)
    shaken = base[:, None] + scale(setup, base, settings.magnitude)[:, None] * np.tile(whole, (times, 1, 1, 1))
    inside = np.tile(setup.included, (times, 1))[:, None, :, None]
    inputs = np.where(inside, np.concatenate([base[:, None], shaken], axis=1), 0.0).astype(np.float32)
    return Poked(setup, conditions, inputs, np.tile(single, (times, 1, 1, 1)), magnitude, np.tile(targets, times), name, seed)


def scale(
    setup: Setup, features: NDArray[np.float32], magnitude: float, unit: NDArray[np.int64] | slice = slice(None)
) -> NDArray[np.float32]:
    """sd of a poke of features [..., width]: share `magnitude` of each one's size, floored at that of its training sd; by norm, of the
    unit's norm over the root of its width (METHODS 9)."""
    if setup.by_norm:
        norm = np.sqrt((features.astype(np.float64) ** 2).mean(axis=-1, keepdims=True))
        return np.broadcast_to(magnitude * norm, features.shape).astype(np.float32)
    found: NDArray[np.float32] = np.maximum(magnitude * np.abs(features), magnitude * setup.spread[unit]).astype(np.float32)
    return found


def _single(name: str, seed: int, example: int, units: int, repeats: int, width: int) -> NDArray[np.float32]:
    """Noise of the pokes of one unit, keyed by (example, unit, repeat): more repeats leave the first as they are."""
    drawn = [[keyed(name, seed, example, "unit", j, i).standard_normal(width) for i in range(repeats)] for j in range(units)]
    return np.array(drawn, dtype=np.float32)
