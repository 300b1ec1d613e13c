"""Where does the last convolution speak for the target?"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from xai.records import Method
from xai.units import BatchIncluded, BatchUnits32, included_or_all

Map = Float[NDArray[np.floating], "batch channels units"]

METHOD = Method(
    name="grad_cam",
    modalities=(),  # of convolutional nets: no backbone of the lake is one
    category="gradient",
    needs="gradient",
    unit="logit of the target per unit of activation",
    paper="Selvaraju et al. 2017 (Grad-CAM)",
    direction="size",
    forwards="1, with its gradient",
)


def grad_cam(last_map: Map, gradient: Map, included: BatchIncluded | None = None) -> BatchUnits32:
    """ReLU of the sum over channels of activation times the channel's mean gradient: per place, from 0 up, higher speaks for the target.

    `last_map` are the last convolution's activations, `gradient` the target score's by them; places are the units, in reading order: a map
    of another size than the patches must be resized first. What speaks against the target is cut to 0, so a map may be all-zero, which the
    metrics read as uniform; excluded units are 0. Non-finite input gives non-finite values, never 0. Raises ValueError when shapes differ.
    """
    if last_map.ndim != 3 or last_map.shape != gradient.shape:
        raise ValueError(
            f"grad_cam needs activations and gradients of one shape [batch, channels, units], got {last_map.shape} and {gradient.shape}"
        )
    weights = gradient.astype(np.float64).mean(axis=2, keepdims=True)
    summed = (weights * last_map).sum(axis=1)
    cut = np.where(summed < 0.0, 0.0, summed)
    shown: BatchUnits32 = np.where(included_or_all(cut, included), cut, 0.0).astype(np.float32)
    return shown
