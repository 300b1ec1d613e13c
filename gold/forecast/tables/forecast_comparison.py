"""What does each set of clean-input features foretell of failure, protocol by protocol and learner by learner?"""

from __future__ import annotations

from gold.forecast.features import FEATURE_SETS
from gold.forecast.figures import FIGURES, LIMITS, WITHIN
from gold.forecast.learners import FOREST, LEARNERS
from gold.forecast.regimes import REGIMES
from gold.forecast.run_regime import MEANS
from gold.table import TAIL, count, share
from lake.spec import DATASET, Column, Table

# The figure's name here; the others are called as they are.
COLUMN_OF = {name: name.replace("average_precision", "avg_precision").replace("_within", "_within_adapter") for name in FIGURES}
_MEANING = {
    "auroc": "chance that a failed row has the higher risk than a correct one of the same test block, ties half; 0.5 = chance",
    "average_precision": "average precision of failures per test block, mean over their rows; chance = failure rate",
    "lift": "average precision over the failure rate of its test block",
    "aurc": "mean error among the k least risky rows over all k; lower is better",
    "augrc": "area under the share of rows that are kept and failed, over coverage; lower is better",
    "fpr95": "share of correct rows flagged where 95 % of failures are; lower is better",
    "brier": "mean squared distance of forecast and outcome, pooled and within adapters alike; lower is better",
    "ece": "expected calibration error, 15 bins of equal mass; lower is better",
}
_MEANING |= {name: f"{name.removesuffix('_within')} among rows of one adapter: knowing the adapter cannot help" for name in WITHIN}


def _figure(name: str) -> tuple[Column, Column, Column]:
    low, high = LIMITS[name]
    column, top = COLUMN_OF[name], None if high == float("inf") else high
    return (
        Column(column, "double", _MEANING[name], low=low, high=top),
        Column(f"{column}_ci_low", "double", f"lower end of the interval of {column}", low=low, high=top),
        Column(f"{column}_ci_high", "double", f"upper end of the interval of {column}", low=low, high=top),
    )


PROTOCOL = Column("protocol", "string", "what the forecast never saw, see docs/concepts.md", allowed=tuple(one.name for one in REGIMES))
FEATURES = Column("features", "string", "feature set, of the clean input alone", allowed=tuple(one.name for one in FEATURE_SETS))
MODELS = (*(learner.name for learner in LEARNERS), FOREST.name, MEANS)
MODEL = Column("model", "string", "learner; mean: a group's failure rate, nothing is learned", allowed=MODELS)

SPEC = Table(
    layer="gold",
    name="forecast_comparison",
    comment="forecasts of failure (the positive class) for rows not learned from; intervals by bootstrap over examples, and over adapters "
    "where they are held out",
    key=("dataset", "protocol", "features", "model"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        PROTOCOL,
        FEATURES,
        MODEL,
        Column("leaky", "boolean", "true where train and test share examples: the figures are too good"),
        Column("is_headline", "boolean", "the learner with the higher AUROC on confidence inside the training rows"),
        *(column for name in FIGURES for column in _figure(name)),
        share("failure_rate", "share of rows that failed"),
        Column("columns", "string", "features used, in order"),
        Column("left_out", "string", "features left out, each with why; null when none was"),
        count("n_examples", "examples"),
        count("n_adapters", "adapters"),
        count("n_blocks", "test blocks; every row is in one"),
        count("n_incomplete", "rows left out because a feature is null"),
        *TAIL,
    ),
)
