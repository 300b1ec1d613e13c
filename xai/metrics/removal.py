"""Are the most attributed words needed for the answer, and are they enough for it?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from xai.metrics.order import ranks, removal_masks, reveal_masks
from xai.records import Metric
from xai.units import Attribution, Counts, Included, Keep, PerExample, Ranks, Sizes, finite_rows, included_or_all
from xai.value import Value, evaluated

COMPREHENSIVENESS = Metric("comprehensiveness", "faithfulness", "higher", -1.0, 1.0, "difference of p(target)", "DeYoung et al. 2020; CAP")
SUFFICIENCY = Metric("sufficiency", "faithfulness", "lower", -1.0, 1.0, "difference of p(target)", "DeYoung et al. 2020; CAP")

PERCENTS = (1, 5, 10, 20, 50)  # averaged over; (20,) is the number reported alone


def comprehensiveness(
    attribution: Attribution, value: Value, percents: Sequence[int] = PERCENTS, included: Included | None = None
) -> PerExample:
    """p(x) - p(x without its top-k words), mean over k = ceil(percent of N / 100): in [-1, 1], higher is more faithful.

    `value` fixes the target (class predicted on the full text) and the baseline. Ask with `percents=(20,)` for k = 20 % alone; a
    deduplicated value answers that for free. Null (NaN) for a non-finite attribution. CAP's tables are percent; ours are differences.
    """
    return _mean_drop(attribution, value, percents, included, removal_masks)


def sufficiency(attribution: Attribution, value: Value, percents: Sequence[int] = PERCENTS, included: Included | None = None) -> PerExample:
    """p(x) - p(only the top-k words of x), mean over k = ceil(percent of N / 100): in [-1, 1], lower is more faithful. Else as above."""
    return _mean_drop(attribution, value, percents, included, reveal_masks)


def _mean_drop(
    attribution: Attribution,
    value: Value,
    percents: Sequence[int],
    included: Included | None,
    masks: Callable[[Ranks, Counts, Included], Keep],
) -> PerExample:
    batch = np.atleast_2d(attribution)
    kept = included_or_all(batch, None if included is None else np.atleast_2d(included))
    intact = kept[:, None, :]
    keep = np.concatenate([intact, masks(ranks(batch, kept), words(kept.sum(axis=-1), percents), kept)], axis=1)
    p = evaluated(value, keep)
    drop = np.where(finite_rows(batch, kept), (p[:, :1] - p[:, 1:]).mean(axis=-1), np.nan)
    return np.asarray(drop[0]) if np.ndim(attribution) == 1 else drop


def words(n_units: Sizes, percents: Sequence[int]) -> Counts:
    """ceil(percent · N / 100) per example and percent, in whole numbers so that 20 % of 5 is 1: at least one word, at most N."""
    if not percents or any(int(percent) != percent or not 1 <= percent <= 100 for percent in percents):
        raise ValueError(f"percents must be whole numbers from 1 to 100, at least one, got {tuple(percents)}")
    return -(-n_units[:, None] * np.array(percents, dtype=np.int64) // 100)
