"""Does naming training examples cost, or buy, class accuracy under shift?"""

from __future__ import annotations

from gold.provenance.tables.keys import KEY, NETWORK
from gold.table import TAIL, interval, share, signed
from lake.spec import DATASET, Column, Table

SPEC = Table(
    layer="gold",
    name="provenance_robustness",
    comment="Class accuracy on split meta under corruptions at 28 x 28 pixels, and under FGSM and PGD on the network's own class head",
    key=(*KEY, "shift", "severity"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        *NETWORK,
        Column("shift", "string", "none, a corruption, fgsm or pgd"),
        Column("severity", "int", "of the corruption; 1 for the smallest epsilon, and so on", low=0),
        Column("parameter", "double", "epsilon of an attack, the largest change of a pixel in 0..1; null for corruptions", low=0.0),
        share("class_accuracy", "of the class head"),
        *interval("class_accuracy", "Wilson", 0.0, 1.0),
        share("class_match_top1", "inputs whose first named example has their true class; null without an index head"),
        signed(
            "difference_from_plain", "class_accuracy minus that of the plain classifier of the same seed and subset, on the same inputs"
        ),
        *TAIL,
    ),
)
