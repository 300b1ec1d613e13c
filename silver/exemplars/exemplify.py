"""Which training examples stand behind each example? The verb of silver.exemplars."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lake.rows import Identity, batch_of
from models.private_state import private_state
from models.provenance.slots import NOBODY
from models.stored_vectors import vectors_of
from silver.exemplars.artifact import load_head
from silver.exemplars.plan import ExemplarPlan, Head
from silver.exemplars.ranks import Named, named
from silver.exemplars.specs import EXEMPLARS
from silver.exemplars.training_set import TrainingExamples, load
from xai.metrics import exemplar_distance

Vectors = NDArray[np.float32]
Told = dict[int, dict[str, Any]] | str  # rank -> columns, or the code of what is wrong with the example


@dataclass(frozen=True)
class Exemplifying:
    """What the verb must know. The variants of `identity` are the ranks that `todo` counts in, of this one head."""

    plan: ExemplarPlan
    head: Head
    identity: Identity

    @property
    def k(self) -> int:
        return max(int(variant["rank"]) for variant in self.identity.variants)


def exemplify(batches: Iterator[pa.RecordBatch], work: Exemplifying) -> Iterator[pa.RecordBatch]:
    """Batches of (example_id, label_id, pooled, todo) -> batches of silver.exemplars with error columns, one row per wanted rank.

    Rejected: `embedding_missing` where bronze.embeddings has no row; `nonfinite` where the vector, or what the head makes of it, is not
    finite. Raises ArtifactError as `load_head` does.
    """
    plan = work.plan
    known, head = load(plan.training_folder, plan.fingerprint), load_head(plan.head_folder(work.head), plan.fingerprint)
    closed = known.closed(plan.settings.withdrawn)
    for batch in batches:
        pooled = batch.column("pooled").to_pylist()
        there = np.array([place for place, content in enumerate(pooled) if content is not None], dtype=np.int64)
        vectors = vectors_of([pooled[place] for place in there]).astype(np.float32)
        finite = np.isfinite(vectors).all(axis=1) if len(there) else np.zeros(0, dtype=bool)
        told: list[Told] = ["embedding_missing"] * len(pooled)
        for place in there[~finite]:
            told[place] = "nonfinite"
        if finite.any():
            rows, labels = there[finite], batch.column("label_id").to_numpy()[there[finite]]
            with private_state(0, 1):
                found = named(head.network, known, vectors[finite], work.k, closed if closed.any() else None)
            for place, ranks in zip(rows, _ranks(found, known, vectors[finite], labels), strict=True):
                told[place] = ranks
        yield batch_of(EXEMPLARS, _rows(batch, told, work))


def _ranks(found: Named, known: TrainingExamples, vectors: Vectors, labels: NDArray[np.integer]) -> Iterator[Told]:
    """Per example rank -> columns, or the code of what is wrong with it."""
    distance = exemplar_distance(vectors[:, None].astype(np.float64), known.vectors[found.positions].astype(np.float64))
    for row in range(len(vectors)):
        if not np.isfinite(found.probability[row]).all():
            yield "nonfinite"
            continue
        predicted = None if found.predicted[row] == NOBODY else int(found.predicted[row])
        ranks: dict[int, dict[str, Any]] = {}
        for rank, position in enumerate(found.positions[row].tolist()):
            ranks[rank + 1] = {"predicted_id": predicted, "probability": float(found.probability[row, rank])}
            if position != NOBODY:
                label = int(known.labels[position])
                ranks[rank + 1] |= {
                    "train_example_id": known.ids[position],
                    "same_class": bool(label == labels[row]),
                    "train_label_id": label,
                    "distance": float(distance[row, rank]),
                }
        yield ranks


MESSAGES = {
    "embedding_missing": "bronze.embeddings has no row for this example: see audit.rejected",
    "nonfinite": "the embedding, or what the head makes of it, must be finite: train the head again or check the backbone",
}


def _rows(batch: pa.RecordBatch, told: list[Told], work: Exemplifying) -> Iterator[dict[str, Any]]:
    variants = work.identity.variants
    for example_id, todo, ranks in zip(batch.column("example_id").to_pylist(), batch.column("todo").to_pylist(), told, strict=True):
        for index in todo:
            key = work.identity.columns() | {"example_id": example_id} | dict(variants[index])
            if isinstance(ranks, str):
                yield key | {"error_code": ranks, "message": MESSAGES[ranks]}
            else:
                yield key | ranks[int(variants[index]["rank"])]
