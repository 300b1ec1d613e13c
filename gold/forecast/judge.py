"""What do the forecasts of one regime say? Records of its tables, from rows alone: no Spark, no files."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from gold.forecast.bootstrap import bootstrap
from gold.forecast.compare import absent, compared
from gold.forecast.decide import coverages, reliabilities
from gold.forecast.features import BY_NAME, FEATURE_SETS, FeatureSet
from gold.forecast.figures import Scored
from gold.forecast.learners import Learner, learners_of
from gold.forecast.records import Record, name_of
from gold.forecast.regimes import Regime, obstacle
from gold.forecast.rows import Rows, rows_of
from gold.forecast.run_regime import MAPPED, MEANS, Key, OutOfFold, fitting, out_of_fold
from gold.forecast.settings import ForecastSettings
from gold.forecast.weigh import no_verdict, weighed
from lake.identity import rng


@dataclass
class Records:
    """Rows for the tables, by table name."""

    comparison: list[Record] = field(default_factory=list)
    verdict: list[Record] = field(default_factory=list)
    reliability: list[Record] = field(default_factory=list)
    coverage_risk: list[Record] = field(default_factory=list)


def judge(frame: pd.DataFrame, regime: Regime, settings: ForecastSettings, learners: tuple[Learner, ...] | None = None) -> Records:
    """All records of one regime, by these learners (None: those of the regime). Poor data give nulls with reasons, never an error."""
    learners = learners or learners_of(leaky=regime.leaky)
    rows = rows_of(frame, settings)
    found = Records()
    if reason := obstacle(rows, regime, settings):
        found.comparison = [absent(rows, regime, one.name, model, reason) for one in FEATURE_SETS for model in _models(one, learners)]
        found.verdict = [no_verdict(rows, regime, reason, settings)]
        return found
    forecasts = out_of_fold(rows, regime, settings, learners=learners)
    scored = {name_of(key): _scored(rows, forecasts, key) for key in forecasts.risks}
    generator = rng(settings.seed, "", "forecast", "bootstrap", regime.name)
    drawn = bootstrap(
        scored, rows.examples, settings.resamples, settings.level, generator, regime.adapters, training=settings.training_variance
    )
    found.comparison = [compared(rows, regime, forecasts, drawn, key) for key in forecasts.risks]
    found.comparison += [
        absent(rows, regime, name, model, why) for name, why in forecasts.skipped.items() for model in _models(BY_NAME[name], learners)
    ]
    found.verdict = [weighed(rows, regime, forecasts, drawn, settings)]
    for name in MAPPED:
        if forecasts.headline is not None and (name, forecasts.headline) in forecasts.risks:
            found.reliability += reliabilities(rows, regime, forecasts, name, settings)
            found.coverage_risk += coverages(rows, regime, forecasts, name, settings)
    return found


def _models(features: FeatureSet, learners: tuple[Learner, ...]) -> tuple[str, ...]:
    learned = tuple(learner.name for learner in fitting(features, learners))
    return learned if features.means is None else (MEANS,)


def _scored(rows: Rows, forecasts: OutOfFold, key: Key) -> Scored:
    return Scored(np.clip(forecasts.risks[key], 0.0, 1.0), rows.failed, forecasts.folds, rows.adapters, is_probability=True)
