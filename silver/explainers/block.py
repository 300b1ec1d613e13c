"""What do all methods of one adapter and one batch of examples share, whether these are pictures or texts?"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray

from models.any_scoring import AnyScoring, Logits

PerUnit = Float32[NDArray[np.float32], "examples units"]


class Explained(NamedTuple):
    """Attributions, 0 where an example has no unit, and their standard errors over the draw of masks (`xai.estimate.Estimate`): 0 where
    nothing is drawn, NaN where the masks are too few to tell; None for a method that estimates nothing (attention)."""

    values: PerUnit
    error: PerUnit | None = None


class Block(Protocol):
    """One adapter and some examples. `logits`: of the untouched inputs, in the dataset's label order; their largest names the class that
    every method explains, unless the block is aimed at another. Rows that are not finite were tried once more in float32."""

    @property
    def scoring(self) -> AnyScoring: ...

    @property
    def logits(self) -> Logits: ...
