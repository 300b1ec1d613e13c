"""What does each feature set forecast under one regime, for rows that it has not learned from?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from gold.forecast.calibrated import MAPS, Kind, learn_map
from gold.forecast.features import BASE, FEATURE_SETS, FULL, FeatureSet, cell_logit, columns_of, group_rate, matrix_of
from gold.forecast.learners import FOREST, LEARNERS, Learner, can_be_watched, held_back, learners_of
from gold.forecast.regimes import Block, Regime, blocks
from gold.forecast.rows import Bools, Rows
from gold.forecast.settings import ForecastSettings
from gold.scores import auroc
from gold.statistics.estimate import Codes, Floats

FOREST_SETS = (BASE, "xai", FULL)
MAPPED = (BASE, FULL, "all")  # sets whose forecasts are calibrated too
MEANS = "mean"  # the learner's name where nothing is learned
Key = tuple[str, str]
"""(feature set, learner)."""


@dataclass(frozen=True)
class OutOfFold:
    """Every row's probability of failure, by models that saw neither the row nor what the regime holds out.

    risks: float64[n] by (feature set, learner). mapped: those of `MAPPED` after each map, which was learned on training examples held back:
    nothing that a block holds out has reached it. folds int64[n]: the row's test block. `columns`: features of each set. `skipped`: sets
    that could not be learned from, each with why. `headline`: the learner with the higher AUROC on `confidence` inside the training folds;
    None without confidence. `inner`: those AUROCs by learner.
    """

    risks: Mapping[Key, Floats]
    mapped: Mapping[Key, Mapping[Kind, Floats]]
    folds: Codes
    columns: Mapping[str, tuple[str, ...]]
    skipped: Mapping[str, str]
    headline: str | None
    inner: Mapping[str, float]


def out_of_fold(
    rows: Rows,
    regime: Regime,
    settings: ForecastSettings,
    sets: tuple[FeatureSet, ...] = FEATURE_SETS,
    learners: tuple[Learner, ...] | None = None,
) -> OutOfFold:
    """Every set and learner (None: all of the regime) under one regime. Ask `regimes.obstacle` first.

    The threads of linear algebra are bounded: two that share a core with other work wait for each other (18 s became 190).
    """
    with threadpool_limits(settings.n_jobs):
        return _out_of_fold(rows, regime, settings, sets, learners or learners_of(leaky=regime.leaky))


def fitting(features: FeatureSet, learners: tuple[Learner, ...]) -> tuple[Learner, ...]:
    """Those that learn from this set: the forest from sets that KI's claim is about only."""
    return tuple(learner for learner in learners if learner is not FOREST or features.name in FOREST_SETS)


def _out_of_fold(
    rows: Rows, regime: Regime, settings: ForecastSettings, sets: tuple[FeatureSet, ...], learners: tuple[Learner, ...]
) -> OutOfFold:
    parts = blocks(rows, regime, settings)
    found = {features.name: columns_of(rows, features) for features in sets}
    columns = {name: names for name, names in found.items() if isinstance(names, tuple)}
    matrices = {
        features.name: matrix_of(rows, features, columns[features.name], settings.seed)
        for features in sets
        if features.means is None and features.name in columns and not features.cell
    }
    risks: dict[Key, Floats] = {}
    mapped: dict[Key, dict[Kind, Floats]] = {}
    folds = np.empty(len(rows), dtype=np.int64)
    inner: dict[str, list[tuple[float, int]]] = {learner.name: [] for learner in LEARNERS}
    for place, block in enumerate(parts):
        folds[block.test] = place
        for features in sets:
            if features.name not in columns:
                continue
            mine = fitting(features, learners)
            for learner, told in _of_block(rows, regime, block, features, columns[features.name], matrices, settings, mine, inner).items():
                key = features.name, learner
                risks.setdefault(key, np.empty(len(rows)))[block.test] = told.risk
                for kind, risk in told.mapped.items():
                    mapped.setdefault(key, {}).setdefault(kind, np.empty(len(rows)))[block.test] = risk
    means = {name: _weighted(values) for name, values in inner.items() if values}
    headline = max(means, key=means.__getitem__) if means else None  # of equal ones the first of LEARNERS
    skipped = {name: reason for name, reason in found.items() if isinstance(reason, str)}
    return OutOfFold(risks, mapped, folds, columns, skipped, headline, means)


@dataclass(frozen=True)
class _Told:
    """Forecasts of a block's test rows, and the same after each map."""

    risk: Floats
    mapped: Mapping[Kind, Floats]


def _of_block(
    rows: Rows,
    regime: Regime,
    block: Block,
    features: FeatureSet,
    columns: tuple[str, ...],
    matrices: Mapping[str, Floats],
    settings: ForecastSettings,
    learners: tuple[Learner, ...],
    inner: dict[str, list[tuple[float, int]]],
) -> dict[str, _Told]:
    known = {"adapter_known": not regime.adapters, "cell_known": not regime.corruptions}
    if features.means is not None:
        return {MEANS: _Told(group_rate(rows, block.train, block.test, features.means, **known), {})}
    failed = rows.failed[block.train]
    if failed.all() or not failed.any():  # nothing to tell apart: what is known is the rate
        rate = group_rate(rows, block.train, block.test, "all", **known)
        return {learner.name: _Told(rate, dict.fromkeys(MAPS, rate) if features.name in MAPPED else {}) for learner in learners}
    x = rows.matrix(columns) if features.cell else matrices[features.name]
    train, test = x[block.train], x[block.test]
    if features.cell:
        both = [cell_logit(group_rate(rows, block.train, side, "cell", **known)) for side in (block.train, block.test)]
        train, test = np.hstack([train, both[0]]), np.hstack([test, both[1]])
    back = held_back(rows.examples[block.train], settings.seed)
    if features.name == "confidence":
        for learner in (one for one in LEARNERS if one in learners):
            _note_inner(learner, train, failed, rows.examples[block.train], back, settings, inner[learner.name])
    return {learner.name: _told(learner, train, failed, back, test, settings, features.name in MAPPED) for learner in learners}


def _told(learner: Learner, x: Floats, failed: Bools, back: Bools, test: Floats, settings: ForecastSettings, maps: bool) -> _Told:
    fitted = learner.fit(x, failed, back, settings)
    risk = fitted(test)
    if not maps or learner is FOREST:
        return _Told(risk, {})
    if not can_be_watched(failed, back):
        return _Told(risk, dict.fromkeys(MAPS, risk))
    spared = fitted if learner.spares else learner.fit(x[~back], failed[~back], np.zeros(int((~back).sum()), dtype=np.bool_), settings)
    before = spared(x[back])
    return _Told(risk, {kind: learn_map(kind, before, failed[back])(risk) for kind in MAPS})


def _note_inner(
    learner: Learner, x: Floats, failed: Bools, examples: Codes, back: Bools, settings: ForecastSettings, found: list[tuple[float, int]]
) -> None:
    """AUROC on the training rows held back of a learner that has not seen them; trees stop on a fifth of the other examples."""
    inner = ~back
    if not 0 < failed[inner].sum() < inner.sum():
        return
    again = held_back(examples[inner], settings.seed)
    value = auroc(learner.fit(x[inner], failed[inner], again, settings)(x[back]), failed[back])
    if value is not None:
        found.append((value, int(back.sum())))


def _weighted(values: list[tuple[float, int]]) -> float:
    total = sum(n for _, n in values)
    return sum(value * n for value, n in values) / total
