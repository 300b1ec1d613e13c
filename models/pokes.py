"""What is a poke of an input? Gaussian noise on the coordinates of some units: of all of them, or of one alone.

Who asks hands over standard normal numbers, so that they can be keyed by the record; how large a poke is, is decided here, next to the
embeddings and pixels that it is measured by.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray

PIXEL_SD = 1.0  # of a pixel over the training pictures, which is what preprocessing divides by: 1 in normalised space
MAGNITUDE = 0.05  # METHODS 7
UNPOKED = -1  # in place of a poke's number: the input itself

Pixels = Float32[NDArray[np.float32], "pictures channels side side"]


class Noise(Protocol):
    """Standard normal numbers of pokes, 0 where a poke does not touch: `rows` int[m] name the example, `pokes` int[m] its poke. [m, …],
    shaped as one prepared input: of a picture its pixels, of a text its word embeddings (tokens, width)."""

    def __call__(self, rows: NDArray[np.int64], pokes: NDArray[np.int64]) -> NDArray[np.float32]: ...


class PokedFlat(Protocol):
    """p(target) of triples: `rows` int[m] name the example, `pokes` int[m] which of its pokes (-1: itself), `keep` bool[m, units] what is
    visible of it. What stands in for a hidden unit is that of the input itself: a mask that hides what a poke touched shows the input."""

    def __call__(self, rows: NDArray[np.int64], pokes: NDArray[np.int64], keep: NDArray[np.bool_]) -> NDArray[np.float32]: ...


def poked_pixels(pixels: Pixels, noise: Pixels, magnitude: float = MAGNITUDE) -> Pixels:
    """x + sd z with sd = magnitude times the larger of |x| and the training sd, coordinate by coordinate, in normalised space.

    noise: z, of the same shape. Raises ValueError when shapes differ. Source: METHODS 7 and 9.
    """
    if noise.shape != pixels.shape:
        raise ValueError(f"noise must have the pictures' shape {pixels.shape}, found {noise.shape}")
    sd = np.float32(magnitude) * np.maximum(np.abs(pixels), np.float32(PIXEL_SD))
    return np.asarray(pixels + sd * noise, dtype=np.float32)


def picture_noise(side: int, patch: int, unit: int | None, generator: np.random.Generator) -> Float32[NDArray[np.float32], "3 side side"]:
    """Standard normal numbers for one picture: on every pixel (unit None), or on those of one patch, counted in reading order, alone.

    A patch's numbers are drawn for it alone, so they do not depend on the picture's size. Raises ValueError for a patch that is not there.
    """
    noise = np.zeros((3, side, side), dtype=np.float32)
    if unit is None:
        noise[:] = generator.standard_normal(noise.shape, dtype=np.float32)
        return noise
    per_row = side // patch
    if not 0 <= unit < per_row**2:
        raise ValueError(f"unit must be a patch of the {per_row**2} there are, found {unit}")
    top, left = (patch * place for place in divmod(unit, per_row))
    noise[:, top : top + patch, left : left + patch] = generator.standard_normal((3, patch, patch), dtype=np.float32)
    return noise
