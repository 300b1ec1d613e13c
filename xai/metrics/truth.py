"""Does an explanation point at the units that are known to decide?

The truth is that of the data. A model that decides by something else may rightly be explained otherwise: read these beside faithfulness.
"""

from __future__ import annotations

import numpy as np

from xai.metrics.order import ranks
from xai.metrics.shares import shares
from xai.records import Metric
from xai.units import Attribution, Included, PerExample, included_or_all

PAPER = "Arras et al. 2022 (relevance rank and mass accuracy); METHODS 0"
PRECISION_AT_K = Metric("precision_at_k", "truth", "higher", 0.0, 1.0, "share of the k best units", PAPER)
TRUTH_SHARE = Metric("truth_share", "truth", "higher", 0.0, 1.0, "share of |a|", PAPER)


def precision_at_k(attribution: Attribution, truth: Included, included: Included | None = None, k: int | None = None) -> PerExample:
    """Share of an example's k best units that are true, in [0, 1], higher is better; k is the number of true ones when None.

    Best by signed value, ties by position (METHODS 9). An example shorter than k is asked about all its units. Null (NaN) where no
    unit is true, and for a non-finite attribution. One value per leading axis. Raises ValueError on a k below 1 or a true unit that is
    excluded.
    """
    kept = check_truth(attribution, truth, included)
    if k is not None and k < 1:
        raise ValueError(f"k must be at least 1, got k={k}")
    true = truth.sum(axis=-1)
    taken = true if k is None else np.minimum(k, kept.sum(axis=-1))
    best = ranks(attribution, kept) < taken[..., None]
    known = (true > 0) & np.isfinite(np.where(kept, attribution, 0.0)).all(axis=-1)
    return np.asarray(np.divide((best & truth).sum(axis=-1), taken, out=np.full(np.shape(true), np.nan), where=known))


def truth_share(attribution: Attribution, truth: Included, included: Included | None = None) -> PerExample:
    """Σ|a| over the true units / Σ|a| over all, in [0, 1], higher is better: k / N for an attribution that says the same everywhere.

    Null (NaN) where no unit is true, and for a non-finite attribution. One value per leading axis. Raises ValueError on a true unit that
    is excluded.
    """
    kept = check_truth(attribution, truth, included)
    held = np.where(truth, shares(attribution, kept), 0.0).sum(axis=-1)
    finite = np.isfinite(np.where(kept, attribution, 0.0)).all(axis=-1)
    # Rounding may carry a sum of shares past 1 by one bit.
    return np.where(truth.any(axis=-1) & finite, np.minimum(held, 1.0), np.nan)


def check_truth(attribution: Attribution, truth: Included, included: Included | None) -> Included:
    """The units that count, as `included_or_all`. Raises ValueError unless `truth` is boolean of their shape and names them alone."""
    kept = included_or_all(attribution, included)
    if truth.dtype != np.bool_ or truth.shape != kept.shape or (truth & ~kept).any():
        raise ValueError(
            f"truth must be boolean of the attribution's shape {kept.shape} and name included units alone, got {truth.dtype} of "
            f"{truth.shape}; leave out what is no unit"
        )
    return kept
