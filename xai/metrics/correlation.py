"""How strongly do two measurements of one example go together, and when is there nothing to correlate?"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64
from numpy.typing import NDArray

from xai.prior_statistics import NO_SPREAD
from xai.units import Included, PerExample

Outputs = Float[NDArray[np.floating], "*batch pokes"]
Output = Float[NDArray[np.floating], "*batch"]
Distances = Float64[NDArray[np.float64], "*batch pokes"]


def correlation(x: Distances, y: Distances, inside: Included | None = None) -> PerExample:
    """Pearson's r over the last axis: NaN where y has no spread or anything is not finite, 0 where x alone has none."""
    some = np.ones(x.shape, dtype=bool) if inside is None else inside
    n = some.sum(axis=-1, keepdims=True)
    known = np.isfinite(np.where(some, x + y, 0.0)).all(axis=-1) & (n[..., 0] > 1)
    centred = []
    for values in (x, y):
        safe = np.where(some & known[..., None], values, 0.0)
        largest = np.abs(safe).max(axis=-1, keepdims=True, initial=0.0)
        scaled = safe / np.where(largest > 0.0, largest, 1.0)  # so that neither squares nor the bound depend on the unit
        centred.append(np.where(some, scaled - scaled.sum(axis=-1, keepdims=True) / np.maximum(n, 1), 0.0))
    spread = [np.abs(part).max(axis=-1, initial=0.0) > NO_SPREAD for part in centred]
    product = np.sqrt((centred[0] ** 2).sum(axis=-1) * (centred[1] ** 2).sum(axis=-1))
    both = spread[0] & spread[1]
    r = np.where(both, (centred[0] * centred[1]).sum(axis=-1) / np.where(both, product, 1.0), 0.0)
    return np.asarray(np.where(known & spread[1], r.clip(-1.0, 1.0), np.nan))


def effects(moved: Distances, output: Output, poked_output: Outputs) -> Distances:
    """|M(x') - M(x)| of every poke, 0 where it is rounding of M (below 1e-12 of it).

    Raises ValueError unless outputs [...] and poked outputs [..., pokes] stand beside `moved`."""
    if poked_output.shape != moved.shape or output.shape != moved.shape[:-1]:
        raise ValueError(
            f"outputs must be [...] and poked outputs [..., pokes] beside movements {moved.shape}, got {output.shape} and "
            f"{poked_output.shape}"
        )
    before, after = output[..., None].astype(np.float64), poked_output.astype(np.float64)
    moved = np.abs(after - before)
    return np.where(moved <= NO_SPREAD * np.maximum(np.abs(before), np.abs(after)), 0.0, moved)
