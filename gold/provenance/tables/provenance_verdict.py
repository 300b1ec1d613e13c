"""Is a provenance network worth more than what is free? Each question with its difference, interval and one sentence."""

from __future__ import annotations

from gold.table import TAIL
from lake.spec import DATASET, Column, Table

SPEC = Table(
    layer="gold",
    name="provenance_verdict",
    comment="The first arm of provenance.arms held against the free alternative, over seeds",
    key=("dataset", "question", "variant", "against"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        Column("question", "string", "what is compared"),
        Column("variant", "string", "the network or method that is judged"),
        Column("against", "string", "what it is held against"),
        Column("value", "double", "mean over seeds of the judged one's figure"),
        Column("against_value", "double", "the same of the other"),
        Column("difference", "double", "value minus against_value, paired by seed"),
        Column("ci_low", "double", "lower end of its interval: Student's t over seeds; of heads over embeddings over examples"),
        Column("ci_high", "double", "upper end"),
        Column("verdict", "string", "better or worse where the interval leaves out 0, no_evidence where it holds 0; null without interval",
               allowed=("better", "worse", "no_evidence")),
        Column("sentence", "string", "the same in words"),
        Column("n_seeds", "int", "seeds that the interval is over", unit="count", low=0),
        *TAIL,
    ),
)  # fmt: skip
