"""What part of an attribution does each unit hold, whatever its sign and scale?"""

from __future__ import annotations

import numpy as np

from xai.units import Attribution, Included, Shares, included_or_all


def shares(attribution: Attribution, included: Included | None = None) -> Shares:
    """|a| / Σ|a| over the included units: in [0, 1], sums to 1, 0 on excluded units.

    An all-zero map is uniform over its units. A map with a non-finite unit is NaN throughout. Source: METHODS 2.
    """
    signed = np.asarray(attribution, dtype=np.float64)
    kept = included_or_all(signed, included)
    size = np.where(kept, np.abs(signed), 0.0)
    largest = size.max(axis=-1, keepdims=True)
    finite = np.isfinite(largest)
    # Scaled by the largest first, so that the sum of huge values does not overflow to infinity and every share to 0.
    scaled = np.divide(size, largest, out=kept.astype(np.float64), where=(largest > 0.0) & finite)
    return np.where(finite, scaled / scaled.sum(axis=-1, keepdims=True), np.nan)
