"""How is a head trained in a task, and how well does it know its own training inputs?"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from models.errors import ArtifactError
from models.private_state import private_state
from models.provenance.network import ProvenanceNetwork
from models.provenance.training import TrainingSet, train_provenance
from models.provenance.trunk import vector_trunk
from silver.exemplars.artifact import SHARED, VARIANTS, save_head
from silver.exemplars.manifest import HeadManifest
from silver.exemplars.plan import ExemplarPlan, Head
from silver.exemplars.ranks import BLOCK, named
from silver.exemplars.settings import HeadSettings
from silver.exemplars.training_set import TrainingExamples, fingerprint_of, load

TRAINED_SCHEMA = pa.schema([("head_id", pa.string()), ("error_code", pa.string()), ("message", pa.string())])
INPUTS = 10_000  # training inputs that the figures are of
TOP = 5


@dataclass(frozen=True)
class Figures:
    """Shares of the training inputs (of `INPUTS` at most, by smallest id), in [0, 1]."""

    class_accuracy: float
    top1_index: float
    top5_index: float


def train_heads(batches: Iterator[pa.RecordBatch], plan: ExemplarPlan) -> Iterator[pa.RecordBatch]:
    """Batches of head_id -> one row each, after its folder was written. A head that cannot be trained is a row with an error; one whose
    folder exists costs nothing."""
    heads = {head.head_id: head for head in plan.heads}
    for batch in batches:
        for head_id in batch.column("head_id").to_pylist():
            row = {"head_id": head_id}
            try:
                make_head(heads[head_id], load(plan.training_folder, plan.fingerprint), plan.labels, plan.head_folder(heads[head_id]))
            except ArtifactError as error:
                if error.code != "nonfinite":  # a damaged folder is no property of the head
                    raise
                row |= {"error_code": error.code, "message": error.message}
            yield pa.RecordBatch.from_pylist([row], schema=TRAINED_SCHEMA)


def make_head(head: Head, known: TrainingExamples, labels: tuple[str, ...], folder: Path) -> None:
    """Trains the head where its folder is missing, on one thread. Raises ArtifactError `nonfinite` when training diverges."""
    if folder.exists():
        return
    started = time.monotonic()
    with private_state(0, 1):
        network = None if head.settings is None else _network(head.settings, known, len(labels))
        figures = figures_of(network, known)
    save_head(
        HeadManifest(
            example_ids=known.ids,
            label_ids=tuple(known.labels.tolist()),
            fingerprint=fingerprint_of(known.ids, known.labels.tolist()),
            weights_sha256=None,
            head_id=head.head_id,
            name=head.name,
            variant=head.variant,
            labels=labels,
            dim=known.vectors.shape[1],
            n_slots=_slots(network, known),
            parameters=0 if network is None else network.parameters_count,
            seconds=time.monotonic() - started,
            **_of_settings(head.settings),
            **vars(figures),
        ),
        network,
        folder,
    )


def figures_of(network: ProvenanceNetwork | None, known: TrainingExamples) -> Figures:
    """How often the class of a training input is told, and the input itself is named first, or among five. Of knn the class is that of the
    nearest other example, and the input itself may be named."""
    right, first, among = [], [], []
    n = min(len(known.ids), INPUTS)
    for start in range(0, n, BLOCK):
        rows = np.arange(start, min(start + BLOCK, n))
        found = named(network, known, known.vectors[rows], TOP, None)
        predicted = found.predicted
        if network is None:
            itself = np.zeros((len(rows), len(known.ids)), dtype=bool)
            itself[np.arange(len(rows)), rows] = True
            predicted = named(None, known, known.vectors[rows], 1, itself).predicted
        right.append(predicted == known.labels[rows])
        first.append(found.positions[:, 0] == rows)
        among.append((found.positions == rows[:, None]).any(axis=1))
    return Figures(*(float(np.concatenate(one).mean()) for one in (right, first, among)))


def _network(settings: HeadSettings, known: TrainingExamples, n_classes: int) -> ProvenanceNetwork:
    data = TrainingSet.of(known.vectors, known.labels, known.ids)
    trunk = vector_trunk(known.vectors.shape[1], settings.hidden)
    trained = train_provenance(VARIANTS[settings.variant], trunk, SHARED, data, n_classes, settings.training, settings.seed)
    if not all(bool(torch.isfinite(tensor).all()) for tensor in trained.network.state_dict().values()):
        raise ArtifactError(
            "nonfinite", f"head {settings.name}: training must end with finite weights, found NaN or infinity: lower training.learning_rate"
        )
    return trained.network


def _slots(network: ProvenanceNetwork | None, known: TrainingExamples) -> int:
    return len(known.ids) if network is None or network.index_head is None else network.index_head.slots.width


def _of_settings(settings: HeadSettings | None) -> Mapping[str, int | None]:
    if settings is None:
        return {"hidden": None, "seed": None, "epochs": None}
    return {"hidden": settings.hidden, "seed": settings.seed, "epochs": settings.training.epochs}
