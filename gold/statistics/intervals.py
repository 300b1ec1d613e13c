"""How sure is a figure? Wilson for shares of independent rows, t for a mean of few, bootstrap over examples for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

from gold.statistics.estimate import Codes, complete_pairs


@dataclass(frozen=True)
class Interval:
    """Both ends, or None and the reason."""

    low: float | None = None
    high: float | None = None
    reason: str | None = None


def wilson(successes: float, n: float, level: float = 0.95) -> Interval:
    """Wilson's score interval of a share in [0, 1]; the n trials must be independent (one row per example).

    Where an example has several rows, give the share times the number of *examples* and that number: as if its rows said one
    thing, which is the widest that clustering can make it. Null with n = 0; raises ValueError unless 0 <= successes <= n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie between 0 and n, got {successes} of {n}")
    if n == 0:
        return Interval(reason="no rows")
    z = float(ndtri(0.5 + level / 2.0))
    p, correction = successes / n, z * z / n
    centre = (p + correction / 2.0) / (1.0 + correction)
    half = z * np.sqrt(p * (1.0 - p) / n + correction / (4.0 * n)) / (1.0 + correction)
    return Interval(max(0.0, float(centre - half)), min(1.0, float(centre + half)))


def mean_interval(values: npt.ArrayLike, level: float = 0.95) -> Interval:
    """Student's t interval of the mean of independent values; null with a reason below two values."""
    given = np.asarray(values, dtype=np.float64)
    if len(given) < 2:
        return Interval(reason="an interval over adapters needs at least two of them")
    half = float(stdtrit(len(given) - 1, 0.5 + level / 2.0)) * float(given.std(ddof=1)) / np.sqrt(len(given))
    return Interval(float(given.mean() - half), float(given.mean() + half))


def cluster_counts(n_clusters: int, resamples: int, rng: np.random.Generator) -> Iterator[Codes]:
    """Per resample, how often each cluster was drawn (with replacement, n_clusters draws): int64[n_clusters]."""
    for _ in range(resamples):
        yield np.bincount(rng.integers(n_clusters, size=n_clusters), minlength=n_clusters)


def percentile_interval(draws: npt.ArrayLike, level: float = 0.95) -> Interval:
    """The central `level` of the finite bootstrap draws; null when fewer than half of them are finite."""
    given = np.asarray(draws, dtype=np.float64)
    finite = given[np.isfinite(given)]
    if 2 * len(finite) < max(len(given), 1):
        return Interval(reason="the figure does not exist in most resamples")
    low, high = np.quantile(finite, [0.5 - level / 2.0, 0.5 + level / 2.0])
    return Interval(float(low), float(high))


def clustered_pearson_interval(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    clusters: npt.ArrayLike,
    groups: npt.ArrayLike | None,
    resamples: int,
    level: float,
    rng: np.random.Generator,
) -> Interval:
    """Interval of `pearson` by resampling whole clusters (examples), so that an example's many rows count as one draw.

    Group means are those of the full sample, not taken anew per resample (they rest on far more rows than r's noise).
    Null below two clusters or without spread.
    """
    pairs = complete_pairs(x, y, groups)
    finite = np.isfinite(np.asarray(x, dtype=np.float64)) & np.isfinite(np.asarray(y, dtype=np.float64))
    names, codes = np.unique(np.asarray(clusters)[finite], return_inverse=True)
    if len(names) < 2:
        return Interval(reason="an interval over examples needs at least two of them")
    a, b = pairs.centred(pairs.x), pairs.centred(pairs.y)
    sums = np.stack([np.bincount(codes, weights=part, minlength=len(names)) for part in (np.ones_like(a), a, b, a * b, a * a, b * b)])
    draws = [_weighted_r(np.asarray(sums @ counts, dtype=np.float64)) for counts in cluster_counts(len(names), resamples, rng)]
    return percentile_interval(draws, level)


def _weighted_r(totals: npt.NDArray[np.float64]) -> float:
    n, a, b, ab, aa, bb = totals
    spread = (aa - a * a / n) * (bb - b * b / n)
    return float(np.clip((ab - a * b / n) / np.sqrt(spread), -1.0, 1.0)) if spread > 0 else float("nan")
