"""If the riskiest rows are rejected, how far does the error fall? The table to decide a threshold from."""

from __future__ import annotations

from gold.forecast.tables.forecast_comparison import FEATURES, MODEL, PROTOCOL
from gold.table import TAIL, share
from lake.spec import DATASET, Column, Table

SPEC = Table(
    layer="gold",
    name="coverage_risk",
    comment="error among the rows kept when the riskiest are rejected, by the headline learner's forecasts; inside each test block, pooled",
    key=("dataset", "protocol", "features", "model", "coverage"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        PROTOCOL,
        FEATURES,
        MODEL,
        Column("coverage", "double", "share of rows kept", unit="share", low=0.0, high=1.0),
        share("error", "share of the kept rows that failed"),
        share("ci_low", "lower end of the interval of error: Wilson over the examples"),
        share("ci_high", "upper end of the interval of error"),
        share("error_all", "share of all rows that failed"),
        *TAIL,
    ),
)
