"""Can explanation metrics forecast failure, by KI's protocol and by the honest one, and do they beat what is free?"""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd

from gold.design import design
from gold.frames import Frames
from gold.learners import LEARNERS
from gold.meta_learner import evaluate
from gold.protocols import PROTOCOLS, chosen
from gold.table import TAIL, GoldTable, as_table, count, interval, share
from lake.spec import DATASET, Column, Table

SPEC = Table(
    layer="gold",
    name="classifier_comparison",
    comment="KI's learners on the four clean explanation metrics, positive = correct; read them against the baselines in the row",
    key=("dataset", "protocol", "model"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        Column(
            "protocol",
            "string",
            "ki: rows split at random; grouped: an example's rows on one side",
            allowed=tuple(p.name for p in PROTOCOLS),
        ),
        Column("model", "string", "learner", allowed=tuple(learner.name for learner in LEARNERS)),
        Column("leaky", "boolean", "true where train and test share examples: the figures are too good and not the headline"),
        share("accuracy", "share of test rows forecast right at threshold 0.5"),
        share("roc_auc", "AUROC on the test rows; 0.5 = chance"),
        *interval("roc_auc", "bootstrap over the examples of the test rows; the model is not fitted again", 0.0, 1.0),
        share("auc_within_adapter", "AUROC over pairs of test rows of the same adapter: knowing the adapter cannot help"),
        share("f1", "F1 of correct at 0.5"),
        share("precision", "precision of correct at 0.5"),
        share("recall", "recall of correct at 0.5"),
        share("specificity", "share of wrong rows forecast wrong at 0.5"),
        share("brier", "mean squared distance of forecast and outcome; lower is better"),
        share("avg_precision", "average precision of correct; chance = its share"),
        share("cv_auc_mean", "mean AUROC over the folds of the training rows"),
        Column("cv_auc_std", "double", "population sd of AUROC over those folds", low=0.0),
        count("tp", "correct, forecast correct"),
        count("tn", "wrong, forecast wrong"),
        count("fp", "wrong, forecast correct"),
        count("fn", "correct, forecast wrong"),
        share("majority_accuracy", "accuracy on the test rows of always answering the training majority"),
        share("confidence_auc", "AUROC on the test rows of the plain clean confidence, no learner"),
        share("adapter_auc", "AUROC on the test rows of the adapter's accuracy over the training rows"),
        share("base_rate", "share of correct rows"),
        Column("features", "string", "features used, in order; a metric null in every row is left out"),
        count("n_train", "training rows"),
        count("n_test", "test rows"),
        count(
            "n_incomplete",
            "rows left out because a feature is null, as in all of shifted data of the user's own: nothing clean is known of it",
        ),
        *TAIL,
    ),
)


def build(frames: Frames) -> pd.DataFrame:
    """One row per protocol and learner, also when nothing can be learned: then null with the reason."""
    data = design(frames.rows)
    names = ",".join(data.features) or None
    records = []
    for protocol in chosen(frames.settings):
        for learner in LEARNERS:
            found = asdict(evaluate(data, learner, protocol, frames.settings))
            records.append({"protocol": protocol.name, "model": learner.name, "leaky": protocol.leaky, "features": names, **found})
    return as_table(SPEC, frames.dataset, records)


TABLE = GoldTable(SPEC, build, needs_rows=True)
