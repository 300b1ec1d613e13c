"""Pictures of one level, and a seed for each, for tests of what corruptions do to them."""

from __future__ import annotations

import numpy as np

from ood.corruptions import Image


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def grey(level: int, side: int = 128) -> Image:
    return np.full((side, side, 3), level, dtype=np.uint8)
