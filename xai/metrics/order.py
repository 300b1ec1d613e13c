"""In which order are units changed, and which are visible after how many changes?"""

from __future__ import annotations

import numpy as np

from xai.presets import Spacing
from xai.units import Attribution, Counts, Included, Keep, Points, Ranks, Sizes, included_or_all


def ranks(attribution: Attribution, included: Included | None = None) -> Ranks:
    """Place of each unit, from 0, by signed attribution descending; ties by position; excluded units behind all others.

    Signed: evidence against the target comes last, behind units that say nothing. Source: METHODS 9.
    """
    signed = np.asarray(attribution, dtype=np.float64)
    descending = np.where(included_or_all(signed, included), -signed, np.inf)
    order = np.argsort(descending, axis=-1, kind="stable")
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.broadcast_to(np.arange(order.shape[-1]), order.shape), axis=-1)
    return places


def schedule(n_units: Sizes, steps: Sizes) -> Counts:
    """Units changed at each point: 0, step, 2 step, …, N with the last step shorter. Examples with fewer points repeat N at the end."""
    last = _last_point(n_units, steps)
    points = np.arange(last.max(initial=0) + 1)
    return np.minimum(points * steps[:, None], n_units[:, None])


def fractions(n_units: Sizes, steps: Sizes, spacing: Spacing) -> Points:
    """x of each point of the schedule, 0 to 1: units changed / N (`exact`) or evenly spaced (`even`). Repeated points stay at 1."""
    counts = schedule(n_units, steps)
    if spacing == "exact":
        return counts / n_units[:, None]
    return np.minimum(np.arange(counts.shape[1]) / _last_point(n_units, steps)[:, None], 1.0)


def _last_point(n_units: Sizes, steps: Sizes) -> Sizes:
    return -(-n_units // steps)


def removal_masks(places: Ranks, counts: Counts, included: Included) -> Keep:
    """What is visible when the `counts` first units are gone: True = visible, [batch, masks, units]."""
    return (places[:, None, :] >= counts[:, :, None]) & included[:, None, :]


def reveal_masks(places: Ranks, counts: Counts, included: Included) -> Keep:
    """What is visible when only the `counts` first units are: True = visible, [batch, masks, units]."""
    return (places[:, None, :] < counts[:, :, None]) & included[:, None, :]
