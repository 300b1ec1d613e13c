"""What is asked of a model in a probe world, whatever it is made of?"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float, Int64
from numpy.typing import NDArray

Inputs = Float[NDArray[np.floating], "examples units width"]
Included = Bool[NDArray[np.bool_], "examples units"]
Outputs = Float[NDArray[np.floating], "examples outputs"]
Targets = Int64[NDArray[np.int64], " examples"]
PerUnit = Float[NDArray[np.floating], "examples units"]


class Probe(Protocol):
    """A model of inputs whose units are groups of features: [examples, units, width], padding units left out by `included`."""

    def outputs(self, inputs: Inputs, included: Included) -> Outputs:
        """Probabilities [examples, classes], or the answer of a regression [examples, 1]."""
