"""Which training pictures does each generated picture rest on, by the index head and by plain nearness?"""

from __future__ import annotations

from gold.table import TAIL, rank_column, share
from lake.spec import DATASET, Column, Table

TOP = 5
METHODS = ("index_head", "knn_pixel", "knn_latent")

SPEC = Table(
    layer="gold",
    name="provenance_generated",
    comment="The first generated pictures of each seed with the five training pictures that each method names; all are generated pictures "
    "of the model vae_index, drawn from the prior, none chosen for its looks.",
    key=("dataset", "seed", "picture", "method", "rank"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        Column("seed", "bigint", "of the generator and of its draws", low=0),
        Column("picture", "int", "which draw from the prior, from 0 on; keyed by seed and this number", low=0),
        Column(
            "method",
            "string",
            "index_head: the likeliest by the head; knn_pixel, knn_latent: the nearest by Euclidean distance of the pixels, or of the "
            "drawn latent vector from the posterior means of the training pictures",
            allowed=METHODS,
        ),
        rank_column("1 is the likeliest, or the nearest"),
        Column("train_example_id", "string", "the training picture, an example_id of bronze.examples"),
        Column("train_label_id", "int", "its label", unit="index", low=0),
        share("probability", "that the head gives it, over all training pictures; null for the other methods"),
        Column("pixel_distance", "double", "Euclidean, from the generated picture; pixels lie in [0, 1]", low=0.0),
        Column("latent_distance", "double", "Euclidean, of its posterior mean from the drawn latent vector", low=0.0),
        Column("image", "binary", "the generated picture as PNG, grey, 28 x 28"),
        *TAIL,
    ),
)
