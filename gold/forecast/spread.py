"""How wide is an interval whose draws were made over examples, or over examples and adapters, which cross?

Percentile intervals are short for three reasons, each mended here. (1) Quantiles of R draws taken as a sample's hold (R - 1) / (R + 1) of
the level; the ends are the draws of rank p (R + 1) instead. (2) A bootstrap over m units knows the variance of m - 1 of them:
m / (m - 1). (3) A variance of m units is itself an estimate: the quantile of Student's t over the normal one, with m - 1 degrees.
(2) and (3) stretch the draws around their median.

Where examples and adapters cross, one draw of both (count x count, the pigeonhole bootstrap) counts three times what belongs to a cell of
both: standard errors were 1.25 to 1.8 times too large, and 95 % intervals mended as above held the truth in 99 to 100 % of simulated sets.
The variance is the two-way clustered one instead (Cameron, Gelbach and Miller 2011): that over examples plus that over adapters minus that
over their cells, not below either of the first two. The shape is that of the sum of the draws over examples and over adapters; Student's
degrees are Satterthwaite's. Coverage by simulation: `benchmarks/forecast.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from gold.statistics.estimate import Floats


@dataclass(frozen=True)
class Spread:
    """Standard error, and both ends of the interval."""

    standard_error: float
    low: float
    high: float


def spread(value: float, draws: Floats, n_units: Sequence[int], level: float) -> Spread:
    """The spread of a figure from finite draws float64[ways, resamples] of a bootstrap over `n_units` >= 2 units per way.

    One way: examples. Three ways: examples, adapters, and the cells in which they meet.
    """
    variances = [float(way.var(ddof=1)) * n / (n - 1) for way, n in zip(draws, n_units, strict=True)]
    kept = variances[:2]  # examples, adapters
    variance = max(sum(kept) - sum(variances[2:]), *kept, 0.0)
    degrees = variance**2 / sum(part**2 / (n - 1) for part, n in zip(kept, n_units, strict=False)) if variance > 0 else 1.0
    student = float(stdtrit(degrees, 0.5 + level / 2.0) / ndtri(0.5 + level / 2.0))
    together = value + (draws[:2] - value).sum(axis=0)
    error, centre, sd = float(np.sqrt(variance)), float(np.median(together)), float(together.std(ddof=1))
    sides = np.quantile(together, [0.5 - level / 2.0, 0.5 + level / 2.0], method="weibull")
    low, high = centre + (sides - centre) * (student * error / sd if sd > 0 else 1.0)
    return Spread(error, float(low), float(high))
