"""Does the model survive stretched and wrinkled contents?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ood.corruptions._pixels import setting, to_uint8
from ood.corruptions.record import IMAGENET_C_IMPACT, IMAGENET_C_PAPER, Corruption, Image

WARPS = ((2.0, 0.7, 0.1), (2.0, 0.08, 0.2), (0.05, 0.01, 0.02), (0.07, 0.01, 0.02), (0.12, 0.01, 0.02))
"""(strength of the wrinkles, their sigma, jitter of the three corners), in sides, one per severity."""

SIDE = 244 / 224
"""The source multiplies its constants by 244 at 224 px (by its own word a slip it kept); other sizes scale alike."""


def elastic_transform(image: Image, severity: int, rng: np.random.Generator) -> Image:
    """`image` uint8[h, w, 3] under a random affine map (severities 1 and 2: large) and smooth random wrinkles (3 to 5: fine).

    Severity 1 to 5; the kind of warp changes between 2 and 3, so the distance to the clean picture does not grow throughout. Raises
    ValueError for other severities or pictures. Source: ImageNet-C, with its constants as shares of the shorter side. The source resamples
    twice, for the affine map and for the wrinkles; we join both maps and resample once, bilinear, mirrored at the border.
    """
    strength, sigma, jitter = (share * SIDE * min(image.shape[:2]) for share in setting(WARPS, severity, image))
    down, right = _affine_source(image.shape[0], image.shape[1], jitter, _wrinkles(image, strength, sigma, rng), rng)
    channels = [
        ndimage.map_coordinates(image[..., c], (down, right), output=np.float32, order=1, mode="mirror") for c in range(image.shape[2])
    ]
    return to_uint8(np.stack(channels, axis=2))


def _wrinkles(image: Image, strength: float, sigma: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """(2, h, w): shift down and right, in pixels; uniform noise smoothed over `sigma` pixels, times `strength`."""
    noise = rng.uniform(-1, 1, (2, *image.shape[:2]))
    smooth: NDArray[np.float64] = ndimage.gaussian_filter(noise, sigma, mode="reflect", truncate=3, axes=(1, 2))
    return smooth * strength


def _affine_source(
    height: int, width: int, jitter: float, wrinkles: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where each pixel comes from (down, right): the inverse of the map that moves three corners of a central square by ± `jitter`."""
    arm = max(1, min(height, width) // 3)
    centre = np.array([height // 2, width // 2], dtype=np.float64)
    corners = centre + np.array([[arm, arm], [-arm, arm], [-arm, -arm]], dtype=np.float64)
    moved = corners + rng.uniform(-jitter, jitter, corners.shape)
    # the square's sides are the axes, so the columns of the linear part are the moved sides over their length
    a, c = (moved[0] - moved[1]) / (2 * arm)
    b, d = (moved[1] - moved[2]) / (2 * arm)
    determinant = a * d - b * c
    down = wrinkles[0] + (np.arange(height)[:, None] - moved[0, 0])
    right = wrinkles[1] + (np.arange(width) - moved[0, 1])
    return corners[0, 0] + (d * down - b * right) / determinant, corners[0, 1] + (a * right - c * down) / determinant


RECORD = Corruption(
    "elastic_transform",
    elastic_transform,
    "digital",
    "strength of the wrinkles (shares of 244/224 of the shorter side)",
    tuple(strength for strength, _, _ in WARPS),
    False,  # severities 1 and 2 move the whole picture, 3 to 5 only wrinkle it
    IMAGENET_C_IMPACT,
    IMAGENET_C_PAPER,
)
