"""Which units of an example count, and what are the shapes of this room called?

A batch may hold examples with different numbers of units (words): they stand in one array, padded, and `included` says which
places are units. Excluded places are zero in every attribution, hidden in every mask, and absent from every count.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int64
from numpy.typing import NDArray

# "*batch" stands for no axis where a single attribution is meant, and for one where a batch is.
Attribution = Float[NDArray[np.floating], "*batch units"]
Included = Bool[NDArray[np.bool_], "*batch units"]
Shares = Float64[NDArray[np.float64], "*batch units"]
PerExample = Float64[NDArray[np.float64], "*batch"]
CurvePoints = Float64[NDArray[np.float64], "*batch points"]

BatchUnits = Float[NDArray[np.floating], "batch units"]
BatchUnits64 = Float64[NDArray[np.float64], "batch units"]
PerRow = Float64[NDArray[np.float64], "batch"]
BatchUnits32 = Float32[NDArray[np.float32], "batch units"]
BatchIncluded = Bool[NDArray[np.bool_], "batch units"]
Attended = Float[NDArray[np.floating], "batch heads tokens"]
Finite = Bool[NDArray[np.bool_], "batch"]
Sizes = Int64[NDArray[np.int64], "batch"]
Counts = Int64[NDArray[np.int64], "batch points"]
Points = Float64[NDArray[np.float64], "batch points"]
Ranks = Int64[NDArray[np.int64], "*batch units"]
Keep = Bool[NDArray[np.bool_], "batch masks units"]
Probability = Float[NDArray[np.floating], "batch masks"]
Probability64 = Float64[NDArray[np.float64], "batch masks"]


def included_or_all(attribution: Attribution, included: Included | None) -> Included:
    """The mask of places that are units: `included` itself, or all places when None.

    Raises ValueError when the attribution has no unit, `included` is not boolean of its shape, or an example has no unit.
    """
    if attribution.ndim == 0 or attribution.shape[-1] == 0:
        raise ValueError(f"an attribution must have at least one unit in its last axis, got {attribution.shape}; reject the example first")
    if included is None:
        return np.ones(attribution.shape, dtype=bool)
    if included.dtype != np.bool_ or included.shape != attribution.shape:
        raise ValueError(
            f"`included` must be boolean of the attribution's shape {attribution.shape}, "
            f"got {included.dtype} of {included.shape}; build it from the number of units of each example"
        )
    if not included.any(axis=-1).all():
        raise ValueError("every example must have at least one included unit, found one with none; reject it first")
    return included


def finite_rows(attribution: Attribution, included: Included) -> Finite:
    """True for each example of a batch [batch, units] whose included units are all finite: the others' metrics are null, never 0."""
    return np.asarray(np.isfinite(np.where(included, attribution, 0.0)).all(axis=-1))
