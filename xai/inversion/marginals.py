"""How much does a unit add to coalitions of each size? What the form `shapley_stability` asks, as masks and a matrix over p."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from xai.inversion.linear import Linear
from xai.masks import coalitions
from xai.units import BatchIncluded, Probability64


def marginals_of(included: BatchIncluded, generators: Sequence[np.random.Generator], enumerate_up_to: int = 6) -> Linear:
    """Masks, and S whose rows are (unit, size of coalition) in that order: mean of p(S with unit) - p(S) over coalitions of that size.

    Exact, over all coalitions, for examples of at most `enumerate_up_to` units. Of longer ones each generator draws an order of the units
    and the coalitions are the beginnings of all its turns, so that every unit joins once at every size: one coalition stands for a size,
    N(N - 1) + 2 masks in all, and the variance over sizes holds that of the draw. Never asked about pokes of one unit.
    """
    batch, units = included.shape
    parts = [
        _exact(inside) if inside.sum() <= enumerate_up_to else _turned(inside, generator)
        for inside, generator in zip(included, generators, strict=True)
    ]
    n_masks = max(len(keep) for keep, _ in parts)
    keep = np.repeat(included[:, None], n_masks, axis=1)
    operator = np.zeros((batch, units * units, n_masks))
    for row, (own, matrix) in enumerate(parts):
        keep[row, : len(own)] = own
        operator[row, :, : len(own)] = matrix.reshape(units * units, -1)
    return Linear(keep, operator, at_pokes=False)


def by_size(p: Probability64, operator: NDArray[np.float64], included: BatchIncluded) -> NDArray[np.float64]:
    """Marginals float64[batch, inputs, units, sizes] from p [batch, inputs, masks]; NaN for sizes beyond an example's own units."""
    batch, units = included.shape
    found = np.einsum("brm,bim->bir", operator, p, optimize=True).reshape(batch, p.shape[1], units, units)
    beyond = np.arange(units) >= included.sum(axis=1)[:, None]
    return np.where(beyond[:, None, None, :], np.nan, found)


def _exact(inside: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    places = np.flatnonzero(inside)
    shows = coalitions(len(places))
    keep = np.zeros((len(shows), len(inside)), dtype=bool)
    keep[:, places] = shows
    matrix = np.zeros((len(inside), len(inside), len(shows)))
    sizes = shows.sum(axis=1)
    for unit, place in enumerate(places):
        without = np.flatnonzero(~shows[:, unit])
        share = 1.0 / np.bincount(sizes[without], minlength=len(places))[sizes[without]]
        matrix[place, sizes[without], without] = -share
        matrix[place, sizes[without], without + (1 << unit)] = share  # mask c shows unit j where bit j of c is set
    return keep, matrix


def _turned(inside: NDArray[np.bool_], generator: np.random.Generator) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    order = generator.permutation(np.flatnonzero(inside))
    size = len(order)
    keep = np.zeros((size * (size + 1), len(inside)), dtype=bool)
    matrix = np.zeros((len(inside), len(inside), len(keep)))
    for turn in range(size):
        turned = np.roll(order, -turn)
        for joined, place in enumerate(turned):
            before = turn * (size + 1) + joined
            keep[before + 1, turned[: joined + 1]] = True
            matrix[place, joined, before], matrix[place, joined, before + 1] = -1.0, 1.0
    return keep, matrix
