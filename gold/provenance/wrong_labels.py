"""Which flipped training labels are found: by the named examples, by kNN, by the loss?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gold.provenance.arms import Arm
from gold.provenance.figures import Record
from gold.provenance.mislabel import detection, disagreement, flip_labels
from gold.provenance.mislabel import losses as cross_entropies
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
    flipped = flip_labels(split.labels, share, pictures.n_classes, split.ids, seed)
    given = flipped.labels
    apart = arm.model_copy(update={"variant": "two_branch", "teacher_forcing": True})
    network = made(apart, seed, pictures, settings, labels=given)
    places = np.arange(len(given))
    k = settings.mislabels.k + 1  # the input itself is among them, and left out
    own = features(network.network, network.data.inputs)[1]
    losses: list[Scores] = []
    plain = Arm(variant="plain", size=arm.size, subset=arm.subset, selection=arm.selection)
    made(plain, seed, pictures, settings, lambda data: _remembering(data, losses), labels=given)
    suspicion = {
        "index_head": disagreement(ranked(network.network, network.data.inputs, k), places, given),
        "knn": disagreement(nearest(own, own, k), places, given),
        "loss": losses[-1],
        "loss_mean": np.mean(losses, axis=0),
        "random": rng(seed, "", "provenance", "mislabels").random(len(given)),
    }
    return [record for method, score in suspicion.items() for record in _curve(method, score, flipped.wrong, share, seed, settings)]


def _remembering(data: TrainingSet, losses: list[Scores]) -> Each:
    """Keeps the loss of every training example's given label, epoch by epoch."""

    def look(network: ProvenanceNetwork) -> dict[str, float]:
        losses.append(cross_entropies(class_logits(network, data.inputs), data.labels))
        return {}

    return look


def _curve(method: str, score: Scores, flipped: NDArray[np.bool_], share: float, seed: int, settings: ProvenanceSettings) -> list[Record]:
    checked = settings.mislabels.checked
    counts = np.maximum(1, np.round(np.asarray(checked) * len(score)).astype(np.int64))
    found = detection(score, flipped, counts.tolist())
    return [
        {"method": method, "flipped": share, "seed": seed, "checked": part, "precision": p, "recall": r,
         "average_precision": found.average_precision, "n": len(score), "reason": None}
        for part, p, r in zip(checked, found.precision, found.recall, strict=True)
    ]  # fmt: skip
