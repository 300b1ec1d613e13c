"""How does a figure over trainings look with its doubt, and when do two figures differ? Shares are in 0..1, intervals 95 %."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from gold.statistics import mean_interval, wilson

NOTHING = "–"
OF_INPUTS = "†"  # marks an interval over inputs: with one seed there is none over seeds
SAME = "not seen to differ"


class Figure(NamedTuple):
    """A mean over seeds and its interval; `of_inputs`: the interval is over inputs and says nothing of other seeds."""

    mean: float
    low: float
    high: float
    seeds: int
    of_inputs: bool


class Apart(NamedTuple):
    """A mean paired difference and its interval; None where there is one pair."""

    mean: float
    low: float | None
    high: float | None
    pairs: int


def over_seeds(values: pd.Series, n: int) -> Figure | None:
    """A share, one value per seed, each over `n` inputs: Student's t over seeds, cut to 0..1. One seed, and seeds that all say 0 or all 1,
    have Wilson's interval over n inputs. None without a value."""
    found = values.dropna().astype(float).to_numpy()
    if not len(found):
        return None
    mean = float(found.mean())
    certain = found.min() == found.max() and found[0] in (0.0, 1.0)
    sure = wilson(mean * n, n) if len(found) == 1 or certain else mean_interval(found)
    low, high = (mean if end is None else min(1.0, max(0.0, end)) for end in (sure.low, sure.high))
    return Figure(mean, low, high, len(found), len(found) == 1 or bool(certain))


def cell(figure: Figure | None) -> str:
    """`0.985 (0.980 to 0.990)`, with a mark where the interval is over inputs."""
    if figure is None:
        return NOTHING
    return f"{figure.mean:.3f} ({figure.low:.3f} to {figure.high:.3f}){OF_INPUTS if figure.of_inputs else ''}"


def paired(own: pd.Series, other: pd.Series) -> Apart | None:
    """Own minus other of the same index (seed), over the pairs that both have; None where there is none."""
    both = pd.concat([own.rename("own"), other.rename("other")], axis=1, join="inner").dropna().astype(float)
    if both.empty:
        return None
    apart = (both["own"] - both["other"]).to_numpy()
    sure = mean_interval(apart)
    return Apart(float(np.mean(apart)), sure.low, sure.high, len(apart))


def signed(apart: Apart | None) -> str:
    """`-0.0120 (-0.0200 to -0.0040)`; without an interval the difference alone."""
    if apart is None:
        return NOTHING
    mean = plus(apart.mean)
    return mean if apart.low is None or apart.high is None else f"{mean} ({plus(apart.low)} to {plus(apart.high)})"


def plus(value: float) -> str:
    """`+0.0120`; nothing is ever -0.0000."""
    return f"{round(value, 4) + 0.0:+.4f}"


def side(low: float | None, high: float | None) -> int | None:
    """1 where the interval lies above 0, -1 below, 0 where it holds 0; None without an interval."""
    if low is None or high is None or pd.isna(low) or pd.isna(high):
        return None
    return 1 if low > 0 else -1 if high < 0 else 0


def word(apart: Apart, above: str = "higher", below: str = "lower") -> str:
    """What the interval says."""
    found = side(apart.low, apart.high)
    return "no verdict" if found is None else (SAME, above, below)[found]


def counted(n: int, what: str) -> str:
    """`1 seed`, `3 seeds`."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def span(values: pd.Series) -> str:
    """`338`, or `300 to 338` where seeds differ; a dash where there is none."""
    found = values.dropna()
    if found.empty:
        return NOTHING
    low, high = int(found.min()), int(found.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def listed(parts: list[str], nothing: str = "none") -> str:
    """`a, b and c`."""
    if not parts:
        return nothing
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
