"""What becomes of the named examples where the head is told a wrong class?"""

from __future__ import annotations

from gold.provenance.tables.keys import KEY, NETWORK
from gold.table import TAIL, share
from lake.spec import DATASET, Column, Table

SPEC = Table(
    layer="gold",
    name="provenance_class_errors",
    comment="Index accuracy on training inputs while a drawn share of them is told a wrong class; class-independent heads do not hear it",
    key=(*KEY, "wrong_share"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        *NETWORK,
        Column("wrong_share", "double", "of the inputs, whose class is another one, drawn uniformly; the others are told the true one",
               unit="share", low=0.0, high=1.0),
        share("top1_index", "training inputs that are named first themselves"),
        share("top5_index", "training inputs among the first five"),
        *TAIL,
    ),
)  # fmt: skip
