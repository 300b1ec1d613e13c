"""Does an explanation name the units whose removal moves the model's output?"""

from __future__ import annotations

import numpy as np

from xai.metrics.correlation import correlation
from xai.records import Metric
from xai.units import Attribution, Included, PerExample, included_or_all

FAITHFULNESS = Metric("faithfulness", "inversion", "higher", 0.0, 1.0, "correlation over units", "IQ (arXiv 2504.08919); METHODS 7")


def faithfulness(attribution: Attribution, effect: Attribution, included: Included | None = None) -> PerExample:
    """F = correlation over units of |a_j| and |M(x) - M(x, unit j at its baseline)|, floored at 0; in [0, 1], higher is better.

    attribution, effect [..., units]; signs of both are ignored. Null (NaN) where no effect differs from another (also for one unit) and for
    what is not finite; 0 where only the attribution has no spread. Raises ValueError when shapes differ. Source: IQ; reference arms
    (baseline zero, training mean, background rows) differ in `effect` alone.
    """
    if effect.shape != attribution.shape:
        raise ValueError(f"effects must have the attribution's shape {attribution.shape}, got {effect.shape}")
    inside = included_or_all(attribution, included)
    sizes = [np.where(inside, np.abs(one.astype(np.float64)), 0.0) for one in (attribution, effect)]
    return np.maximum(correlation(sizes[0], sizes[1], inside), 0.0)
