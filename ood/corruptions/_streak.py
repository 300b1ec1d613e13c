"""How does a picture smear along one direction?"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def streak_weights(radius: int, sigma: float) -> list[float]:
    """Weights of the 2 radius + 1 taps ahead of a pixel: the right half of a normal curve, summing to 1."""
    raw = [math.exp(-(tap**2) / (2 * sigma**2)) for tap in range(2 * radius + 1)]
    return [weight / sum(raw) for weight in raw]


def streak_offsets(taps: int, angle: float) -> list[tuple[int, int]]:
    """(rows, columns) to each tap along `angle` degrees, at the nearest pixel."""
    down, right = math.sin(math.radians(angle)), math.cos(math.radians(angle))
    return [(math.ceil(tap * down - 0.5), math.ceil(tap * right - 0.5)) for tap in range(taps)]


def streak(values: NDArray[np.float32], radius: int, sigma: float, angle: float) -> NDArray[np.float32]:
    """`values` (h, w, …) blurred along `angle` degrees with a one-sided kernel; beyond the border the edge pixel repeats.

    The kernel is the one ImageMagick documents for its motion blur (2 radius + 1 taps ahead of the pixel, nearest pixel, normal weights),
    so the smear also moves the picture a little, as motion does.
    """
    height, width = values.shape[:2]
    reach = 2 * radius
    ahead = np.pad(values, [(reach, reach), (reach, reach)] + [(0, 0)] * (values.ndim - 2), mode="edge")
    weights = streak_weights(radius, sigma)
    total = np.zeros_like(values)
    term = np.empty_like(values)
    for weight, (down, right) in zip(weights, streak_offsets(len(weights), angle), strict=True):
        tap = ahead[reach + down : reach + down + height, reach + right : reach + right + width]
        total += np.multiply(tap, np.float32(weight), out=term)
    return total
