"""A world of pictures in which the patches that decide are known: one bright shape on noise, and a corner that never says anything."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int64
from numpy.typing import NDArray

LABELS = ("disk", "square", "cross")
SIDE, PATCH = 16, 4
CORNER = 0  # the first patch: no shape ever reaches it
_NEAREST, _FARTHEST = 8, 11  # where centres lie, so that a shape of reach 4 stays inside and off the corner


class Shapes(NamedTuple):
    """`pixels` [n, side, side], background about 0 and shapes from 0.4 to 1, noise of sd 0.2; `labels` in the order of LABELS; `touched`
    [n, patches]: patches that hold a pixel of the shape, in reading order."""

    pixels: Float32[NDArray[np.float32], "n side side"]
    labels: Int64[NDArray[np.int64], " n"]
    touched: Bool[NDArray[np.bool_], "n patches"]


def shapes(n: int, rng: np.random.Generator, label: int | None = None) -> Shapes:
    """`n` pictures, labels in turn or all `label`; place, size, brightness and noise are drawn. Raises ValueError for n < 1."""
    if n < 1:
        raise ValueError(f"n must be at least 1 picture, found {n}")
    labels = np.arange(n, dtype=np.int64) % len(LABELS) if label is None else np.full(n, label, dtype=np.int64)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    down, right = (rng.integers(_NEAREST, _FARTHEST + 1, n)[:, None, None] for _ in range(2))
    reach = rng.integers(3, 5, n)[:, None, None]
    y, x = np.abs(rows - down), np.abs(columns - right)
    kinds = np.stack([y**2 + x**2 <= reach**2, np.maximum(y, x) <= reach - 1, (np.minimum(y, x) < 1) & (np.maximum(y, x) <= reach)])
    shown = kinds[labels, np.arange(n)]
    pixels = np.where(shown, rng.uniform(0.4, 1.0, n)[:, None, None], 0.0) + 0.2 * rng.standard_normal((n, SIDE, SIDE))
    return Shapes(pixels.astype(np.float32), labels, np.asarray(patches(shown).any(axis=2), dtype=np.bool_))


def patches(pictures: NDArray[Any], side: int = PATCH) -> NDArray[Any]:
    """Pictures [n, rows, columns] as patches of `side` x `side` pixels in reading order, [n, patches, pixels]."""
    n, rows, columns = pictures.shape
    apart = pictures.reshape(n, rows // side, side, columns // side, side).transpose(0, 1, 3, 2, 4)
    return apart.reshape(n, -1, side * side)
