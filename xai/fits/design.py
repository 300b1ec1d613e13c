"""Which masks must be asked so that Shapley values can be told: every coalition of a short example, drawn masks of a long one?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from xai.estimate import check_masks
from xai.masks import MOST_UNITS, coalitions
from xai.ragged import by_size
from xai.units import BatchIncluded, Keep, Sizes

Flags = Bool[NDArray[np.bool_], "batch"]


class ShapleyFit(BaseModel):
    """How Shapley values are computed; part of the settings that identify a row.

    `enumerate_up_to`: examples of at most so many units are asked about every coalition, and are exact.
    `keep_probability`: null weighs a mask by the Shapley kernel alone (METHODS 9). The chance with which the masks were drawn divides the
    kernel by the probability of drawing each mask, so that many masks lead to the Shapley value whatever the draw prefers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    enumerate_up_to: int = Field(default=10, ge=0, le=MOST_UNITS)
    keep_probability: float | None = Field(default=None, gt=0.0, lt=1.0)


SHAPLEY_FIT = ShapleyFit()


@dataclass(frozen=True)
class Design:
    """Masks to ask about: `keep` [batch, masks, units], of which the first `lengths` are an example's own.

    The others repeat the intact input, which a deduplicated value answers for free. `enumerated`: all coalitions, in the order of
    `xai.masks.coalitions`; otherwise the drawn masks in their order, and then the empty one.
    """

    keep: Keep
    lengths: Sizes
    enumerated: Flags


def shapley_design(masks: Keep, included: BatchIncluded, settings: ShapleyFit = SHAPLEY_FIT) -> Design:
    """What `fit_shapley` needs to know, from drawn masks (the first shows everything): max(masks + 1, 2^size) masks per example.

    Examples of at most `settings.enumerate_up_to` units are asked about all their coalitions and not about the drawn masks.
    Raises ValueError on masks that do not fit `included`.
    """
    check_masks(masks, included)
    sizes = included.sum(axis=1)
    enumerated = sizes <= settings.enumerate_up_to
    lengths = np.where(enumerated, 2 ** np.minimum(sizes, MOST_UNITS), masks.shape[1] + 1)
    keep = np.repeat(included[:, None, :], int(lengths.max(initial=0)), axis=1)
    for group in by_size(included):
        if enumerated[group.rows[0]]:
            keep[group.rows[:, None], : 2**group.size, group.places] = coalitions(group.size).T
        else:
            keep[group.rows, : masks.shape[1]] = masks[group.rows]
            keep[group.rows, masks.shape[1]] = False
    return Design(keep, lengths, enumerated)
