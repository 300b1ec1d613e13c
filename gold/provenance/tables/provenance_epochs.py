"""How do class and index accuracy grow over training?"""

from __future__ import annotations

from gold.provenance.tables.keys import KEY, NETWORK
from gold.table import TAIL, count, share
from lake.spec import DATASET, Column, Table

SPEC = Table(
    layer="gold",
    name="provenance_epochs",
    comment="Class and index accuracy after every epoch, on the first provenance.epoch_examples of meta and of the training examples",
    key=(*KEY, "epoch"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        *NETWORK,
        Column("epoch", "int", "from 1", low=1),
        share("class_accuracy", "of the class head on meta"),
        share("class_accuracy_train", "of the class head on training examples"),
        share("top1_index", "training inputs that are named first themselves; null without an index head"),
        share("top5_index", "training inputs among the first five"),
        count("n_train", "training examples that were looked at; `n` of meta"),
        *TAIL,
    ),
)
