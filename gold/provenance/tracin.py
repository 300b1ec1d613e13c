"""Which training examples pull a class head's weights the way a test example does? The stronger peer of exemplar methods, by gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.provenance.slots import NOBODY, Positions

HELD = 4_000_000  # similarities that are held at once
Numbers = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True)
class Supporters:
    """The k training examples of largest similarity per row, largest first, ties by position. `positions` int64[n, k], NOBODY where there
    are fewer; `similarity` float64[n, k], 0 there."""

    positions: Positions
    similarity: NDArray[np.float64]


@dataclass(frozen=True)
class Examples:
    """What a class head knows of some examples: its input `features` [n, d], its `logits` [n, C] and, int64[n], the class whose
    cross-entropy is meant: the label of a training example, the explained target of a test example."""

    features: Numbers
    logits: Numbers
    classes: Positions

    def __post_init__(self) -> None:
        if self.features.ndim != 2 or self.logits.ndim != 2 or not len(self.features) == len(self.logits) == len(self.classes):
            shapes = f"{self.features.shape}, {self.logits.shape} and {self.classes.shape}"
            raise ValueError(f"features must be [n, d], logits [n, C] and classes [n], found {shapes}")

    @property
    def errors(self) -> NDArray[np.float64]:
        """softmax minus one-hot, float64[n, C]: the gradient of the cross-entropy in the logits."""
        logits = self.logits.astype(np.float64)
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True) - np.eye(logits.shape[1])[self.classes])


def supporters(test: Examples, train: Examples, k: int, closed: NDArray[np.bool_] | None = None) -> Supporters:
    """The `k` training examples whose gradient in the head's weights and bias has the largest dot product with the test example's:
    ((p_i - y_i) . (p - e_t)) (f_i . f + 1), exactly, unbounded both ways. Large and positive: a step of training on it raises p(target).

    TracIn (Pruthi et al. 2020) with the last layer of the last checkpoint alone, without its sum over training and its learning rate.
    `closed` bool[N] or [n, N]: left out, such as a training input itself. No more than HELD similarities are held."""
    if test.features.shape[1] != train.features.shape[1] or test.logits.shape[1] != train.logits.shape[1]:
        raise ValueError(f"both sides must have one head, found {test.features.shape[1]} and {train.features.shape[1]} features")
    n, wide = len(test.features), min(k, len(train.features))
    positions, similarity = np.full((n, k), NOBODY, dtype=np.int64), np.zeros((n, k))
    known, pulled, asked, pull = train.features.astype(np.float64), train.errors, test.features.astype(np.float64), test.errors
    block = max(1, HELD // len(known))
    for start in range(0, n, block):
        rows = slice(start, start + block)
        scores = (pull[rows] @ pulled.T) * (asked[rows] @ known.T + 1.0)
        if closed is not None:
            scores[np.broadcast_to(closed if closed.ndim == 1 else closed[rows], scores.shape)] = -np.inf
        best = np.argsort(-scores, axis=1, kind="stable")[:, :wide]
        found = np.take_along_axis(scores, best, axis=1)
        positions[rows, :wide] = np.where(np.isneginf(found), NOBODY, best)
        similarity[rows, :wide] = np.where(np.isneginf(found), 0.0, found)
    return Supporters(positions, similarity)
