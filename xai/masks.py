"""Under which masks is a model asked, and which of them does each example need?

One draw of masks serves CAP, LIME and Shapley values alike (METHODS 9), so that their difference is theirs and not the masks'.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from xai.units import BatchIncluded, Keep

Drawn = Bool[NDArray[np.bool_], "masks size"]
Coalitions = Bool[NDArray[np.bool_], "coalitions size"]

MOST_UNITS = 16  # 2^16 coalitions of one example are 65,536 forwards: more is never meant


class Masking(BaseModel):
    """How masks are drawn; part of the settings that identify a row.

    `n`: masks per example, of which the first shows everything. `keep_probability`: chance of each unit to be visible in the others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    n: int = Field(default=100, ge=3)  # with fewer than two drawn masks no sampling error can be told
    keep_probability: float = Field(default=0.7, ge=0.05, lt=1.0)  # lower, and nearly every mask of a short text is drawn again


MASKING = Masking()


def drawn_masks(generators: Sequence[np.random.Generator], included: BatchIncluded, masking: Masking = MASKING) -> Keep:
    """`masking.n` masks per example, True = visible: the first shows every unit, the others each unit with the keep-probability.

    A mask that shows nothing is drawn again, so a text of one word is shown whole each time. Masks may repeat. Every generator draws
    for its own example's included units alone, in position order: padding and neighbours change nothing. Generators are advanced: key
    them by record and not by adapter, and the masks are paired. Excluded units are never visible. Raises ValueError when there is not
    one generator per example, or an example has no unit. Source: CAP; METHODS 5 and 9 (choice).
    """
    if included.ndim != 2 or len(generators) != len(included) or not included.any(axis=1).all():
        raise ValueError(
            f"masks need one generator per example and at least one unit in each, got {len(generators)} generators for `included` of "
            f"{included.shape}; reject examples without units first"
        )
    keep = np.zeros((len(included), masking.n, included.shape[1]), dtype=bool)
    for row, generator, units in zip(keep, generators, included, strict=True):
        row[:, units] = _drawn(generator, int(units.sum()), masking)
    return keep


def _drawn(generator: np.random.Generator, size: int, masking: Masking) -> Drawn:
    drawn = np.ones((masking.n, size), dtype=bool)
    missing = np.arange(1, masking.n)
    while len(missing):
        drawn[missing] = generator.random((len(missing), size)) < masking.keep_probability
        missing = missing[~drawn[missing].any(axis=1)]
    return drawn


def coalitions(size: int) -> Coalitions:
    """All 2^size masks of `size` units: mask c shows unit j where bit j of c is set, so the first shows nothing and the last everything.

    Raises ValueError for more than 16 units.
    """
    if not 0 < size <= MOST_UNITS:
        raise ValueError(f"coalitions can be listed for 1 to {MOST_UNITS} units, got {size}; draw masks instead")
    return (np.arange(2**size)[:, None] >> np.arange(size) & 1).astype(bool)


def one_hidden(included: BatchIncluded) -> Keep:
    """The intact input, then each unit hidden alone: [batch, 1 + units, units]. An excluded unit's mask is the intact input again."""
    intact = included[:, None, :]
    return np.concatenate([intact, intact & ~np.eye(included.shape[1], dtype=bool)], axis=1)
