"""Which explanation metric does the forecast rest on? Five readings per feature; they may disagree, and that is worth seeing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gold.design import Design
from gold.learners import LEARNERS, LOGISTIC, RANDOM_FOREST, XGBOOST, Fitted, fit
from gold.meta_learner import split
from gold.protocols import Protocol
from gold.scores import Bools
from gold.settings import GoldSettings
from gold.statistics.estimate import Floats
from lake.identity import rng


@dataclass(frozen=True)
class Importance:
    """One feature. xgb (share of gain) and rf (share of impurity decrease) sum to 1 over the features; perm is a drop in accuracy."""

    feature: str
    n: int
    xgb_importance: float | None = None
    rf_importance: float | None = None
    perm_importance: float | None = None
    perm_std: float | None = None
    lr_coef: float | None = None
    lr_odds_ratio: float | None = None
    reason: str | None = None


def importances(data: Design, wanted: tuple[str, ...], protocol: Protocol, settings: GoldSettings) -> list[Importance]:
    """One record per wanted feature: learners fitted on the training side, permutation on the test side; null with a reason otherwise."""
    sides = split(data, protocol, settings)
    if isinstance(sides, str):
        return [Importance(name, len(data), reason=sides) for name in wanted]
    train, test = sides
    permuted_learner = next(learner for learner in LEARNERS if learner.name == settings.permutation_model)
    models = {
        learner.name: fit(learner, data.x[train], data.correct[train], settings)
        for learner in dict.fromkeys((RANDOM_FOREST, XGBOOST, LOGISTIC, permuted_learner))
    }
    coefficients = models[LOGISTIC.name].classifier.coef_[0]
    found = {}
    for place, name in enumerate(data.features):
        drops = permutation_drops(models[permuted_learner.name], data.x[test], data.correct[test], place, settings)
        found[name] = Importance(
            feature=name,
            n=len(data),
            xgb_importance=_share(models[XGBOOST.name], place),
            rf_importance=_share(models[RANDOM_FOREST.name], place),
            perm_importance=float(drops.mean()),
            perm_std=float(drops.std()),
            lr_coef=float(coefficients[place]),
            lr_odds_ratio=float(np.exp(coefficients[place])),
        )
    return [found.get(name, Importance(name, len(data), reason="null in every row")) for name in wanted]


def _share(model: Fitted, place: int) -> float | None:
    """The feature's share; None when the trees never split (XGBoost divides by zero); cut at 1, which float32 may pass."""
    value = float(model.classifier.feature_importances_[place])
    return min(value, 1.0) if np.isfinite(value) else None


def permutation_drops(model: Fitted, x: Floats, correct: Bools, place: int, settings: GoldSettings) -> Floats:
    """Accuracy minus accuracy with column `place` shuffled, once per repeat: float64[repeats] in [-1, 1]. x is not edited.

    The shuffles are those of (seed, column, repeat) alone.
    """
    whole = float(np.mean((model.probability(x) >= 0.5) == correct))
    drops = np.empty(settings.permutation_repeats)
    for repeat in range(settings.permutation_repeats):
        shuffled = x.copy()
        shuffled[:, place] = rng(settings.seed, "", "gold", "permutation", place, repeat).permutation(x[:, place])
        drops[repeat] = whole - float(np.mean((model.probability(shuffled) >= 0.5) == correct))
    return drops
