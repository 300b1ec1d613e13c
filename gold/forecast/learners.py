"""Which learners forecast failure? Logistic regression and boosted trees; preprocessing and early stopping see training rows alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gold.forecast.rows import Bools
from gold.forecast.settings import ForecastSettings
from gold.statistics.estimate import Codes, Floats
from lake.identity import rng

Forecaster = Callable[[Floats], Floats]
"""float64[n, f] -> probability of failure, float64[n] in [0, 1]."""

FOREST_ROWS = 20_000  # each tree of a forest learns from so many drawn rows at most: on 80,000 that is a fifth of the time
HELD_BACK = 5  # one part in so many of the training examples decides when trees stop


@dataclass(frozen=True)
class Learner:
    """`fit(x, failed, held_back, settings)`: x float64[n, f], failed bool[n], held_back bool[n] rows for early stopping. `spares`: those
    rows are not learned from, where both classes are among them."""

    name: str
    fit: Callable[[Floats, Bools, Bools, ForecastSettings], Forecaster]
    spares: bool = False


def _logistic(x: Floats, failed: Bools, held_back: Bools, settings: ForecastSettings) -> Forecaster:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=settings.logistic_c, max_iter=1000, random_state=settings.seed))
    model.fit(x, failed)
    return lambda asked: np.asarray(model.predict_proba(asked)[:, 1], dtype=np.float64)


def _boosted(x: Floats, failed: Bools, held_back: Bools, settings: ForecastSettings) -> Forecaster:
    booster, n_trees = boost(x, failed, held_back, settings)
    return lambda asked: scored(booster, asked, n_trees, settings.n_jobs)


def boost(x: Floats, failed: Bools, held_back: Bools, settings: ForecastSettings):  # type: ignore[no-untyped-def]  # xgboost is imported late
    """A Booster and how many of its trees count. Without both classes among the rows held back no tree is stopped early."""
    import xgboost

    of = settings.boosted
    parameters = {
        "objective": "binary:logistic", "tree_method": "hist", "max_depth": of.depth, "eta": of.learning_rate, "subsample": of.subsample,
        "colsample_bytree": of.colsample, "lambda": of.l2, "max_bin": of.bins, "seed": settings.seed, "nthread": settings.n_jobs,
        "eval_metric": "logloss", "verbosity": 0,
    }  # fmt: skip
    watched = can_be_watched(failed, held_back)
    learned = ~held_back if watched else np.ones(len(failed), dtype=np.bool_)
    data = xgboost.QuantileDMatrix(x[learned], failed[learned], max_bin=of.bins, nthread=settings.n_jobs)
    if not watched:
        return xgboost.train(parameters, data, of.trees), of.trees
    test = xgboost.QuantileDMatrix(x[held_back], failed[held_back], ref=data, max_bin=of.bins, nthread=settings.n_jobs)
    booster = xgboost.train(parameters, data, of.trees, evals=[(test, "held_back")], early_stopping_rounds=of.patience, verbose_eval=False)
    return booster, int(booster.best_iteration) + 1


def can_be_watched(failed: Bools, held_back: Bools) -> bool:
    """True when both classes are among the rows held back and among the others; else `boost` learns from all rows."""
    return all(0 < failed[side].sum() < side.sum() for side in (held_back, ~held_back))


def scored(booster, x: Floats, n_trees: int, n_jobs: int) -> Floats:  # type: ignore[no-untyped-def]  # xgboost is imported late
    """Probability of failure by the first `n_trees` trees, float64[n]."""
    booster.set_param({"nthread": n_jobs})
    found = booster.inplace_predict(x, iteration_range=(0, n_trees))
    return np.asarray(found, dtype=np.float64)


def _forest(x: Floats, failed: Bools, held_back: Bools, settings: ForecastSettings) -> Forecaster:
    from sklearn.ensemble import RandomForestClassifier

    of = settings.forest
    drawn = FOREST_ROWS if len(x) > FOREST_ROWS else None
    model = RandomForestClassifier(
        n_estimators=of.trees, max_depth=of.depth, min_samples_split=of.min_split, min_samples_leaf=of.min_leaf,
        max_samples=drawn, random_state=settings.seed, n_jobs=settings.n_jobs,
    ).fit(x, failed)  # fmt: skip
    return lambda asked: np.asarray(model.predict_proba(asked)[:, 1], dtype=np.float64)


LOGISTIC = Learner("LogisticRegression", _logistic)
BOOSTED = Learner("XGBoost", _boosted, spares=True)
# KI's headline; under its own protocol and on the sets of the verdict only, where it shows what a leak is worth: it takes longest by far.
FOREST = Learner("RandomForest", _forest)
LEARNERS = (LOGISTIC, BOOSTED)


def learners_of(*, leaky: bool) -> tuple[Learner, ...]:
    """The learners of a regime."""
    return (*LEARNERS, FOREST) if leaky else LEARNERS


def held_back(examples: Codes, seed: int) -> Bools:
    """One part in `HELD_BACK` of these rows' examples, drawn from the seed: bool[n]."""
    names, code = np.unique(examples, return_inverse=True)
    drawn = rng(seed, "", "forecast", "held back").permutation(len(names)) % HELD_BACK == 0
    return np.asarray(drawn[code], dtype=np.bool_)
