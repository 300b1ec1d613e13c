"""Which training pictures does a generated picture rest on, and is the head's answer worth more than the nearest ones?"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gold.provenance.pictures import Pictures, Split
from gold.provenance.selection import stratified
from gold.provenance.settings import GenerationSettings, ProvenanceSettings
from gold.provenance.tables.provenance_generated import METHODS, TOP
from lake.identity import rng
from models.decode import encode_png
from models.provenance.slots import Positions
from models.provenance.training import TrainingSet
from models.provenance.vae_training import TrainedVae, posterior_means, train_vae

Record = dict[str, Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """What a model generates: `latents` float32[n, latent] from the prior, `pixels` uint8[n, 28, 28] its expected pictures, rounded."""

    latents: NDArray[np.float32]
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class Named:
    """What a method names: `positions` int64[n, 5] of training pictures, the first first; `probability` float64[n, 5] or None."""

    positions: Positions
    probability: Floats | None = None


def generation(seed: int, pictures: Pictures, settings: ProvenanceSettings) -> dict[str, list[Record]]:
    """The records of one seed by table, with pictures as text: they are kept as JSON until all seeds are there (see `with_bytes`)."""
    chosen = stratified(pictures.train.labels, settings.generation.subset, pictures.train.ids, seed)
    summary, shown = generation_records(pictures.train.only(chosen), pictures.meta, settings.generation, seed)
    told = [row | {"image": base64.b64encode(row["image"]).decode()} for row in shown]
    return {"provenance_generation": summary, "provenance_generated": told}


def with_bytes(records: Sequence[Record]) -> list[Record]:
    """Records of `generation` with the bytes of their pictures, as gold.provenance_generated has them."""
    return [row | {"image": base64.b64decode(row["image"])} for row in records]


def generation_records(train: Split, held_out: Split, how: GenerationSettings, seed: int) -> tuple[list[Record], list[Record]]:
    """The rows of one seed of gold.provenance_generation, and of gold.provenance_generated; no order of the pictures changes them.

    Raises ValueError for fewer than five training pictures, and as `train_vae` does.
    """
    if len(train.ids) < TOP:
        raise ValueError(f"a generated picture is to name {TOP} training pictures, found {len(train.ids)} of them: give more")
    data, judged = (TrainingSet.of(one.pixels(), one.labels, one.ids) for one in (train, held_out))
    summary: list[Record] = []
    shown: list[Record] = []
    for model in ("vae", "vae_index"):
        started = time.monotonic()
        made = train_vae(data, model == "vae_index", how.training, seed)
        seconds = time.monotonic() - started
        drawn = _drawn(made, how.generated, seed)
        named = named_by(made, drawn, seed)
        lacks = ["no index head: its figures are null"] * (made.vae.index is None) + ["no held-out pictures"] * (len(judged.ids) == 0)
        about: Record = {"model": model, "seed": seed, "seconds": seconds, "reason": "; ".join(lacks) or None}
        summary.append(about | _costs(made, judged, seed) | _figures(made, drawn, named))
        shown += _shown(made, drawn, named, how.shown, seed)
    plain, with_head = summary
    return [plain | _paid(plain, plain), with_head | _paid(with_head, plain)], shown


def named_by(made: TrainedVae, drawn: Drawn, seed: int) -> dict[str, Named]:
    """Per method the five training pictures of each generated one; the head is asked about the latent vector that was drawn."""
    flat = _flat(drawn.pixels / 255.0)
    found = {
        "knn_pixel": Named(nearest_first(_between(flat, _flat(made.pictures.numpy())), TOP)),
        "knn_latent": Named(nearest_first(_between(drawn.latents, posterior_means(made.vae, made.pictures)), TOP)),
        "random": Named(np.stack([_random(len(made.ids), seed, picture) for picture in range(len(drawn.pixels))])),
    }
    if made.vae.index is not None:
        ranking = made.vae.index.top(torch.from_numpy(drawn.latents), TOP)
        found["index_head"] = Named(ranking.positions, ranking.probability)
    return found


def nearest_first(distances: Floats, k: int) -> Positions:
    """The k columns of least distance per row of float64[n, N], ties by position."""
    return np.argsort(distances, axis=1, kind="stable")[:, :k]


def overlap(first: Positions, second: Positions) -> float:
    """Mean share of a row's positions [n, k] that stand in the other's row too, in any order."""
    return float((first[:, :, None] == second[:, None, :]).any(axis=2).mean())


def largest_class(labels: Positions) -> float:
    """Mean share of the most frequent label per row of int64[n, k]: from 1 / k to 1."""
    return float((labels[:, :, None] == labels[:, None, :]).sum(axis=2).max(axis=1).mean() / labels.shape[1])


def _drawn(made: TrainedVae, n: int, seed: int) -> Drawn:
    """Vectors keyed by seed and number, so that more pictures leave the first as they are and both models have the same ones."""
    latents = np.stack([rng(seed, str(picture), "prior").standard_normal(made.vae.latent) for picture in range(n)]).astype(np.float32)
    with torch.inference_mode():
        pixels = made.vae.decode(torch.from_numpy(latents)).numpy()
    return Drawn(latents, np.rint(255.0 * pixels).astype(np.uint8))


def _costs(made: TrainedVae, judged: TrainingSet, seed: int) -> Record:
    """Reconstruction and divergence on training and held-out pictures, nats per picture, noise keyed by the picture."""
    found: Record = {"n_train": len(made.ids), "n_meta": len(judged.ids)}
    for name, pictures, ids in (("train", made.pictures, made.ids), ("meta", judged.inputs, judged.ids)):
        found |= {f"reconstruction_{name}": None, f"kl_{name}": None}
        if len(ids):
            noise = np.stack([rng(seed, one, "posterior").standard_normal(made.vae.latent) for one in ids]).astype(np.float32)
            with torch.inference_mode():
                terms = made.vae.terms(pictures, torch.from_numpy(noise))
            found[f"reconstruction_{name}"] = float(terms.reconstruction.double().mean())
            found[f"kl_{name}"] = float(terms.divergence.double().mean())
    return found


def _paid(record: Record, twin: Record) -> Record:
    """What the head costs on held-out pictures, nats per picture; null for the twin itself and without such pictures."""
    terms = [(record[name], twin[name]) for name in ("reconstruction_meta", "kl_meta")]
    paid = [a - b for a, b in terms if isinstance(a, float) and isinstance(b, float)]
    told = record is not twin and len(paid) == len(terms)
    return {"paid_reconstruction": paid[0] if told else None, "paid_bound": sum(paid) if told else None}


def _figures(made: TrainedVae, drawn: Drawn, named: Mapping[str, Named]) -> Record:
    """Of the generated pictures, per method; null what only an index head has."""
    distances = _between(_flat(drawn.pixels / 255.0), _flat(made.pictures.numpy()))
    found: Record = {"n": len(drawn.pixels)}
    for column, method in (("head", "index_head"), *((name, name) for name in ("knn_pixel", "knn_latent", "random"))):
        one = named.get(method)
        found[f"distance_{column}"] = None if one is None else float(np.take_along_axis(distances, one.positions, axis=1).mean())
        found[f"one_class_{column}"] = None if one is None else largest_class(made.labels[one.positions])
    head = named.get("index_head")
    for space in ("pixel", "latent"):
        found[f"overlap_{space}"] = None if head is None else overlap(head.positions, named[f"knn_{space}"].positions)
    return found | _recalled(made)


def _recalled(made: TrainedVae) -> Record:
    """How often the head finds a training picture itself, first or among five."""
    if made.vae.index is None:
        return {"top1_index": None, "top5_index": None}
    hits = (
        made.vae.index.top(torch.from_numpy(posterior_means(made.vae, made.pictures)), TOP).positions == np.arange(len(made.ids))[:, None]
    )
    return {"top1_index": float(hits[:, 0].mean()), "top5_index": float(hits.any(axis=1).mean())}


def _shown(made: TrainedVae, drawn: Drawn, named: Mapping[str, Named], most: int, seed: int) -> list[Record]:
    """The rows of the first pictures of the model that has a head; none of the other."""
    if "index_head" not in named:
        return []
    most = min(most, len(drawn.pixels))
    in_pixels = _between(_flat(drawn.pixels[:most] / 255.0), _flat(made.pictures.numpy()))
    in_latents = _between(drawn.latents[:most], posterior_means(made.vae, made.pictures))
    rows = []
    for picture in range(most):
        image = encode_png(drawn.pixels[picture])
        for method in METHODS:
            one = named[method]
            for place, position in enumerate(one.positions[picture]):
                row: Record = {"seed": seed, "picture": picture, "method": method, "rank": place + 1, "image": image}
                row |= {"train_example_id": made.ids[position], "train_label_id": int(made.labels[position])}
                row |= {"pixel_distance": float(in_pixels[picture, position]), "latent_distance": float(in_latents[picture, position])}
                row["probability"] = None if one.probability is None else float(one.probability[picture, place])
                rows.append(row | {"n": len(made.ids), "reason": None})
    return rows


def _random(n: int, seed: int, picture: int) -> Positions:
    return rng(seed, str(picture), "random exemplars").choice(n, TOP, replace=False)


def _flat(pictures: NDArray[np.generic]) -> Floats:
    return pictures.reshape(len(pictures), -1).astype(np.float64)


def _between(queries: NDArray[np.generic], known: NDArray[np.generic]) -> Floats:
    """Euclidean distances float64[n, N]."""
    a, b = queries.astype(np.float64), known.astype(np.float64)
    squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2.0 * (a @ b.T)
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)), dtype=np.float64)
