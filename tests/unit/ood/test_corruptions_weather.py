"""Do fog, snow, frost and the elastic grid compute what their docstrings say? Against hand-derived numbers and slow naive twins."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from ood.corruptions import Image, corrupt
from ood.corruptions._plasma import plasma
from ood.corruptions.elastic_transform import _affine_source
from ood.corruptions.frost import ice
from tests.unit.ood.plain_pictures import generator, grey


def naive_plasma(side: int, decay: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Point by point on a torus; draws are taken in the same order: centres, then row mid-points, then column mid-points."""
    field, step, swing = np.zeros((side, side)), side, 1.0
    while step >= 2:
        half, before = step // 2, field.copy()
        grid = [(y, x) for y in range(0, side, step) for x in range(0, side, step)]
        sides = ((half, 0), (-half, 0), (0, half), (0, -half))
        draws = [iter(rng.uniform(-swing, swing, len(grid))) for _ in range(3)]
        for y, x in grid:
            corners = [before[(y + dy) % side, (x + dx) % side] for dy in (0, step) for dx in (0, step)]
            field[y + half, x + half] = sum(corners) / 4 + next(draws[0])
        for kind, (down, right) in enumerate(((0, half), (half, 0)), start=1):
            for y, x in grid:
                around = [field[(y + down + dy) % side, (x + right + dx) % side] for dy, dx in sides]
                field[y + down, x + right] = sum(around) / 4 + next(draws[kind])
        step, swing = half, swing / decay**2
    scaled: NDArray[np.float64] = (field - field.min()) / (field.max() - field.min())
    return scaled


def test_plasma_equals_the_naive_diamond_square() -> None:
    expected = naive_plasma(16, 1.7, generator(4))
    assert np.abs(plasma(16, 16, 1.7, generator(4)) - expected).max() < 1e-6
    assert np.abs(plasma(9, 13, 1.7, generator(4)) - expected[:9, :13]).max() < 1e-6


def test_fog_adds_the_cloud_and_keeps_the_brightest_value(photo: Image) -> None:
    # severity 3: thickness 2.5, decay 1.7
    dim = photo // 2
    top = dim.max() / 255
    expected = (dim / 255 + 2.5 * plasma(60, 84, 1.7, generator(2))[..., None]) * top / (top + 2.5) * 255
    assert np.abs(corrupt(dim, "fog", 3, generator(2)) - expected).max() <= 0.5 + 1e-3
    assert corrupt(grey(0, 8), "fog", 3, generator()).max() == 0


def test_snow_only_brightens_and_whitens_by_the_published_share() -> None:
    # severity 5 on mid-grey: 0.55 * 128 + 0.45 * max(128, 1.5 * 128 + 127.5 = 319.5) = 70.4 + 143.775 = 214.2 where no flake falls
    snowed = corrupt(grey(128), "snow", 1, generator(1)), corrupt(grey(128), "snow", 5, generator(1))
    assert snowed[1].min() == 214
    # severity 1: 0.8 * 128 + 0.2 * 319.5 = 166.3, with flakes on less than the whole
    assert snowed[0].min() == 166
    assert 0.05 < (snowed[0] > 166).mean() < 0.95


def test_the_same_ice_lies_on_a_picture_at_every_severity_with_the_published_weight() -> None:
    texture = ice(64, 64, generator(8))[..., None] * np.array([205, 228, 255])
    for severity, weight in enumerate((0.4, 0.6, 0.7, 0.7, 0.75), start=1):
        assert np.abs(corrupt(grey(0, 64), "frost", severity, generator(8)) - weight * texture).max() <= 0.5 + 1e-3
    frozen = corrupt(grey(100, 64), "frost", 5, generator(8))  # 0.6 of the picture under 0.75 of the ice
    assert np.abs(frozen - np.minimum(60 + 0.75 * texture, 255)).max() <= 0.5 + 1e-3


def test_the_elastic_grid_is_the_inverse_of_the_map_that_moves_three_corners() -> None:
    height, width, jitter = 40, 70, 3.0
    down, right = _affine_source(height, width, jitter, np.zeros((2, height, width)), generator(5))
    corners = np.array([[33, 48], [7, 48], [7, 22]])  # middle (20, 35), arm 40 // 3 = 13
    moved = corners + generator(5).uniform(-jitter, jitter, corners.shape)
    inverse = np.linalg.solve(np.column_stack([moved, np.ones(3)]), corners)  # (down, right, 1) of the result -> the source
    grid = np.stack([*np.mgrid[:height, :width], np.ones((height, width))], axis=-1) @ inverse
    assert np.abs(np.stack([down, right], axis=-1) - grid).max() < 1e-9


@pytest.mark.parametrize(
    ("severity", "strength", "sigma", "jitter"),
    [(1, 2, 0.7, 0.1), (2, 2, 0.08, 0.2), (3, 0.05, 0.01, 0.02), (4, 0.07, 0.01, 0.02), (5, 0.12, 0.01, 0.02)],
)
def test_elastic_wrinkles_have_the_published_constants_as_shares_of_the_side(
    photo: Image, severity: int, strength: float, sigma: float, jitter: float
) -> None:
    side = 60 * 244 / 224  # the shorter side; 244 at 224 px as published
    rng = generator(6)
    noise = rng.uniform(-1, 1, (2, 60, 84))
    wrinkles = strength * side * np.stack([ndimage.gaussian_filter(part, sigma * side, mode="reflect", truncate=3) for part in noise])
    places = _affine_source(60, 84, jitter * side, wrinkles, rng)
    expected = np.stack([ndimage.map_coordinates(photo[..., c].astype(float), places, order=1, mode="mirror") for c in range(3)], axis=-1)
    assert np.abs(corrupt(photo, "elastic_transform", severity, generator(6)) - expected).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_an_elastic_picture_holds_no_new_extremes_and_keeps_its_colours(photo: Image, severity: int) -> None:
    flat = np.empty_like(photo)
    flat[:] = (10, 120, 250)
    assert np.array_equal(corrupt(flat, "elastic_transform", severity, generator()), flat)
    changed = corrupt(photo, "elastic_transform", severity, generator())
    assert changed.min() >= photo.min()
    assert changed.max() <= photo.max()
