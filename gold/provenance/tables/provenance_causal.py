"""Does a prediction rest on the examples that are named for it? Retrained without them, against without random ones of the class."""

from __future__ import annotations

from gold.table import TAIL, signed
from lake.spec import DATASET, Column, Table

SPEC = Table(
    layer="gold",
    name="provenance_causal",
    comment="Change of p(predicted class) when named training examples are taken out and the head, or the whole network, is trained again",
    key=("dataset", "scope", "method", "k"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        Column("scope", "string", "what is trained again", allowed=("head", "whole_net")),
        Column("method", "string", "who names the examples; random: of the predicted class; tracin: largest dot product of the class "
               "head's gradients", allowed=("index_head", "knn", "tracin", "random")),
        Column("k", "int", "examples taken out", unit="count", low=1),
        signed("change", "p(predicted class) without them minus with all, mean over test examples and seeds", unit="probability"),
        Column("change_ci_low", "double", "lower end of its interval over test examples", low=-1.0, high=1.0),
        Column("change_ci_high", "double", "upper end", low=-1.0, high=1.0),
        signed("difference_from_random", "change minus that of random ones, paired by test example; below 0: the named ones matter more",
               unit="probability"),
        Column("difference_ci_low", "double", "lower end of its interval over test examples", low=-1.0, high=1.0),
        Column("difference_ci_high", "double", "upper end", low=-1.0, high=1.0),
        signed("difference_from_index_head", "change minus that of the index head's examples; below 0: these matter more than the head's",
               unit="probability"),
        Column("against_head_ci_low", "double", "lower end of its interval over test examples", low=-1.0, high=1.0),
        Column("against_head_ci_high", "double", "upper end", low=-1.0, high=1.0),
        Column("n_train", "bigint", "training examples that the network, or head, was trained on", unit="count", low=1),
        Column("random_draws", "int", "random sets per test example and seed, averaged", unit="count", low=1),
        Column("n_seeds", "int", "seeds of the network", unit="count", low=1),
        Column("sentence", "string", "what the figures say"),
        *TAIL,
    ),
)  # fmt: skip
