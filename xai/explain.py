"""What are all explanation metrics of a batch, for every attribution method at once?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from xai.metrics.curves import Curve, Plan, deletion_plan, insertion_plan, under
from xai.metrics.entropy import entropy
from xai.metrics.gains import deletion_gain, insertion_gain
from xai.metrics.gini import gini
from xai.presets import DEFAULT, Preset
from xai.units import Attribution, Included, PerExample, included_or_all
from xai.value import Value, evaluated

RANDOM = "random"  # the attribution that gains are measured against

Columns = dict[str, PerExample]
Row = dict[str, float | None]


def explanation_metrics(
    attributions: Mapping[str, Attribution],
    values: Mapping[str, Value],
    preset: Preset = DEFAULT,
    included: Included | None = None,
) -> dict[str, list[Row]]:
    """method -> one row per example: entropy, sparsity, deletion and insertion (raw, normalised, of `random`, gain over it), p_intact.

    `attributions` are [batch, units], all alike; `values` maps a baseline's name to p(target) under it and must hold the preset's two.
    Each value gets the masks of all methods in one call (and the deletion value the intact input in a second): hand over deduplicated
    ones. Keys, units, ranges and directions are those of `xai.metrics.METRICS`. None stands for null: N = 1 (entropy), p_intact 0
    (normalised), a non-finite attribution or p, no attribution named `random` (its two columns and the gains over them).
    Raises ValueError on unlike shapes or a missing baseline.
    """
    _check(attributions, values, preset)
    curves = _curves(attributions, values, preset, included)
    intact = included_or_all(next(iter(attributions.values())), included)[:, None, :]
    p_intact = evaluated(values[preset.deletion_baseline], intact)[:, 0]
    columns = {
        name: _columns(attribution, included, preset, curves[name, "deletion"], curves[name, "insertion"])
        for name, attribution in attributions.items()
    }
    random = columns.get(RANDOM)
    return {name: _rows({**own, **_against(random, own), "p_intact": p_intact}) for name, own in columns.items()}


def _check(attributions: Mapping[str, Attribution], values: Mapping[str, Value], preset: Preset) -> None:
    shapes = {name: attribution.shape for name, attribution in attributions.items()}
    if len(set(shapes.values())) != 1 or any(len(shape) != 2 for shape in shapes.values()):
        raise ValueError(f"attributions must be at least one array, all of one shape [batch, units], got {shapes}")
    if lacking := sorted({preset.deletion_baseline, preset.insertion_baseline} - set(values)):
        raise ValueError(f"preset {preset.name!r} needs a value function for baseline {', '.join(lacking)}, got {sorted(values)}; pass one")


def _curves(
    attributions: Mapping[str, Attribution], values: Mapping[str, Value], preset: Preset, included: Included | None
) -> dict[tuple[str, str], Curve]:
    wanted: dict[str, dict[tuple[str, str], Plan]] = {preset.deletion_baseline: {}, preset.insertion_baseline: {}}
    for name, attribution in attributions.items():
        wanted[preset.deletion_baseline][name, "deletion"] = deletion_plan(attribution, preset, included)
        wanted[preset.insertion_baseline][name, "insertion"] = insertion_plan(attribution, preset, included)
    return {key: curve for baseline, plans in wanted.items() for key, curve in _together(plans, values[baseline])}


def _together(plans: Mapping[tuple[str, str], Plan], value: Value) -> Iterator[tuple[tuple[str, str], Curve]]:
    keeps = [plan.keep for plan in plans.values()]
    p = evaluated(value, np.concatenate(keeps, axis=1))
    parts = np.split(p, np.cumsum([keep.shape[1] for keep in keeps])[:-1], axis=1)
    for (key, plan), part in zip(plans.items(), parts, strict=True):
        yield key, under(plan, part)


def _columns(attribution: Attribution, included: Included | None, preset: Preset, removed: Curve, revealed: Curve) -> Columns:
    return {
        "entropy": entropy(attribution, included, preset.entropy_epsilon),
        "sparsity": gini(attribution, included),
        "deletion": removed.area,
        "insertion": revealed.area,
        "deletion_normalised": removed.normalised,
        "insertion_normalised": revealed.normalised,
    }


def _against(random: Columns | None, own: Columns) -> Columns:
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
