"""Which masks does a method ask about, and how do p under them become its attribution?

Occlusion, LIME and Shapley values are linear in p: a = S p, with S of the masks alone. A poke of one unit only asks for that unit's own
number, so only for the masks that its row of S weighs and that do not hide what was poked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from numpy.typing import NDArray

from xai.estimate import Estimate
from xai.fits import LIME_FIT, SHAPLEY_FIT, LimeFit, ShapleyFit, fit_lime, fit_shapley, shapley_design
from xai.masks import one_hidden
from xai.units import BatchIncluded, BatchUnits64, Keep, Probability64

Operator = Float64[NDArray[np.float64], "batch rows masks"]
Needed = Bool[NDArray[np.bool_], "batch units masks"]
Fitted = Callable[[Probability64], BatchUnits64]


@dataclass(frozen=True)
class Linear:
    """A method of some examples: `keep` bool[batch, masks, units] and S float64[batch, units, masks]. `at_pokes` False: it is never asked
    about pokes of one unit, and the rows of S may be anything."""

    keep: Keep
    operator: Operator
    at_pokes: bool = True


@dataclass(frozen=True)
class Asked:
    """Every distinct mask of some examples, the first intact: `keep` bool[batch, masks, units], padded by repeating it. `operators`: S
    of each method over these masks. `needed` bool[batch, units, masks]: what a poke of this unit is asked about, for some method."""

    keep: Keep
    operators: Mapping[str, Operator]
    needed: Needed


def occlusion_of(included: BatchIncluded) -> Linear:
    """a_j = p(all) - p(all but j)."""
    batch, units = included.shape
    operator = np.zeros((batch, units, 1 + units))
    operator[:, :, 0] = included
    operator[:, np.arange(units), 1 + np.arange(units)] = -included.astype(np.float64)
    return Linear(one_hidden(included), operator)


def lime_of(masks: Keep, included: BatchIncluded, settings: LimeFit = LIME_FIT) -> Linear:
    """LIME's slopes over drawn masks, which all pokes of an example share (METHODS 9)."""
    return Linear(masks, _operator(masks, included, lambda keep, inside, p: _double(fit_lime(keep, p, inside, settings))))


def kernel_shap_of(masks: Keep, included: BatchIncluded, settings: ShapleyFit = SHAPLEY_FIT) -> Linear:
    """Shapley values over drawn masks, or over every coalition of a short example; the same for all pokes of an example."""
    design = shapley_design(masks, included, settings)
    keep = design.keep.copy()
    operator = np.zeros((*included.shape, keep.shape[1] + 1))
    for row, inside in enumerate(included):  # examples of unlike numbers of units ask unlike numbers of masks
        own = shapley_design(masks[row : row + 1], inside[None], settings)
        length = int(own.lengths[0])
        p = np.eye(length)
        many = shapley_design(np.repeat(masks[row : row + 1], length, axis=0), np.repeat(inside[None], length, axis=0), settings)
        operator[row, :, 1 : 1 + length] = fit_shapley(many, p, np.repeat(inside[None], length, axis=0), settings).values.T
        keep[row, length:] = inside
    return Linear(np.concatenate([included[:, None], keep], axis=1), operator)  # the design need not begin with the intact mask


def asked(methods: Mapping[str, Linear], included: BatchIncluded) -> Asked:
    """The distinct masks of all methods and each method's S over them."""
    batch, units = included.shape
    distinct = [_distinct([own.keep[row] for own in methods.values()], included[row]) for row in range(batch)]
    n_masks = max(len(keep) for keep, _ in distinct)
    keep = np.repeat(included[:, None], n_masks, axis=1)
    operators = {name: np.zeros((batch, method.operator.shape[1], n_masks)) for name, method in methods.items()}
    for row, (own, places) in enumerate(distinct):
        keep[row, : len(own)] = own
        start = 0
        for name, method in methods.items():
            mine = places[start : (start := start + method.keep.shape[1])]
            np.add.at(operators[name][row].T, mine, method.operator[row].T)
    weighed = np.zeros((batch, units, n_masks), dtype=bool)
    for name, operator in operators.items():
        if methods[name].at_pokes:
            weighed |= operator != 0.0
    return Asked(keep, operators, weighed & keep.transpose(0, 2, 1))


def _operator(keep: Keep, included: BatchIncluded, fit: Callable[[Keep, BatchIncluded, Probability64], BatchUnits64]) -> Operator:
    """S of a fit that is linear in p, column by column."""
    batch, n_masks, units = keep.shape
    found = np.zeros((batch, units, n_masks))
    for row in range(batch):
        same = np.repeat(keep[row : row + 1], n_masks, axis=0), np.repeat(included[row : row + 1], n_masks, axis=0)
        found[row] = fit(*same, np.eye(n_masks)).T
    return found


def _double(found: Estimate) -> BatchUnits64:
    return found.values.astype(np.float64)


def _distinct(keeps: list[NDArray[np.bool_]], included: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """The distinct masks among these, the intact one first, and the place of each given mask among them."""
    given = np.concatenate([included[None], *keeps])
    found, places = np.unique(given, axis=0, return_inverse=True)
    places = places.reshape(-1)
    order = np.concatenate([[places[0]], np.delete(np.arange(len(found)), places[0])])
    rank = np.empty(len(found), dtype=np.int64)
    rank[order] = np.arange(len(found))
    return found[order], rank[places[1:]]
