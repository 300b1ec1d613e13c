"""What does a method answer that asked for p under masks: how much per unit, how sure, and what was cut on the way?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from xai.ragged import Group, by_size
from xai.units import BatchIncluded, BatchUnits, Keep, PerRow, Probability, Probability64

Packed = Float64[NDArray[np.float64], "group size"]
PackedP = Float64[NDArray[np.float64], "group masks"]
Fit = Callable[[Group, Probability64], tuple[Packed, Packed]]


@dataclass(frozen=True)
class Estimate:
    """One attribution per unit, both arrays [batch, units] with 0 on excluded units.

    `error`: standard error of `values` over the draw of masks, in their unit: 0 where nothing was drawn (occlusion, enumeration), NaN
    where the masks are too few to tell. `clipped`: share of an example's masks, in [0, 1], whose p was clipped before the fit.
    An example with a non-finite p is NaN in all three, never 0.
    """

    values: BatchUnits
    error: BatchUnits
    clipped: PerRow

    def single(self) -> Estimate:
        """The same with values and errors in float32, which is how attributions are stored and ranked."""
        return Estimate(self.values.astype(np.float32), self.error.astype(np.float32), self.clipped)


def fitted(p: Probability64, included: BatchIncluded, fit: Fit, clipped: PerRow | None = None) -> Estimate:
    """The estimate of a batch from `fit`, called once per distinct number of units with a group and a p that is finite throughout.

    `p`: [batch, masks]. `clipped`: shares to report, 0 when None. Examples whose p is not finite become NaN afterwards.
    """
    known = np.asarray(np.isfinite(p).all(axis=1))
    safe = np.where(known[:, None], p, 0.0)
    values, error = np.zeros(included.shape), np.zeros(included.shape)
    for group in by_size(included):
        packed, its_error = fit(group, safe)
        group.put(values, packed)
        group.put(error, its_error)
    for found in (values, error):
        found[~known[:, None] & included] = np.nan
    share = np.zeros(len(p)) if clipped is None else clipped
    return Estimate(values, error, np.where(known, share, np.nan))


def checked(keep: Keep, p: Probability, included: BatchIncluded) -> Probability64:
    """p in float64, one per example and mask. Raises ValueError on another shape, and as `check_masks`."""
    check_masks(keep, included)
    if np.shape(p) != keep.shape[:2]:
        raise ValueError(f"p must answer every mask of every example, {keep.shape[:2]}, got {np.shape(p)}")
    return np.asarray(p, dtype=np.float64)


def check_masks(keep: Keep, included: BatchIncluded) -> None:
    """Raises ValueError unless masks bool [batch, masks, units] fit `included`: at least two, the first intact, nothing excluded shown."""
    if keep.ndim != 3 or keep.dtype != np.bool_ or included.dtype != np.bool_ or included.shape != (keep.shape[0], keep.shape[2]):
        raise ValueError(
            f"a fit needs masks bool[batch, masks, units] and included bool[batch, units], got {keep.dtype}{list(keep.shape)} and "
            f"{included.dtype}{list(included.shape)}"
        )
    if not included.any(axis=1).all():
        raise ValueError("every example must have at least one included unit, found one with none; reject it first")
    if keep.shape[1] < 2 or not (keep[:, 0] == included).all() or (keep & ~included[:, None, :]).any():
        raise ValueError(
            f"of at least two masks the first must show every included unit and none an excluded one, got {keep.shape[1]} masks that "
            "do not; take them from xai.masks.drawn_masks with the same `included`"
        )
