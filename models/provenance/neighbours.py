"""The free alternative to an index head: the nearest training examples in a space that is there anyway."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from models.provenance.ranking import Closed, Ranking, top_linear

Vectors = NDArray[np.float32]


def nearest(queries: Vectors, train: Vectors, k: int, closed: Closed | None = None, device: str = "cpu") -> Ranking:
    """The k training examples of largest cosine with each query, exactly, ties in training order; float32[n, d] against float32[N, d].

    Probability: softmax of the cosine over all N. `closed` bool[N] or [n, N]: left out, such as a training input itself. A vector of
    length 0 has cosine 0 with all."""
    asked, known = (torch.from_numpy(unit(one)).to(device) for one in (queries, train))
    with torch.inference_mode():
        return top_linear(asked, known, None, k, closed)


def unit(vectors: Vectors) -> Vectors:
    """The vectors at length 1; those of length 0 stay 0."""
    length = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1.0), dtype=np.float32)
