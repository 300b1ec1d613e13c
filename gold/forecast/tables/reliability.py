"""Of rows forecast to fail at 20 %, does one in five? Per protocol and feature set, before and after calibration."""

from __future__ import annotations

from gold.forecast.calibrated import KINDS
from gold.forecast.tables.forecast_comparison import FEATURES, MODEL, PROTOCOL
from gold.table import TAIL, share
from lake.spec import DATASET, Column, Table

SPEC = Table(
    layer="gold",
    name="reliability",
    comment="equal-mass bins of the headline learner's forecasts; maps are learned on training examples held back from the learner",
    key=("dataset", "protocol", "features", "model", "calibration", "bin"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        PROTOCOL,
        FEATURES,
        MODEL,
        Column(
            "calibration",
            "string",
            "map of the forecasts, learned on training examples held back; none: as the learner says",
            allowed=KINDS,
        ),
        Column("bin", "int", "from the least risky up", low=0),
        share("mean_forecast", "mean forecast probability of failure"),
        share("failure_rate", "share of the bin's rows that failed; rows of one forecast share theirs"),
        share("ci_low", "lower end of the interval of failure_rate: Wilson, as if each example said one thing"),
        share("ci_high", "upper end of the interval of failure_rate"),
        *TAIL,
    ),
)
