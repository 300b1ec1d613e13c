"""What would an explanation say that knows which units decide?"""

from __future__ import annotations

import numpy as np

from xai.records import Method
from xai.units import BatchIncluded, BatchUnits32, included_or_all

METHOD = Method(
    name="oracle",
    modalities=("image", "text"),
    category="control",
    needs="truth",
    unit="share of the truth",
    paper="METHODS 0",
    direction="size",
    forwards="0",
    control=True,
)


def oracle(truth: BatchIncluded, included: BatchIncluded | None = None) -> BatchUnits32:
    """1 / k on the k units known to decide, 0 elsewhere: sums to 1; all-zero, which metrics read as uniform, where none is known to.

    The best that an explanation of the *data* can be; a model that decides by something else may rightly be explained otherwise.
    Raises ValueError when `truth` is not boolean, or names an excluded unit.
    """
    kept = included_or_all(np.zeros(truth.shape), included)
    if truth.dtype != np.bool_ or (truth & ~kept).any():
        raise ValueError(f"truth must be boolean and name included units alone, got {truth.dtype}; leave out what is no unit")
    shares: BatchUnits32 = (truth / np.maximum(truth.sum(axis=-1, keepdims=True), 1)).astype(np.float32)
    return shares
