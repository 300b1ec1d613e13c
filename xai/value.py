"""What is p(target) when just these units are visible? The one question most explanations ask, and how to ask it once.

A layer writes a `FlatValue` over its model (it sees pairs of example and mask and batches them as it likes); metrics see a
`Value` over one batch of examples. Baseline and target are fixed inside both, so they are recorded beside the number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float, Int64
from numpy.typing import NDArray

from xai.units import BatchIncluded, Keep, Probability, Probability64

Rows = Int64[NDArray[np.int64], "pairs"]
FlatKeep = Bool[NDArray[np.bool_], "pairs units"]
FlatProbability = Float[NDArray[np.floating], "pairs"]


class Value(Protocol):
    """p(target), in [0, 1], of every example of one batch under each of its masks. True = visible; none and all visible are legal."""

    def __call__(self, keep: Keep) -> Probability: ...


class FlatValue(Protocol):
    """p(target), in [0, 1], of pairs: `rows` names the example within the batch, `keep` the units visible in that pair."""

    def __call__(self, rows: Rows, keep: FlatKeep) -> FlatProbability: ...


def evaluated(value: Value, keep: Keep) -> Probability64:
    """p under every mask in float64, so that areas and differences lose nothing. Raises ValueError on an answer of another shape."""
    p = np.asarray(value(keep), dtype=np.float64)
    if p.shape != keep.shape[:2]:
        raise ValueError(f"a value function must answer one p per example and mask, {keep.shape[:2]}, got {p.shape}; return [batch, masks]")
    return p


def deduplicated(flat: FlatValue, batch: int) -> Value:
    """A `Value` over `batch` examples that hands `flat` every distinct (example, mask) once, and remembers it across calls.

    New pairs of one call go over together, ordered by example and then by mask; a call without new pairs does not reach `flat`.
    Every order starts and ends at the same two masks, and the masks of a deletion by `reverse` are those of an insertion by the
    original order when the step divides the number of units. It holds one float per distinct mask; make one per batch and baseline.
    A `flat` that raises leaves nothing remembered of that call. Raises ValueError when batch or number of units change.
    """
    return _Remembering(flat, batch, {})


def deduplicated_baselines(
    flats: Mapping[str, FlatValue], batch: int, included: BatchIncluded | None = None, intact_p: Sequence[float] | None = None
) -> dict[str, Value]:
    """A `deduplicated` value per baseline, which ask about the input with every unit visible once between them.

    With nothing removed no baseline is seen, so all of `flats` must give it the same p(target): they differ in the baseline alone.
    `included` [batch, units] names the units of padded examples, all when None: an example is intact when those are visible.
    `intact_p`: p(target) of each intact example where it is known already, to the bit that `flats` would give; then nobody asks.
    """
    intact: dict[int, float] = {} if intact_p is None else dict(enumerate(intact_p))
    return {name: _Remembering(flat, batch, intact, included) for name, flat in flats.items()}


class _Remembering:
    """`intact`: row -> p(target) of the mask that shows every unit, shared between baselines."""

    def __init__(self, flat: FlatValue, batch: int, intact: dict[int, float], included: BatchIncluded | None = None) -> None:
        if included is not None and len(included) != batch:
            raise ValueError(f"`included` must have one row per example, {batch}, got {len(included)}")
        self._flat = flat
        self._seen: list[dict[bytes, float]] = [{} for _ in range(batch)]
        self._intact = intact
        self._included = included
        self._units: int | None = None

    def __call__(self, keep: Keep) -> Probability:
        self._check(keep)
        keys = _keys(keep)
        everything = np.ones((len(keep), keep.shape[-1]), dtype=bool) if self._included is None else self._included
        whole = [key for (key,) in _keys(everything[:, None, :])]
        for row, p in self._intact.items():
            self._seen[row][whole[row]] = p
        self._learn(keep, keys)
        self._intact.update({row: seen[key] for row, (seen, key) in enumerate(zip(self._seen, whole, strict=True)) if key in seen})
        answers = [[seen[key] for key in row] for seen, row in zip(self._seen, keys, strict=True)]
        return np.array(answers, dtype=np.float32).reshape(keep.shape[:2])

    def _check(self, keep: Keep) -> None:
        units = keep.shape[-1] if self._included is None else self._included.shape[-1]
        expected = (len(self._seen), units if self._units is None else self._units)
        if keep.ndim != 3 or (keep.shape[0], keep.shape[2]) != expected:
            raise ValueError(
                f"masks must be [batch={expected[0]}, masks, units={expected[1]}] for every call, got {keep.shape}; "
                "make one deduplicated value per batch"
            )
        self._units = expected[1]  # packed bits of 7 and of 8 units can be equal bytes, so the number of units may not move

    def _learn(self, keep: Keep, keys: list[list[bytes]]) -> None:
        new = {(row, key): mask for row, of_row in enumerate(keys) for mask, key in enumerate(of_row) if key not in self._seen[row]}
        if not new:
            return
        rows = np.array([row for row, _ in new], dtype=np.int64)
        p = np.asarray(self._flat(rows, keep[rows, list(new.values())]))
        if p.shape != rows.shape:
            raise ValueError(f"a flat value function must answer one p per pair, {rows.shape}, got {p.shape}")
        for (row, key), answer in zip(new, p.tolist(), strict=True):
            self._seen[row][key] = answer


def _keys(keep: Keep) -> list[list[bytes]]:
    packed = np.packbits(keep, axis=-1)
    return [[mask.tobytes() for mask in row] for row in packed]
