"""What does an explanation that knows nothing look like?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xai.records import Method
from xai.units import BatchIncluded, BatchUnits32, included_or_all

METHOD = Method(
    name="random",
    modalities=("image", "text"),
    category="control",
    needs="nothing",
    unit="standard normal score",
    paper="METHODS 9 (choice)",
    direction="none",
    forwards="0",
    control=True,
)


def random(generators: Sequence[np.random.Generator], units: int, included: BatchIncluded | None = None) -> BatchUnits32:
    """Standard normal noise per unit, one generator per example, unbounded; the order it gives is uniform over all orders.

    Each generator draws one number per included unit, in position order, so that padding and neighbours change nothing; excluded
    units are 0. Generators are advanced: key them by record and not by adapter, and the noise is paired. Raises ValueError when
    `included` does not fit or leaves an example without units.
    """
    noise = np.zeros((len(generators), units), dtype=np.float32)
    for row, generator, kept in zip(noise, generators, included_or_all(noise, included), strict=True):
        row[kept] = generator.standard_normal(int(kept.sum()))
    return noise
