"""How far from an example is the training example that is named for it?"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from xai.records import Metric
from xai.units import PerExample

EXEMPLAR_DISTANCE = Metric("exemplar_distance", "provenance", "none", 0.0, 2.0, "1 - cosine, of the likeliest", "METHODS 9")


def exemplar_distance(
    example: Float[NDArray[np.floating], "*batch dim"], exemplar: Float[NDArray[np.floating], "*batch dim"]
) -> PerExample:
    """1 - cosine of two vectors: 0 one direction, 1 a right angle or a vector of length 0, 2 opposite. Null (NaN) for a non-finite one."""
    x, y = (np.asarray(one, dtype=np.float64) for one in (example, exemplar))
    lengths = np.linalg.norm(x, axis=-1) * np.linalg.norm(y, axis=-1)
    cosine = (x * y).sum(axis=-1) / np.where(lengths > 0, lengths, 1.0)
    return np.asarray(np.clip(1.0 - cosine, EXEMPLAR_DISTANCE.low, EXEMPLAR_DISTANCE.high))
