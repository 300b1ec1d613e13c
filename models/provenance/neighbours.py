"""The free alternative to an index head: the nearest training examples in a space that is there anyway."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from models.provenance.ranking import Closed, Ranking, top_linear

BLOCK = 8192  # vectors that are held in float64 at once: a million of 768 numbers would be 6 GB
Vectors = NDArray[np.float32]


def nearest(queries: Vectors, train: Vectors, k: int, closed: Closed | None = None, device: str = "cpu") -> Ranking:
    """The k training examples of largest cosine with each query, exactly, ties in training order; float32[n, d] against float32[N, d].

    Probability: softmax of the cosine over all N. `closed` bool[N] or [n, N]: left out, such as a training input itself. A vector of
    length 0 has cosine 0 with all."""
    return nearest_of(unit(train), queries, k, closed, device)


def nearest_of(directions: Vectors, queries: Vectors, k: int, closed: Closed | None = None, device: str = "cpu") -> Ranking:
    """The same for a training set that is at length 1 already (`unit`), which is worth keeping where it is asked often."""
    asked, known = (torch.from_numpy(one).to(device) for one in (unit(queries), directions))
    with torch.inference_mode():
        return top_linear(asked, known, None, k, closed)


def unit(vectors: Vectors) -> Vectors:
    """The vectors at length 1; those of length 0 stay 0."""
    scaled = np.empty(vectors.shape, dtype=np.float32)
    for start in range(0, len(vectors), BLOCK):
        part = vectors[start : start + BLOCK].astype(np.float64)
        length = np.linalg.norm(part, axis=1, keepdims=True)
        scaled[start : start + BLOCK] = part / np.where(length > 0, length, 1.0)
    return scaled
