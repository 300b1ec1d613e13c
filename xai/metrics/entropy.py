"""How spread out is an explanation over its units?"""

from __future__ import annotations

import numpy as np

from xai.metrics.shares import shares
from xai.records import Metric
from xai.units import Attribution, Included, PerExample, included_or_all

ENTROPY = Metric("entropy", "complexity", "none", 0.0, 1.0, "share of log2 N bits", "KI")


def entropy(attribution: Attribution, included: Included | None = None, epsilon: float = 0.0) -> PerExample:
    """H = -Σ p log2(p + epsilon) / log2 N over N shares p: 0 one unit holds all, 1 all hold the same; describes only.

    Null (NaN) for N = 1, where log2 N = 0, and for a non-finite attribution; an all-zero map is uniform (1). Source: KI, whose epsilon
    is 1e-10 (preset `ki`). We differ: KI's code gives 0 on an all-zero map, and its epsilon takes a one-hot map 1e-11 below 0,
    which is cut to the range. One value per leading axis; a single 1-D attribution gives one number.
    """
    p = shares(attribution, included)
    n_units = included_or_all(p, included).sum(axis=-1)
    bits = -(p * np.log2(np.where(p > 0.0, p + epsilon, np.where(np.isnan(p), np.nan, 1.0)))).sum(axis=-1)
    most = np.log2(np.where(n_units > 1, n_units, np.nan))
    return np.asarray(np.clip(bits / most, ENTROPY.low, ENTROPY.high))
