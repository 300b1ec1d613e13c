"""What failure rate was forecast for each adapter under each corruption, and what was it?"""

from __future__ import annotations

from gold.table import REASON, count, share
from lake.spec import ADAPTER, DATASET, SETTINGS, Column, Table

ORIGINS = ("ahead", "held_out")
SPEC = Table(
    layer="gold",
    name="forecasts",
    comment="forecast failure rate of an adapter that the forecaster has not seen, beside the truth and simpler estimates",
    key=("dataset", "adapter_id", "corruption", "severity"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        ADAPTER,
        Column("corruption", "string", "name of the corruption or, of texts, the attack"),
        Column("severity", "int", "1 is the mildest", low=1),
        Column(
            "origin",
            "string",
            "ahead: stored by `assay forecast` before the adapter was tried; held_out: made afterwards by models that left the adapter out",
            allowed=ORIGINS,
        ),
        share(
            "predicted_failure_rate", "calibrated, from clean confidence and explanations and what the corruption does to other adapters"
        ),
        share("ci_low", "lower end: Student's t over adapters held out in turn, for one more; null below 8"),
        share("ci_high", "upper end of the same"),
        share("upper_bound", "cross-conformal: about one in ten adapters like those exceeds it; null where they are too few"),
        share("observed_failure_rate", "what it was over the same examples; null until it is known"),
        share("cell_mean", "mean failure rate of the other adapters: the forecast that looks at nothing"),
        share(
            "atc",
            "average thresholded confidence: needs the adapter's confidences on corrupted inputs, no labels; null until these are there",
        ),
        share("doc", "difference of confidence: needs the same"),
        Column("forecaster", "string", "identity of the kept forecaster, of rows made ahead", volatile=True),
        Column("run_id", "string", "run that stored it, of rows made ahead", volatile=True),
        count("n", "clean examples the forecast rests on"),
        REASON,
        SETTINGS,
    ),
)
