"""What is a statistic that may not exist, and which pairs does it rest on?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NO_SPREAD = 1e-12  # of the largest magnitude (METHODS 9): rounding alone stays below, data do not

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Estimate:
    """A number, its two-sided p-value where it has one, or None with the reason."""

    value: float | None = None
    p_value: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Pairs:
    """The complete pairs: x float64[n], y float64[n], and the group of each pair as codes 0..n_groups-1."""

    x: Floats
    y: Floats
    groups: Codes
    n_groups: int

    def centred(self, values: Floats) -> Floats:
        """Values minus the mean of their group; with one group, minus the mean."""
        sums = np.bincount(self.groups, weights=values, minlength=self.n_groups)
        sizes = np.bincount(self.groups, minlength=self.n_groups)
        return values - (sums / sizes)[self.groups]


def complete_pairs(x: npt.ArrayLike, y: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Pairs:
    """The pairs in which both numbers are finite. Without `groups` all belong to one group.

    Raises ValueError when the arguments are not one-dimensional and equally long.
    """
    left, right = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    labels = np.zeros(left.shape, dtype=np.int64) if groups is None else np.asarray(groups)
    if left.ndim != 1 or left.shape != right.shape or left.shape != labels.shape:
        raise ValueError(f"x, y and groups must be one-dimensional and equally long, got {left.shape}, {right.shape}, {labels.shape}")
    keep = np.isfinite(left) & np.isfinite(right)
    names, codes = np.unique(labels[keep], return_inverse=True)
    return Pairs(left[keep], right[keep], codes.astype(np.int64), len(names))


def has_spread(centred: Floats, values: Floats) -> bool:
    """False when the centred values are only the rounding of a constant (per group)."""
    return bool(np.abs(centred).max(initial=0.0) > NO_SPREAD * np.abs(values).max(initial=0.0))
