"""What is p(target) of an input that was poked, under masks? Asked so that no answer is computed twice.

A poke changes some units. Where a mask hides all of those, the poked input and the input are one, and so is the answer: of an example whose
units are poked one at a time, occlusion needs one forward per poke instead of one per unit and poke.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from jaxtyping import Bool, Int64
from numpy.typing import NDArray

from xai.units import Keep, Probability
from xai.value import FlatKeep, FlatProbability, Rows, Value

Touched = Bool[NDArray[np.bool_], "pokes units"]
Pokes = Int64[NDArray[np.int64], "pairs"]

UNPOKED = -1


class PokedFlat(Protocol):
    """p(target) of triples: `rows` names the example, `pokes` which of its pokes (-1: the input itself), `keep` the units visible."""

    def __call__(self, rows: Rows, pokes: Pokes, keep: FlatKeep) -> FlatProbability: ...


def one_by_one(units: int, repeats: int) -> Touched:
    """Which units each poke touches where every unit is poked alone `repeats` times: [units x repeats, units], the repeats of a unit
    together."""
    return np.repeat(np.eye(units, dtype=bool), repeats, axis=0)


def all_at_once(units: int, repeats: int) -> Touched:
    """The same where each poke touches every unit: [repeats, units]."""
    return np.ones((repeats, units), dtype=bool)


def poked_value(flat: PokedFlat, batch: int, touched: Touched) -> Value:
    """A `Value` over the inputs and all their pokes, [batch x (1 + pokes)] rows: each input, then its pokes in the order of `touched`.

    `flat` is handed every distinct (example, poke, mask) once, and never one whose mask hides all that its poke touched: that is asked of
    the input itself. Answers are remembered across calls; new ones of one call go over together, ordered by example, poke and mask. It
    holds one float per distinct triple. A `flat` that raises leaves nothing remembered of that call. Raises ValueError on masks of
    another shape.
    """
    return _Remembering(flat, batch, touched)


class _Remembering:
    def __init__(self, flat: PokedFlat, batch: int, touched: Touched) -> None:
        if touched.ndim != 2 or touched.dtype != np.bool_:
            raise ValueError(f"`touched` must be boolean [pokes, units], got {touched.dtype} of {touched.shape}")
        self._flat, self._batch, self._touched = flat, batch, touched
        self._seen: dict[tuple[int, int, bytes], float] = {}

    def __call__(self, keep: Keep) -> Probability:
        pokes, units = self._touched.shape
        if keep.ndim != 3 or keep.shape[0] != self._batch * (1 + pokes) or keep.shape[2] != units:
            raise ValueError(f"masks must be [{self._batch} x (1 + {pokes}), masks, {units} units], got {keep.shape}")
        n_masks = keep.shape[1]
        rows = np.repeat(np.arange(self._batch), (1 + pokes) * n_masks)
        poke = np.tile(np.repeat(np.arange(-1, pokes), n_masks), self._batch)
        flat = keep.reshape(-1, units)
        seen = np.zeros(len(flat), dtype=bool)
        seen[poke >= 0] = (flat[poke >= 0] & self._touched[poke[poke >= 0]]).any(axis=1)
        asked = np.where(seen, poke, UNPOKED)
        packed = np.packbits(flat, axis=-1)
        keys = [(int(row), int(one), mask.tobytes()) for row, one, mask in zip(rows, asked, packed, strict=True)]
        self._learn(keys, flat)
        return np.array([self._seen[key] for key in keys], dtype=np.float32).reshape(keep.shape[:2])

    def _learn(self, keys: list[tuple[int, int, bytes]], flat: FlatKeep) -> None:
        new = {key: place for place, key in enumerate(keys) if key not in self._seen}
        if not new:
            return
        ordered = sorted(new)
        rows, pokes = (np.array([key[part] for key in ordered], dtype=np.int64) for part in (0, 1))
        p = np.asarray(self._flat(rows, pokes, flat[[new[key] for key in ordered]]))
        if p.shape != rows.shape:
            raise ValueError(f"a poked value function must answer one p per triple, {rows.shape}, got {p.shape}")
        self._seen.update(zip(ordered, p.tolist(), strict=True))
