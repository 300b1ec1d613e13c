"""Which training examples does a head name for some vectors? In blocks of one shape, so that neighbours change no bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from models.provenance.answers import class_logits, ranked
from models.provenance.neighbours import nearest_of
from models.provenance.network import ProvenanceNetwork
from models.provenance.ranking import Closed, Ranking
from models.provenance.slots import NOBODY
from silver.exemplars.training_set import TrainingExamples

BLOCK = 128  # rows of every forward: float32 differs between batches of other shapes
Vectors = NDArray[np.float32]
T = TypeVar("T", np.float32, np.bool_)


@dataclass(frozen=True)
class Named:
    """`positions` int64[n, k] in the training examples, NOBODY where fewer can be named; `probability` float64[n, k] in [0, 1], 0 there;
    `predicted` int64[n]: the class that the head tells (NOBODY for knn where nothing can be named)."""

    positions: NDArray[np.int64]
    probability: NDArray[np.float64]
    predicted: NDArray[np.int64]


def named(network: ProvenanceNetwork | None, known: TrainingExamples, asked: Vectors, k: int, closed: Closed | None) -> Named:
    """The k likeliest training examples of each vector float32[n, dim], `closed` bool[N] or [n, N] left out. A class-conditional head is
    told the class that it predicts. Without a network the nearest by cosine; the class is then that of the nearest."""
    positions, probability = np.full((len(asked), k), NOBODY, dtype=np.int64), np.zeros((len(asked), k))
    predicted = np.full(len(asked), NOBODY, dtype=np.int64)
    if network is not None:
        for rows, block in _blocks(asked, np.arange(len(asked))):
            predicted[rows] = class_logits(network, torch.from_numpy(block)).argmax(axis=1)[: len(rows)]
    for rows, block, own in _told_apart(network, asked, predicted):
        shut = closed if closed is None or closed.ndim == 1 else _padded(closed[rows])
        found = _ranking(network, known, block, k, shut, own)
        positions[rows], probability[rows] = found.positions[: len(rows)], np.minimum(found.probability[: len(rows)], 1.0)
    if network is None:
        predicted = np.where(positions[:, 0] == NOBODY, NOBODY, known.labels[positions[:, 0]])
    return Named(positions, probability, predicted)


def _ranking(
    network: ProvenanceNetwork | None, known: TrainingExamples, block: Vectors, k: int, closed: Closed | None, own: int | None
) -> Ranking:
    if network is None:
        return nearest_of(known.directions, block, k, closed)
    classes = np.full(len(block), 0 if own is None else own, dtype=np.int64)
    return ranked(network, torch.from_numpy(block), k, classes, closed)


def _told_apart(
    network: ProvenanceNetwork | None, asked: Vectors, predicted: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], Vectors, int | None]]:
    """Blocks of rows that choose among the same examples: all, or those of one predicted class."""
    if network is None or network.variant != "class_conditional":
        yield from ((rows, block, None) for rows, block in _blocks(asked, np.arange(len(asked))))
        return
    for label in np.unique(predicted):
        yield from ((rows, block, int(label)) for rows, block in _blocks(asked, np.flatnonzero(predicted == label)))


def _blocks(asked: Vectors, rows: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], Vectors]]:
    for start in range(0, len(rows), BLOCK):
        part = rows[start : start + BLOCK]
        yield part, _padded(asked[part])


def _padded(rows: NDArray[T]) -> NDArray[T]:
    """The rows with the first repeated behind them, up to a block."""
    return np.ascontiguousarray(np.concatenate([rows, np.repeat(rows[:1], BLOCK - len(rows), axis=0)]))
