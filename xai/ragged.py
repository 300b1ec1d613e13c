"""How are examples of unlike length computed together, so that padding and neighbours change no bit of the answer?

A sum over padding is not always the sum without it: numpy adds in blocks, and zeros behind move the blocks. So examples of one
number of units are packed, their padding left out, and computed together: one step per distinct number, never one per example.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64
from numpy.typing import NDArray

from xai.units import BatchIncluded, BatchUnits, BatchUnits64, Keep, PerRow

Rows = Int64[NDArray[np.int64], "group"]
Places = Int64[NDArray[np.int64], "group size"]


@dataclass(frozen=True)
class Group:
    """The examples of a batch that have `size` units: their `rows`, and the `places` of their units, in order."""

    rows: Rows
    places: Places

    @property
    def size(self) -> int:
        """Units of every example of the group."""
        return int(self.places.shape[1])

    def of_units(self, values: BatchUnits | BatchIncluded) -> NDArray[Any]:
        """[batch, units] -> [group, size]: the group's examples without their padding; a copy."""
        packed: NDArray[Any] = values[self.rows[:, None], self.places]
        return packed

    def of_masks(self, keep: Keep) -> NDArray[np.bool_]:
        """[batch, masks, units] -> [group, masks, size]: the group's masks without their padding; a copy."""
        return np.ascontiguousarray(np.take_along_axis(keep[self.rows], self.places[:, None, :], axis=2))

    def put(self, target: NDArray[Any], packed: NDArray[Any]) -> None:
        """Writes [group, size] back to the group's places of `target` [batch, units]."""
        target[self.rows[:, None], self.places] = packed


def by_size(included: BatchIncluded) -> Iterator[Group]:
    """The groups of a batch, by ascending number of units."""
    sizes = included.sum(axis=1)
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size)
        places = np.nonzero(included[rows])[1].reshape(len(rows), int(size))
        yield Group(rows, places)


def per_example(function: Callable[[NDArray[Any]], PerRow], values: BatchUnits, included: BatchIncluded) -> PerRow:
    """`function` ([group, size] -> one number per example) of a padded batch: the bits that each example has alone."""
    found = np.empty(len(values), dtype=np.float64)
    for group in by_size(included):
        found[group.rows] = function(group.of_units(values))
    return found


def per_unit(function: Callable[[NDArray[Any]], NDArray[Any]], values: BatchUnits, included: BatchIncluded) -> BatchUnits64:
    """`function` ([group, size] -> the same shape) of a padded batch; excluded units are exactly 0."""
    found = np.zeros(values.shape, dtype=np.float64)
    for group in by_size(included):
        group.put(found, function(group.of_units(values)))
    return found
