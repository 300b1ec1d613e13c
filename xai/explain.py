"""What are all explanation metrics of a batch, for every attribution method at once?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from xai.metrics.curves import Curve, Plan, deletion_plan, insertion_plan, under
from xai.metrics.entropy import entropy
from xai.metrics.gains import deletion_gain, insertion_gain
from xai.metrics.gini import gini
from xai.metrics.removal import ALONE, PERCENTS, RemovalPlan, comprehensiveness_plan, drops, sufficiency_plan
from xai.metrics.truth import check_truth, precision_at_k, truth_share
from xai.presets import DEFAULT, Baseline, Preset
from xai.ragged import by_size, per_example
from xai.units import Attribution, Included, PerExample, Probability64, included_or_all
from xai.value import Value, evaluated

RANDOM = "random"  # the attribution that gains are measured against

Columns = dict[str, PerExample]
Row = dict[str, float | None]
Plans = dict[str, Plan | RemovalPlan]
Answers = dict[str, Probability64]


def explanation_metrics(
    attributions: Mapping[str, Attribution],
    values: Mapping[str, Value],
    preset: Preset = DEFAULT,
    included: Included | None = None,
    truth: Included | None = None,
) -> dict[str, list[Row]]:
    """method -> one row per example, of the families of the preset, and p_intact.

    `complexity`: entropy, sparsity. `curves`: deletion and insertion (raw, normalised, of `random`, gain over it). `removal`:
    comprehensiveness and sufficiency (mean over 1, 5, 10, 20, 50 % of the words, and 20 % alone), which remove and reveal under the
    baselines of deletion and insertion. With `truth` [batch, units], True on the units that are known to decide, every row also holds
    precision_at_k and truth_share, null for an example without any.

    `attributions` are [batch, units], all alike; `included` names the units of padded examples, whose rows are those they have alone, to
    the bit. `values` maps a baseline's name to p(target) under it and must hold the preset's two. Each value gets the masks of all
    methods and families in one call (and the deletion value the intact input in a second): hand over deduplicated ones. Keys, units,
    ranges and directions are those of `xai.metrics.METRICS`. None stands for null: N = 1 (entropy), p_intact 0 (normalised), a
    non-finite attribution or p, no attribution named `random` (its two columns and the gains over them).
    Raises ValueError on unlike shapes, a missing baseline, or a true unit that is excluded.
    """
    _check(attributions, values, preset)
    kept = included_or_all(next(iter(attributions.values())), included)
    plans = {name: _plans(attribution, preset, kept) for name, attribution in attributions.items()}
    answers = _answers(plans, values, preset)
    p_intact = evaluated(values[preset.deletion_baseline], kept[:, None, :])[:, 0]
    complexity = {name: _complexity(attribution, preset, kept) for name, attribution in attributions.items()}
    curves = {name: _curves(own, answers[name]) for name, own in plans.items()}
    removal = {name: _removal(own, answers[name]) for name, own in plans.items()}
    true = {name: _true(attribution, kept, truth) for name, attribution in attributions.items()}
    random = curves.get(RANDOM)
    against = {name: _against(random, own) for name, own in curves.items()}
    return {
        name: _rows({**complexity[name], **curves[name], **against[name], "p_intact": p_intact, **removal[name], **true[name]})
        for name in attributions
    }


def _check(attributions: Mapping[str, Attribution], values: Mapping[str, Value], preset: Preset) -> None:
    shapes = {name: attribution.shape for name, attribution in attributions.items()}
    if len(set(shapes.values())) != 1 or any(len(shape) != 2 for shape in shapes.values()):
        raise ValueError(f"attributions must be at least one array, all of one shape [batch, units], got {shapes}")
    if lacking := sorted({preset.deletion_baseline, preset.insertion_baseline} - set(values)):
        raise ValueError(f"preset {preset.name!r} needs a value function for baseline {', '.join(lacking)}, got {sorted(values)}; pass one")


def _plans(attribution: Attribution, preset: Preset, included: Included) -> Plans:
    plans: Plans = {}
    if "curves" in preset.families:
        plans |= {"deletion": deletion_plan(attribution, preset, included), "insertion": insertion_plan(attribution, preset, included)}
    if "removal" in preset.families:
        plans["comprehensiveness"] = comprehensiveness_plan(attribution, PERCENTS, included)
        plans["sufficiency"] = sufficiency_plan(attribution, PERCENTS, included)
    return plans


def _answers(plans: Mapping[str, Plans], values: Mapping[str, Value], preset: Preset) -> dict[str, Answers]:
    """p under the masks of every plan, asked in one call per baseline."""
    asked: dict[Baseline, list[tuple[str, str]]] = {preset.deletion_baseline: [], preset.insertion_baseline: []}
    for name, own in plans.items():
        for what in own:
            removes = what in ("deletion", "comprehensiveness")
            asked[preset.deletion_baseline if removes else preset.insertion_baseline].append((name, what))
    answers: dict[str, Answers] = {name: {} for name in plans}
    for baseline, keys in asked.items():
        keeps = [plans[name][what].keep for name, what in keys]
        if not keeps:
            continue
        p = evaluated(values[baseline], np.concatenate(keeps, axis=1))
        parts = np.split(p, np.cumsum([keep.shape[1] for keep in keeps])[:-1], axis=1)
        for (name, what), part in zip(keys, parts, strict=True):
            answers[name][what] = part
    return answers


def _complexity(attribution: Attribution, preset: Preset, included: Included) -> Columns:
    if "complexity" not in preset.families:
        return {}
    measures: dict[str, Callable[[Attribution], PerExample]] = {
        "entropy": lambda packed: entropy(packed, epsilon=preset.entropy_epsilon),
        "sparsity": gini,
    }
    return {name: per_example(measure, attribution, included) for name, measure in measures.items()}


def _curves(plans: Plans, answers: Answers) -> Columns:
    found: dict[str, Curve] = {what: under(plan, answers[what]) for what, plan in plans.items() if isinstance(plan, Plan)}
    raw = {what: curve.area for what, curve in found.items()}
    return raw | {f"{what}_normalised": curve.normalised for what, curve in found.items()}


def _removal(plans: Plans, answers: Answers) -> Columns:
    found = {what: drops(plan, answers[what]) for what, plan in plans.items() if isinstance(plan, RemovalPlan)}
    mean = {what: drop.mean(axis=-1) for what, drop in found.items()}
    return mean | {f"{what}_{ALONE}": drop[:, PERCENTS.index(ALONE)] for what, drop in found.items()}


def _true(attribution: Attribution, included: Included, truth: Included | None) -> Columns:
    if truth is None:
        return {}
    check_truth(attribution, truth, included)
    found = {name: np.empty(len(attribution)) for name in ("precision_at_k", "truth_share")}
    for group in by_size(included):  # without padding, which would move the bits of a sum
        own, decisive = group.of_units(attribution), group.of_units(truth)
        found["precision_at_k"][group.rows] = precision_at_k(own, decisive)
        found["truth_share"][group.rows] = truth_share(own, decisive)
    return found


def _against(random: Columns | None, own: Columns) -> Columns:
    if not own:
        return {}
    if random is None:
        unknown = np.full_like(own["deletion"], np.nan)
        return dict.fromkeys(("deletion_random", "insertion_random", "deletion_gain", "insertion_gain"), unknown)
    return {
        "deletion_random": random["deletion"],
        "insertion_random": random["insertion"],
        "deletion_gain": deletion_gain(own["deletion"], random["deletion"]),
        "insertion_gain": insertion_gain(own["insertion"], random["insertion"]),
    }


def _rows(columns: Columns) -> list[Row]:
    return [
        {name: number if math.isfinite(number) else None for name, number in zip(columns, numbers, strict=True)}
        for numbers in zip(*(np.asarray(column).tolist() for column in columns.values()), strict=True)
    ]
