"""Which learners forecast correctness from explanation metrics? KI's four, with KI's hyper-parameters (METHODS 4).

Each stands behind a StandardScaler that is fitted with it, so a test fold never shapes the scale. scikit-learn and XGBoost are
imported late: reading a table's spec must not cost their start-up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gold.scores import Bools
from gold.settings import BoostSettings, GoldSettings
from gold.statistics.estimate import Floats


@dataclass(frozen=True)
class Learner:
    """`make(settings, positive_weight)` gives an unfitted scikit-learn classifier; positive_weight = n_wrong / n_correct in training."""

    name: str
    make: Callable[[GoldSettings, float], Any]
    paper: str = "KI"


def _forest(settings: GoldSettings, positive_weight: float) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    of = settings.forest
    return RandomForestClassifier(
        n_estimators=of.trees,
        max_depth=of.depth,
        min_samples_split=of.min_split,
        min_samples_leaf=of.min_leaf,
        class_weight="balanced",
        random_state=settings.seed,
        n_jobs=settings.n_jobs,
    )


def _boost(of: BoostSettings, settings: GoldSettings, positive_weight: float) -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(
        n_estimators=of.trees,
        max_depth=of.depth,
        learning_rate=of.learning_rate,
        subsample=of.subsample,
        colsample_bytree=of.colsample,
        reg_alpha=of.l1,
        reg_lambda=of.l2,
        gamma=of.gamma,
        min_child_weight=of.min_child_weight,
        scale_pos_weight=positive_weight,
        tree_method="hist",
        importance_type="gain",
        random_state=settings.seed,
        n_jobs=settings.n_jobs,
    )


def _xgboost(settings: GoldSettings, positive_weight: float) -> Any:
    return _boost(settings.boost, settings, positive_weight)


def _xgboost_tuned(settings: GoldSettings, positive_weight: float) -> Any:
    return _boost(settings.boost_tuned, settings, positive_weight)


def _logistic(settings: GoldSettings, positive_weight: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    of = settings.logistic
    return LogisticRegression(C=of.c, class_weight="balanced", max_iter=of.max_iter, random_state=settings.seed)


RANDOM_FOREST = Learner("RandomForest", _forest)
XGBOOST = Learner("XGBoost", _xgboost)
XGBOOST_TUNED = Learner("XGBoost_Tuned", _xgboost_tuned)
LOGISTIC = Learner("LogisticRegression", _logistic)
LEARNERS = (RANDOM_FOREST, XGBOOST, XGBOOST_TUNED, LOGISTIC)


@dataclass(frozen=True)
class Fitted:
    """A scaler and a classifier fitted together."""

    scaler: Any
    classifier: Any

    def probability(self, x: Floats) -> Floats:
        """Forecast probability of `correct`, float64[n] in [0, 1]."""
        return np.asarray(self.classifier.predict_proba(self.scaler.transform(x))[:, 1], dtype=np.float64)


def fit(learner: Learner, x: Floats, correct: Bools, settings: GoldSettings) -> Fitted:
    """The learner fitted on x float64[n, f] and correct bool[n]. Raises ValueError when one class is missing."""
    if correct.all() or not correct.any():
        raise ValueError(
            f"{learner.name}: training rows must hold correct and wrong ones, got {len(correct)} of one class; ask `obstacle` first"
        )
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(x)
    classifier = learner.make(settings, float((~correct).sum() / correct.sum()))
    return Fitted(scaler, classifier.fit(scaler.transform(x), correct.astype(np.int64)))
