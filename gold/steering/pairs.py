"""Is one arm better than another? Differences of pairs of trainings that share everything but the prior, and a rule to call them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gold.statistics import mean_interval

Verdict = Literal["better", "no evidence", "worse"]


@dataclass(frozen=True)
class Mean:
    """Mean of `n` values and its standard error, the sample standard deviation / sqrt(n): None below two values, the mean without any."""

    mean: float | None
    standard_error: float | None
    n: int


def mean_of(values: Sequence[float]) -> Mean:
    """Mean and standard error of independent values."""
    if not values:
        return Mean(None, None, 0)
    given = np.asarray(values, dtype=np.float64)
    error = float(given.std(ddof=1) / np.sqrt(len(given))) if len(given) > 1 else None
    return Mean(float(given.mean()), error, len(given))


def verdict_of(differences: Sequence[float], higher_is_better: bool, level: float, min_pairs: int) -> Verdict | None:
    """`better` or `worse` where Student's t interval of the mean difference at this level leaves out 0, else `no evidence`.

    None below `min_pairs` pairs. With three pairs the interval is 4.3 standard errors wide on either side at 95 %; two standard errors
    would call a difference that is none in 18 of 100 cases.
    """
    if len(differences) < max(min_pairs, 2):
        return None
    ends = mean_interval(differences, level)
    if ends.low is None or ends.high is None or ends.low <= 0.0 <= ends.high:
        return "no evidence"
    return "better" if (ends.low > 0.0) == higher_is_better else "worse"
