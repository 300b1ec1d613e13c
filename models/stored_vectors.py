"""How does the lake store a vector of a backbone, and how is it read back?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

HALF = np.dtype("<f2")  # as bronze.embeddings stores a vector
Vectors = Float64[NDArray[np.float64], "examples dim"]


def vectors_of(pooled: Sequence[bytes]) -> Vectors:
    """Stored embeddings as numbers, one row each; [0, 0] without any."""
    flat = np.frombuffer(b"".join(pooled), dtype=HALF).astype(np.float64)
    return flat.reshape(len(pooled), -1) if len(pooled) else np.zeros((0, 0))
