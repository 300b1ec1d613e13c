"""Are the most attributed words needed for the answer, and are they enough for it?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from xai.metrics.order import ranks, removal_masks, reveal_masks
from xai.records import Metric
from xai.units import (
    Attribution,
    Counts,
    Finite,
    Included,
    Keep,
    PerExample,
    Points,
    Probability64,
    Ranks,
    Sizes,
    finite_rows,
    included_or_all,
)
from xai.value import Value, evaluated

PAPER = "DeYoung et al. 2020; CAP"
COMPREHENSIVENESS = Metric("comprehensiveness", "faithfulness", "higher", -1.0, 1.0, "difference of p(target)", PAPER)
SUFFICIENCY = Metric("sufficiency", "faithfulness", "lower", -1.0, 1.0, "difference of p(target)", PAPER)
COMPREHENSIVENESS_20 = Metric("comprehensiveness_20", "faithfulness", "higher", -1.0, 1.0, "difference of p(target)", PAPER)
SUFFICIENCY_20 = Metric("sufficiency_20", "faithfulness", "lower", -1.0, 1.0, "difference of p(target)", PAPER)

PERCENTS = (1, 5, 10, 20, 50)  # averaged over
ALONE = 20  # and reported alone

Masks = Callable[[Ranks, Counts, Included], Keep]


@dataclass(frozen=True)
class RemovalPlan:
    """The masks of one metric for a batch, [batch, 1 + percents, units], the first of which is the intact input."""

    keep: Keep
    finite: Finite


def comprehensiveness(
    attribution: Attribution, value: Value, percents: Sequence[int] = PERCENTS, included: Included | None = None
) -> PerExample:
    """p(x) - p(x without its top-k words), mean over k = ceil(percent of N / 100): in [-1, 1], higher is more faithful.

    `value` fixes the target (class predicted on the full text) and the baseline. Ask with `percents=(20,)` for k = 20 % alone; a
    deduplicated value answers that for free. Null (NaN) for a non-finite attribution. CAP's tables are percent; ours are differences.
    """
    return _mean_drop(attribution, value, percents, included, comprehensiveness_plan)


def sufficiency(attribution: Attribution, value: Value, percents: Sequence[int] = PERCENTS, included: Included | None = None) -> PerExample:
    """p(x) - p(only the top-k words of x), mean over k = ceil(percent of N / 100): in [-1, 1], lower is more faithful. Else as above."""
    return _mean_drop(attribution, value, percents, included, sufficiency_plan)


def comprehensiveness_plan(attribution: Attribution, percents: Sequence[int] = PERCENTS, included: Included | None = None) -> RemovalPlan:
    """The masks of `comprehensiveness` for a batch [batch, units]: intact, then without the top words of each percent."""
    return _plan(attribution, percents, included, removal_masks)


def sufficiency_plan(attribution: Attribution, percents: Sequence[int] = PERCENTS, included: Included | None = None) -> RemovalPlan:
    """The masks of `sufficiency` for a batch [batch, units]: intact, then only the top words of each percent."""
    return _plan(attribution, percents, included, reveal_masks)


def drops(plan: RemovalPlan, p: Probability64) -> Points:
    """p(x) - p(mask) for each percent of a plan, [batch, percents], in [-1, 1]; null (NaN) where the attribution was not finite."""
    return np.where(plan.finite[:, None], p[:, :1] - p[:, 1:], np.nan)


def _plan(attribution: Attribution, percents: Sequence[int], included: Included | None, masks: Masks) -> RemovalPlan:
    kept = included_or_all(attribution, included)
    finite = finite_rows(attribution, kept)
    # An order of NaN means nothing: no word of such an example is taken, and no forwards are spent on it.
    counts = np.where(finite[:, None], words(kept.sum(axis=-1), percents), 0)
    return RemovalPlan(np.concatenate([kept[:, None, :], masks(ranks(attribution, kept), counts, kept)], axis=1), finite)


def _mean_drop(
    attribution: Attribution,
    value: Value,
    percents: Sequence[int],
    included: Included | None,
    planned: Callable[[Attribution, Sequence[int], Included | None], RemovalPlan],
) -> PerExample:
    plan = planned(np.atleast_2d(attribution), percents, None if included is None else np.atleast_2d(included))
    drop = drops(plan, evaluated(value, plan.keep)).mean(axis=-1)
    return np.asarray(drop[0]) if np.ndim(attribution) == 1 else drop


def words(n_units: Sizes, percents: Sequence[int]) -> Counts:
    """ceil(percent · N / 100) per example and percent, in whole numbers so that 20 % of 5 is 1: at least one word, at most N."""
    if not percents or any(int(percent) != percent or not 1 <= percent <= 100 for percent in percents):
        raise ValueError(f"percents must be whole numbers from 1 to 100, at least one, got {tuple(percents)}")
    return -(-n_units[:, None] * np.array(percents, dtype=np.int64) // 100)
