"""What remains in the frame when the camera moves closer?"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def clipped_zoom(values: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """`values` (h, w, c) magnified `factor` >= 1 times about the middle, bilinear, at the old size.

    Same grid as enlarging the middle crop of ceil(side / factor) pixels with `scipy.ndimage.zoom(order=1)` and trimming the surplus,
    but only the kept pixels are computed, one axis after the other.
    """
    return _stretch(_stretch(values, factor, axis=0), factor, axis=1)


def _stretch(values: NDArray[np.float32], factor: float, axis: int) -> NDArray[np.float32]:
    below, share = _source(values.shape[axis], factor)
    share = share.reshape(-1, *[1] * (values.ndim - 1 - axis))
    near = values.take(below, axis=axis)
    far = values.take(np.minimum(below + 1, values.shape[axis] - 1), axis=axis)
    far -= near
    far *= share
    near += far
    return near


def _source(side: int, factor: float) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """For each kept pixel of one axis: the source pixel before it, and how far (0 to 1) it lies towards the next."""
    crop = math.ceil(side / factor)
    enlarged = round(crop * factor)
    spacing = (crop - 1) / max(enlarged - 1, 1)
    place = (side - crop) // 2 + ((enlarged - side) // 2 + np.arange(side)) * spacing
    below = np.floor(place).astype(np.intp)
    return below, (place - below).astype(np.float32)
