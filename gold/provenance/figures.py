"""How right is a network: its classes, its index on training inputs, its named examples on new ones?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from gold.provenance.trained import Each, Made
from gold.statistics.intervals import wilson
from models.provenance.answers import class_logits, features, ranked
from models.provenance.neighbours import nearest
from models.provenance.network import ProvenanceNetwork
from models.provenance.ranking import Ranking
from models.provenance.slots import NOBODY, Positions
from models.provenance.training import TrainingSet

K = 5
Record = dict[str, object]
Shares = NDArray[np.float64]


def index_accuracy(ranking: Ranking) -> dict[str, float]:
    """Of training inputs in order, how many are named first themselves, and among the first five."""
    own = ranking.positions[:, :K] == np.arange(len(ranking.positions))[:, None]
    return {"top1_index": float(own[:, 0].mean()), "top5_index": float(own.any(axis=1).mean())}


def class_match(ranking: Ranking, train_labels: Positions, labels: Positions, level: float = 0.95) -> Record:
    """Of inputs with these labels: first named example, any of five and mean share of five of their class; places that no example takes
    do not count."""
    there = ranking.positions[:, :K] != NOBODY
    same = (train_labels[ranking.positions[:, :K]] == labels[:, None]) & there
    first = float(same[:, 0].mean())
    sure = wilson(float(same[:, 0].sum()), len(labels), level)
    return {
        "class_match_top1": first,
        "class_match_top1_ci_low": sure.low,
        "class_match_top1_ci_high": sure.high,
        "class_match_top5": float(same.any(axis=1).mean()),
        "class_match_top5_share": float((same.sum(axis=1) / np.maximum(there.sum(axis=1), 1)).mean()),
    }


def accuracy(right: NDArray[np.bool_], level: float = 0.95) -> Record:
    """class_accuracy with Wilson's interval."""
    sure = wilson(float(right.sum()), len(right), level)
    return {"class_accuracy": float(right.mean()), "class_accuracy_ci_low": sure.low, "class_accuracy_ci_high": sure.high}


def majority(ranking: Ranking, train_labels: Positions, n_classes: int) -> Positions:
    """kNN's class: that of most of the five nearest, of equally many the one whose first is nearer. int64[n]."""
    votes = train_labels[ranking.positions[:, :K]]
    counts = np.zeros((len(votes), n_classes))
    for place in range(votes.shape[1]):
        here = ranking.positions[:, place] != NOBODY
        counts[here, votes[here, place]] += 1.0 + 1e-3 * 0.5**place
    return np.asarray(counts.argmax(axis=1), dtype=np.int64)


def each_epoch(meta: torch.Tensor, meta_labels: Positions, n: int) -> Callable[[TrainingSet], Each]:
    """What is looked at after every epoch: the first `n` of meta and of the training examples."""

    def of(data: TrainingSet) -> Each:
        def look(network: ProvenanceNetwork) -> dict[str, float]:
            inputs, labels = data.inputs[:n], data.labels[:n]
            told = {
                "class_accuracy": float((class_logits(network, meta[:n]).argmax(axis=1) == meta_labels[:n]).mean()),
                "class_accuracy_train": float((class_logits(network, inputs).argmax(axis=1) == labels).mean()),
            }
            return told if network.index_head is None else told | index_accuracy(ranked(network, inputs, K))

        return look

    return of


def knn_rankings(made: Made, meta: torch.Tensor) -> tuple[Ranking, Ranking, NDArray[np.float32]]:
    """Of training inputs K + 1 places, themselves included; of meta K; features of training inputs. In the features that name examples,
    or of the plain classifier those that tell the class."""
    place = 0 if made.network.index_head is None else 1
    known, asked = features(made.network, made.data.inputs)[place], features(made.network, meta)[place]
    return nearest(known, known, K + 1), nearest(asked, known, K), known


def without_self(ranking: Ranking) -> Ranking:
    """Of training inputs in order, each of K + 1 named examples, the first K that are not the input itself; probabilities stay."""
    other = ranking.positions != np.arange(len(ranking.positions))[:, None]
    order = np.argsort(~other, axis=1, kind="stable")[:, :K]
    return Ranking(np.take_along_axis(ranking.positions, order, axis=1), np.take_along_axis(ranking.probability, order, axis=1))
