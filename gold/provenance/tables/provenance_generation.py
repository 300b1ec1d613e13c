"""What does it cost a generator to name its exemplars, and what do they give beyond the nearest training pictures?"""

from __future__ import annotations

from gold.table import TAIL, count, share
from lake.spec import DATASET, Column, Table


def _nats(name: str, comment: str) -> Column:
    return Column(name, "double", comment, unit="nats", low=0.0)


def _distance(name: str, of: str) -> Column:
    return Column(name, "double", f"mean Euclidean pixel distance of {of} from the generated picture; pixels lie in [0, 1]", low=0.0)


def _one_class(name: str, of: str) -> Column:
    return share(name, f"mean share of the largest class among {of}; 1: all have one class")


HEAD, PIXEL, LATENT, RANDOM = (
    "the head's five exemplars",
    "the five nearest in pixels, the least there can be",
    "the five nearest in latent space",
    "five random training pictures",
)

SPEC = Table(
    layer="gold",
    name="provenance_generation",
    comment="A small variational autoencoder with and without an index head over its latent vector, with equal first weights, batches and "
    "noise: what the head costs in reconstruction, and how its exemplars of generated pictures compare with kNN, which is free.",
    key=("dataset", "model", "seed"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        Column("model", "string", "vae, or its twin vae_index that is trained with an index head", allowed=("vae", "vae_index")),
        Column("seed", "bigint", "of weights, batches, noise and generated pictures; pairs the two models", low=0),
        _nats("reconstruction_train", "Bernoulli cross-entropy per training picture, one draw of each posterior; not 0 for grey copies"),
        _nats("kl_train", "divergence of the posterior from the prior, per training picture"),
        _nats("reconstruction_meta", "the same per held-out picture"),
        _nats("kl_meta", "the same per held-out picture"),
        Column("paid_reconstruction", "double", "reconstruction_meta less that of the twin without a head; null for the twin", unit="nats"),
        Column(
            "paid_bound",
            "double",
            "the same of reconstruction_meta + kl_meta, the bound on -log p: what the head costs, as either term can be had for the other",
            unit="nats",
        ),
        share("top1_index", "training pictures whose posterior mean the head takes for them; kNN in latent space has 1 by definition"),
        share("top5_index", "training pictures among the head's first five, at their posterior mean"),
        share("overlap_pixel", "mean share of the head's five among the five nearest in pixels; random five: 5 of n_train"),
        share("overlap_latent", "mean share of the head's five among the five nearest in latent space; random five: 5 of n_train"),
        _distance("distance_head", HEAD),
        _distance("distance_knn_pixel", PIXEL),
        _distance("distance_knn_latent", LATENT),
        _distance("distance_random", RANDOM),
        _one_class("one_class_head", HEAD),
        _one_class("one_class_knn_pixel", "the five nearest in pixels"),
        _one_class("one_class_knn_latent", LATENT),
        _one_class("one_class_random", RANDOM),
        count("n_train", "training pictures"),
        count("n_meta", "held-out pictures"),
        Column("seconds", "double", "training, one thread", unit="s", low=0.0, volatile=True),
        *TAIL,
    ),
)
