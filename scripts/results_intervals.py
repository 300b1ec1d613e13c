"""How sure are the page's own figures? Every interval treats one picture as one draw, however many rows it has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gold.statistics import cluster_counts, mean_interval, percentile_interval, wilson
from lake.identity import rng

RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Share:
    """A share in [0, 1] with the ends of its 95 % interval and the number of pictures it rests on."""

    value: float
    low: float
    high: float
    n: int


def shown(share: Share) -> str:
    """`0.712 (0.681 to 0.741)`: the share and its interval."""
    return f"{share.value:.3f} ({share.low:.3f} to {share.high:.3f})"


def counted(right: int, n: int) -> Share:
    """A share of n pictures, each counted once; Wilson's interval. Raises ValueError for n = 0."""
    if n < 1:
        raise ValueError(f"a share needs at least one picture, found {n}")
    ends = wilson(right, n, LEVEL)
    return Share(right / n, ends.low or 0.0, 1.0 if ends.high is None else ends.high, n)


def averaged(per_picture: npt.ArrayLike) -> Share:
    """The mean of one value per picture (itself a mean over adapters, severities, ...); Student's t over pictures, cut to [0, 1].

    With one picture nothing is known about the spread: the interval is all of [0, 1]. Where every picture says 0, or 1, t would claim
    certainty; Wilson's interval of as many pictures stands there.
    """
    values = np.asarray(per_picture, dtype=np.float64)
    if len(values) > 1 and values.min() == values.max() and values[0] in (0.0, 1.0):
        return counted(int(values.sum()), len(values))
    ends = mean_interval(values, LEVEL)
    low, high = (0.0 if ends.low is None else ends.low), (1.0 if ends.high is None else ends.high)
    return Share(float(values.mean()), max(0.0, low), min(1.0, high), len(values))


def by_cell(cells: pd.DataFrame, value: str = "correct") -> dict[tuple[str, int], Share]:
    """(corruption, severity) -> mean over adapters and pictures of `value`; `cells` has one row per picture and cell."""
    found: dict[tuple[str, int], Share] = {}
    for key, values in cells.groupby(["corruption", "severity"], sort=True)[value]:
        name, severity = str(key[0]), int(str(key[1]))
        found[name, severity] = averaged(values)
    return found


def failed(failures: pd.DataFrame, value: str) -> Share:
    """The share of rows with `value` (wrong, flipped) over all rows of each picture, averaged over pictures."""
    sums = failures.groupby("example_id")[[value, "n"]].sum()
    return averaged(sums[value] / sums["n"])


def times_the_probe(right: npt.NDArray[np.bool_], probe: npt.NDArray[np.bool_]) -> Share:
    """Adapter's accuracy over the probe's on the same pictures, with a percentile bootstrap over pictures (2,000 resamples).

    Both arrays hold one answer per picture, in one order. Infinite when the probe is never right.
    """
    both = np.stack([right, probe]).astype(np.float64)
    totals = both.sum(axis=1)
    if not totals[1]:
        return Share(float("inf"), float("inf"), float("inf"), both.shape[1])
    counts = np.stack(list(cluster_counts(both.shape[1], RESAMPLES, rng(0, "", "results", "probe"))))
    drawn = counts @ both.T
    draws = np.divide(drawn[:, 0], drawn[:, 1], out=np.full(len(drawn), np.nan), where=drawn[:, 1] > 0)
    ends = percentile_interval(draws, LEVEL)
    low, high = (float("nan") if end is None else end for end in (ends.low, ends.high))
    return Share(float(totals[0] / totals[1]), low, high, both.shape[1])
