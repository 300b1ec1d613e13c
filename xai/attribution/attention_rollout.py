"""Where does the CLS token look, through all layers together?"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64
from numpy.typing import NDArray

from xai.records import Method
from xai.units import BatchIncluded, BatchUnits32

METHOD = Method(
    name="attention_rollout",
    modalities=("image", "text"),
    category="attention",
    needs="attention",
    unit="share of the CLS token's attention through all layers",
    paper="Abnar and Zuidema 2020",
    direction="size",
    forwards="1",
)

Maps = Float[NDArray[np.floating], "batch layers tokens tokens"]
UnitOf = Int64[NDArray[np.int64], "batch tokens"]


def attention_rollout(maps: Maps, unit_of: UnitOf, included: BatchIncluded) -> BatchUnits32:
    """Share of the CLS token's rolled-out attention that each unit gets, summed over its tokens; in [0, 1], an example's sum 1.

    `maps`: every layer's attention after softmax, mean over heads, first layer first; CLS is token 0. Half of what a layer hands on is its
    attention, half its input (the residual): A = attention / 2 + identity / 2, rows renormalised; the layers' product, last times ... times
    first, has the CLS row that is read. `unit_of`: the unit of each token, negative for a token of none. `included` [batch, units]:
    other units get 0. An example whose units get nothing stays all-zero, which the metrics read as uniform. Non-finite maps give
    non-finite shares, never 0. Raises ValueError on shapes that do not fit. Source: Abnar and Zuidema 2020; computed in float64.
    """
    _check(maps, unit_of, included)
    rows = _cls_rows(maps)
    of_unit = np.zeros(included.shape)
    examples, tokens = np.nonzero(unit_of >= 0)
    np.add.at(of_unit, (examples, unit_of[examples, tokens]), rows[examples, tokens])
    of_unit = np.where(included, of_unit, 0.0)
    total = of_unit.sum(axis=-1, keepdims=True)
    shares: BatchUnits32 = np.divide(of_unit, total, out=of_unit, where=total != 0.0).astype(np.float32)
    return shares


def _cls_rows(maps: Maps) -> Float[NDArray[np.float64], "batch tokens"]:
    """The product's CLS row, from the last layer down: a row times a matrix per layer, where the product itself is a matrix times one."""
    batch, layers, tokens, _ = maps.shape
    row = np.zeros((batch, 1, tokens))
    row[:, :, 0] = 1.0
    for layer in reversed(range(layers)):
        mixed = 0.5 * maps[:, layer].astype(np.float64) + 0.5 * np.eye(tokens)
        row = row @ (mixed / mixed.sum(axis=-1, keepdims=True))
    return row[:, 0]


def _check(maps: Maps, unit_of: UnitOf, included: BatchIncluded) -> None:
    if maps.ndim != 4 or maps.shape[1] == 0 or maps.shape[2] != maps.shape[3]:
        raise ValueError(f"attention_rollout: maps must be [batch, layers, tokens, tokens] of at least one layer, got {maps.shape}")
    if unit_of.shape != (maps.shape[0], maps.shape[2]) or len(included) != len(maps) or unit_of.max(initial=-1) >= included.shape[1]:
        raise ValueError(
            f"attention_rollout: unit_of must name for each of {maps.shape[0]} x {maps.shape[2]} tokens a unit of `included` "
            f"{included.shape}, or be negative, got {unit_of.shape} with {unit_of.max(initial=-1)} as the largest"
        )
