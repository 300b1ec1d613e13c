"""Which explanation metric does the meta-learner use? Five readings per feature and protocol."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd

from gold.design import design
from gold.frames import XAI_FEATURES, Frames
from gold.importance import importances
from gold.protocols import PROTOCOLS, chosen
from gold.table import TAIL, GoldTable, as_table, share, signed
from lake.spec import DATASET, Column, Table

SPEC = Table(
    layer="gold",
    name="feature_importance",
    comment="importance of each clean explanation metric for forecasting correctness, fitted on the training rows of the protocol",
    key=("dataset", "protocol", "feature"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        Column("protocol", "string", "ki or grouped, see classifier_comparison", allowed=tuple(p.name for p in PROTOCOLS)),
        Column("feature", "string", "metric of the clean input", allowed=XAI_FEATURES),
        share("xgb_importance", "XGBoost: share of the mean gain per split"),
        share("rf_importance", "random forest: share of the impurity decrease"),
        signed("perm_importance", "mean drop in test accuracy when the column is shuffled; about 0 or below = not used", unit="share"),
        Column("perm_std", "double", "population sd of that drop over the repeats", low=0.0),
        Column("lr_coef", "double", "logistic regression: log odds of correct per standard deviation"),
        Column("lr_odds_ratio", "double", "exp(lr_coef): factor on the odds of correct per standard deviation", low=0.0),
        *TAIL,
    ),
)


def build(frames: Frames) -> pd.DataFrame:
    """One row per protocol and metric."""
    data = design(frames.rows)
    records = [
        {"protocol": protocol.name, **asdict(found)}
        for protocol in chosen(frames.settings)
        for found in importances(data, XAI_FEATURES, protocol, frames.settings)
    ]
    return as_table(SPEC, frames.dataset, records)


TABLE = GoldTable(SPEC, build, needs_rows=True)
