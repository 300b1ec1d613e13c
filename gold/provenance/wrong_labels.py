"""Which flipped training labels are found: by the named examples, by kNN, by the loss?"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from gold.provenance.arms import Arm
from gold.provenance.figures import Record
from gold.provenance.mislabel import average_precision, disagreement, flip_labels, precision_recall
from gold.provenance.pictures import Pictures
from gold.provenance.settings import ProvenanceSettings
from gold.provenance.trained import Each, made, subset_of
from lake.identity import rng
from models.provenance.answers import class_logits, features, ranked
from models.provenance.neighbours import nearest
from models.provenance.network import ProvenanceNetwork
from models.provenance.training import TrainingSet

Scores = NDArray[np.float64]


def found_labels(arm: Arm, seed: int, share: float, pictures: Pictures, settings: ProvenanceSettings) -> list[Record]:
    """Precision and recall of every method on one set of flipped labels. The index head is a class-independent one, for a class-conditional
    one names examples of the given label alone; losses are the plain classifier's."""
    split = subset_of(arm, seed, pictures, settings)
    given = flip_labels(split.labels, share, pictures.n_classes, split.ids, seed)
    flipped = given != split.labels
    apart = arm.model_copy(update={"variant": "two_branch", "teacher_forcing": True})
    network = made(apart, seed, pictures, settings, labels=given)
    itself = np.eye(len(given), dtype=bool)
    k = settings.mislabels.k
    own = features(network.network, network.data.inputs)[1]
    losses: list[Scores] = []
    plain = Arm(variant="plain", size=arm.size, subset=arm.subset, selection=arm.selection)
    made(plain, seed, pictures, settings, lambda data: _remembering(data, losses), labels=given)
    suspicion = {
        "index_head": disagreement(ranked(network.network, network.data.inputs, k, closed=itself), given),
        "knn": disagreement(nearest(own, own, k, itself), given),
        "loss": losses[-1],
        "loss_mean": np.mean(losses, axis=0),
        "random": rng(seed, "", "provenance", "mislabels").random(len(given)),
    }
    return [record for method, score in suspicion.items() for record in _curve(method, score, flipped, share, seed, settings)]


def _remembering(data: TrainingSet, losses: list[Scores]) -> Each:
    """Keeps the loss of every training example's given label, epoch by epoch."""

    def look(network: ProvenanceNetwork) -> dict[str, float]:
        logits = torch.from_numpy(class_logits(network, data.inputs).astype(np.float64))
        losses.append(functional.cross_entropy(logits, torch.from_numpy(data.labels), reduction="none").numpy())
        return {}

    return look


def _curve(method: str, score: Scores, flipped: NDArray[np.bool_], share: float, seed: int, settings: ProvenanceSettings) -> list[Record]:
    checked = settings.mislabels.checked
    counts = np.maximum(1, np.round(np.asarray(checked) * len(score)).astype(np.int64))
    precision, recall = precision_recall(score, flipped, counts)
    whole = average_precision(score, flipped)
    return [
        {"method": method, "flipped": share, "seed": seed, "checked": part, "precision": float(p), "recall": float(r),
         "average_precision": whole, "n": len(score), "reason": None}
        for part, p, r in zip(checked, precision, recall, strict=True)
    ]  # fmt: skip
