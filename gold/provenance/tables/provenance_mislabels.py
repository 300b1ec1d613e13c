"""Which wrong training labels does disagreement with the named examples find, and do kNN or the loss find more?"""

from __future__ import annotations

from gold.provenance.tables.keys import SEED
from gold.table import TAIL, share
from lake.spec import DATASET, Column, Table

SPEC = Table(
    layer="gold",
    name="provenance_mislabels",
    comment="Precision and recall of finding flipped training labels, looking at a growing share of the training set, most suspect first",
    key=("dataset", "method", "flipped", "seed", "checked"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        Column("method", "string", "index_head and knn by the mass on named examples of another label, self excluded; "
               "loss: cross-entropy of the given label at the end; loss_mean: over all epochs; random",
               allowed=("index_head", "knn", "loss", "loss_mean", "random")),
        Column("flipped", "double", "share of training labels that were flipped", unit="share", low=0.0, high=1.0),
        SEED,
        Column("checked", "double", "share of the training set that is looked at", unit="share", low=0.0, high=1.0),
        share("precision", "flipped among those that are looked at"),
        share("recall", "of the flipped that are found"),
        share("average_precision", "over the whole ranking, the same for every `checked`"),
        *TAIL,
    ),
)  # fmt: skip
