"""What does a cloud look like? A plasma fractal by the diamond-square rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def plasma(height: int, width: int, decay: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """float32[height, width] in [0, 1]: a self-similar field on a torus, cropped at the top left.

    Every halving of the grid divides the random part by `decay` squared (ImageNet-C's generator multiplies its swing in twice, so we do):
    a smaller `decay` gives a rougher cloud. The grid is the next power of two, 256 for a 224 px picture as in the source.
    """
    side = 1 << max(1, (max(height, width) - 1).bit_length())
    field = np.zeros((side, side))
    step, swing = side, 1.0
    while step >= 2:
        _refine(field, step, swing, rng)
        step //= 2
        swing /= decay**2
    field -= field.min()
    field /= field.max()
    return field[:height, :width].astype(np.float32)


def _refine(field: NDArray[np.float64], step: int, swing: float, rng: np.random.Generator) -> None:
    """Fills, in place, the points half a `step` from the known ones: the mean of their four neighbours plus a draw within ± swing."""
    half = step // 2
    known = field[::step, ::step]

    def jittered(four: NDArray[np.float64]) -> NDArray[np.float64]:
        return four / 4 + rng.uniform(-swing, swing, four.shape)

    rows, columns = known + np.roll(known, -1, axis=1), known + np.roll(known, -1, axis=0)
    centres = jittered(rows + np.roll(rows, -1, axis=0))
    field[half::step, half::step] = centres
    field[::step, half::step] = jittered(rows + centres + np.roll(centres, 1, axis=0))
    field[half::step, ::step] = jittered(columns + centres + np.roll(centres, 1, axis=1))
