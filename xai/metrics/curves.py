"""How fast does p(target) fall when the most attributed units go first, and rise when they come first?

A curve has two halves, so that a caller with many attributions can evaluate all masks together: a plan (which masks, at which
x) and its area once p is known. `deletion` and `insertion` do both for one attribution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xai.metrics.order import fractions, ranks, removal_masks, reveal_masks, schedule
from xai.presets import DEFAULT, Preset
from xai.records import Metric
from xai.units import (
    Attribution,
    Counts,
    CurvePoints,
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

DELETION = Metric("deletion", "faithfulness", "lower", 0.0, 1.0, "area under p(target)", "KI; Petsiuk et al. 2018")
INSERTION = Metric("insertion", "faithfulness", "higher", 0.0, 1.0, "area under p(target)", "KI; Petsiuk et al. 2018")
DELETION_NORMALISED = Metric("deletion_normalised", "faithfulness", "lower", 0.0, np.inf, "area / p(intact)", "KI")
INSERTION_NORMALISED = Metric("insertion_normalised", "faithfulness", "higher", 0.0, np.inf, "area / p(intact)", "METHODS 9")
P_INTACT = Metric("p_intact", "context", "none", 0.0, 1.0, "p(target) of the intact input", "METHODS 2")


@dataclass(frozen=True)
class Plan:
    """The masks of one curve, [batch, points, units], the x of each, [batch, points], and which point is the intact input.

    `lengths`: the points that are an example's own; the others repeat its last one.
    """

    fractions: Points
    keep: Keep
    intact: int
    finite: Finite
    lengths: Sizes


Planner = Callable[[Attribution, Preset, Included | None], Plan]


@dataclass(frozen=True)
class Curve:
    """p(target) at each share of units changed (both [points], or [batch, points]), the area under it, and the area / p(intact)."""

    fractions: CurvePoints
    p: CurvePoints
    area: PerExample
    normalised: PerExample


def deletion(attribution: Attribution, value: Value, preset: Preset = DEFAULT, included: Included | None = None) -> Curve:
    """Area under p(target) while units are removed, most attributed first: in [0, 1], lower is more faithful.

    x is the fraction of units changed, trapezoid rule; `normalised` is divided by p(target) of the intact input (KI's number; null where
    that is 0). `value` fixes target and baseline, `preset` step and spacing. Null (NaN) for a non-finite attribution or p, never 0.
    Examples with fewer points repeat their last one. A 1-D attribution asks `value` about a batch of one. Source: KI, METHODS 2 and 9.
    """
    return _curve(attribution, value, preset, included, deletion_plan)


def insertion(attribution: Attribution, value: Value, preset: Preset = DEFAULT, included: Included | None = None) -> Curve:
    """Area under p(target) while units are revealed on the baseline, most attributed first: in [0, 1], higher is more faithful.

    As `deletion` otherwise. Caution where it is shown: the curve ends at the clean confidence, so the area contains it; `normalised`
    (ours; KI gives the raw area) divides by it.
    """
    return _curve(attribution, value, preset, included, insertion_plan)


def _curve(attribution: Attribution, value: Value, preset: Preset, included: Included | None, planned: Planner) -> Curve:
    plan = planned(np.atleast_2d(attribution), preset, None if included is None else np.atleast_2d(included))
    curve = under(plan, evaluated(value, plan.keep))
    if np.ndim(attribution) != 1:
        return curve
    return Curve(curve.fractions[0], curve.p[0], np.asarray(curve.area[0]), np.asarray(curve.normalised[0]))


def deletion_plan(attribution: Attribution, preset: Preset, included: Included | None = None) -> Plan:
    """The masks of `deletion` for a batch [batch, units]; the first is the intact input."""
    places, counts, x, kept, finite = _stops(attribution, preset, included)
    return Plan(x, removal_masks(places, counts, kept), 0, finite, _lengths(x))


def insertion_plan(attribution: Attribution, preset: Preset, included: Included | None = None) -> Plan:
    """The masks of `insertion` for a batch [batch, units]; the last is the intact input."""
    places, counts, x, kept, finite = _stops(attribution, preset, included)
    return Plan(x, reveal_masks(places, counts, kept), -1, finite, _lengths(x))


def _stops(attribution: Attribution, preset: Preset, included: Included | None) -> tuple[Ranks, Counts, Points, Included, Finite]:
    kept = included_or_all(attribution, included)
    finite = finite_rows(attribution, kept)
    n_units = kept.sum(axis=-1)
    steps = preset.steps(n_units)
    # An order of NaN means nothing: keep such an example at its first mask and spend no forwards on it.
    counts = np.where(finite[:, None], schedule(n_units, steps), 0)
    return ranks(attribution, kept), counts, fractions(n_units, steps, preset.spacing), kept, finite


def _lengths(x: Points) -> Sizes:
    return np.asarray((x < 1.0).sum(axis=-1) + 1)  # x reaches 1 at the last point and stays there


def under(plan: Plan, p: Probability64) -> Curve:
    """The curve of a plan once p(target) is known for each of its masks: trapezoid area, and area / p(intact), null where that is 0."""
    known = np.where(plan.finite[:, None], p, np.nan)
    area = np.empty(len(known))
    for length in np.unique(plan.lengths):  # repeated points add nothing, but would move the blocks in which numpy adds the others
        rows = plan.lengths == length
        area[rows] = np.trapezoid(known[rows, :length], plan.fractions[rows, :length], axis=-1)
    intact = known[:, plan.intact]
    normalised = np.divide(area, intact, out=np.full_like(area, np.nan), where=intact > 0.0)
    return Curve(plan.fractions, known, area, normalised)
