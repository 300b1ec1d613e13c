"""Does each corruption compute what its docstring says? Against hand-derived numbers, peer libraries and slow naive twins."""

from __future__ import annotations

import colorsys
import math
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageFilter
from scipy import ndimage, stats
from sklearn.datasets import load_sample_image

from ood.corruptions import Image, corrupt
from ood.corruptions._plasma import plasma
from ood.corruptions._streak import streak, streak_weights
from ood.corruptions._zoom import clipped_zoom
from ood.corruptions.defocus_blur import DISKS, disk_mean
from ood.corruptions.elastic_transform import _affine_source
from ood.corruptions.frost import ice
from ood.corruptions.glass_blur import scatter
from ood.corruptions.pixelate import SHARES


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@pytest.fixture(scope="module")
def photo() -> Image:
    """A real, non-square picture, 60 x 84."""
    return np.array(Pillow.fromarray(load_sample_image("china.jpg")).resize((84, 60), Pillow.Resampling.BICUBIC))


def grey(level: int, side: int = 128) -> Image:
    return np.full((side, side, 3), level, dtype=np.uint8)


@pytest.mark.parametrize(
    ("severity", "expected"),
    # mean of all six values = 600 / 6 = 100, so v -> 100 + f (v - 100):
    [
        (1, [30, 72, 114, 156, 198, 30]),  # f = 0.70: 30 + 0.70 v
        (2, [60, 84, 108, 132, 156, 60]),  # f = 0.40: 60 + 0.40 v
        (3, [85, 94, 103, 112, 121, 85]),  # f = 0.15: 85 + 0.15 v
    ],
)
def test_ki_contrast_shrinks_about_the_one_mean_of_the_whole_picture(severity: int, expected: list[int]) -> None:
    image = np.array([[[0, 60, 120], [180, 240, 0]]], dtype=np.uint8)
    assert corrupt(image, "ki_contrast", severity, generator()).ravel().tolist() == expected


@pytest.mark.parametrize(("name", "factor"), [("ki_contrast", 0.15), ("contrast", 0.05)])
def test_contrast_leaves_the_mean_and_shrinks_the_spread_by_its_factor(photo: Image, name: str, factor: float) -> None:
    axes = None if name == "ki_contrast" else (0, 1)
    changed = corrupt(photo, name, 3 if name == "ki_contrast" else 5, generator())
    # rounding moves each value by at most half a level and spreads it by up to 0.5 (1 / sqrt(12) when uniform)
    assert np.all(np.abs(changed.mean(axis=axes) - photo.mean(axis=axes)) <= 0.5)
    assert np.all(np.abs(changed.std(axis=axes) - factor * photo.std(axis=axes)) <= 0.5)


@pytest.mark.parametrize(
    ("name", "sigmas"), [("ki_gaussian_noise", (15, 40, 80)), ("gaussian_noise", tuple(255 * s for s in (0.08, 0.12, 0.18, 0.26, 0.38)))]
)
def test_noise_on_mid_grey_has_the_stated_sigma(name: str, sigmas: tuple[float, ...]) -> None:
    levels = np.arange(256)
    for severity, sigma in enumerate(sigmas, start=1):
        drawn = corrupt(grey(128), name, severity, generator(severity)).ravel()
        # exact distribution: a rounded normal whose tails are gathered at 0 and 255
        edges = np.concatenate([[-np.inf], np.arange(255) + 0.5, [np.inf]])
        share = np.diff(stats.norm.cdf(edges, 128, sigma))
        mean = levels @ share
        sd = math.sqrt((levels - mean) ** 2 @ share)
        kurtosis = (levels - mean) ** 4 @ share / sd**4
        # 49,152 draws; four standard errors of a mean and of a standard deviation: 1 in 16,000 by chance, and the seed is fixed
        assert abs(drawn.mean() - mean) < 4 * sd / math.sqrt(drawn.size)
        assert abs(drawn.std() - sd) < 4 * sd * math.sqrt((kurtosis - 1) / (4 * drawn.size))


@pytest.mark.parametrize(("severity", "photons"), list(enumerate((60, 25, 12, 5, 3), start=1)))
def test_shot_noise_keeps_the_mean_and_its_variance_is_that_of_counted_photons(severity: int, photons: int) -> None:
    drawn = corrupt(grey(48), "shot_noise", severity, generator(severity)).ravel()
    # counts ~ Poisson(photons * 48 / 255), shown as 255 / photons levels each, at most 255
    counts = np.arange(200)
    share = stats.poisson.pmf(counts, photons * 48 / 255)
    shown = np.minimum(np.rint(counts * 255 / photons), 255)
    mean = shown @ share
    sd = math.sqrt((shown - mean) ** 2 @ share)
    kurtosis = (shown - mean) ** 4 @ share / sd**4
    assert abs(drawn.mean() - mean) < 4 * sd / math.sqrt(drawn.size)
    assert abs(drawn.std() - sd) < 4 * sd * math.sqrt((kurtosis - 1) / (4 * drawn.size))
    assert np.all(corrupt(grey(0, 8), "shot_noise", severity, generator()) == 0)


@pytest.mark.parametrize(("severity", "share"), list(enumerate((0.03, 0.06, 0.09, 0.17, 0.27), start=1)))
def test_impulse_noise_strikes_the_stated_share_half_white_half_black(severity: int, share: float) -> None:
    struck = corrupt(grey(128), "impulse_noise", severity, generator(severity))
    assert set(np.unique(struck)) == {0, 128, 255}
    half = share / 2
    for level in (0, 255):  # binomial, four standard errors
        assert abs((struck == level).mean() - half) < 4 * math.sqrt(half * (1 - half) / struck.size)


@pytest.mark.parametrize(("severity", "radius"), [(1, 1), (2, 3), (3, 6)])
def test_ki_blur_is_pillows_gaussian_blur(photo: Image, severity: int, radius: int) -> None:
    expected = np.array(Pillow.fromarray(photo).filter(ImageFilter.GaussianBlur(radius)))
    assert np.array_equal(corrupt(photo, "ki_gaussian_blur", severity, generator()), expected)


@pytest.mark.parametrize(("severity", "quality"), list(enumerate((25, 18, 15, 10, 7), start=1)))
def test_jpeg_compression_is_pillows_own_at_the_stated_quality(photo: Image, severity: int, quality: int) -> None:
    file = BytesIO()
    Pillow.fromarray(photo).save(file, "JPEG", quality=quality)
    assert np.array_equal(corrupt(photo, "jpeg_compression", severity, generator()), np.array(Pillow.open(file)))


def box_resized(image: NDArray[np.float64], side: int, axis: int) -> NDArray[np.float64]:
    """Naive twin: each new pixel is the mean of the old pixels whose centres lie in its interval; of none: the pixel that it covers."""
    old = image.shape[axis]
    rows = []
    for new in range(side):
        start, end = new * old / side, (new + 1) * old / side
        inside = [place for place in range(old) if start < place + 0.5 <= end] or [int((start + end) / 2)]
        rows.append(np.take(image, inside, axis=axis).mean(axis=axis))
    return np.stack(rows, axis=axis)


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_pixelate_equals_the_naive_box_filter(photo: Image, severity: int) -> None:
    height, width = (int(side * SHARES[severity - 1]) for side in photo.shape[:2])
    small = box_resized(box_resized(photo.astype(float), width, 1), height, 0)
    expected = box_resized(box_resized(small, photo.shape[1], 1), photo.shape[0], 0)
    # Pillow rounds to whole levels after each of the passes; only the two of the shrinking average anything, at most half a level each
    assert np.abs(corrupt(photo, "pixelate", severity, generator()) - expected).max() <= 1.0 + 1e-6


@pytest.mark.parametrize("radius", [radius for radius, _ in DISKS])
def test_the_disk_mean_equals_a_plain_correlation(photo: Image, radius: int) -> None:
    reach = range(-radius, radius + 1)
    disk = np.array([[float(x * x + y * y <= radius * radius) for x in reach] for y in reach])
    expected = ndimage.correlate(photo.astype(float), (disk / disk.sum())[..., None], mode="mirror")
    assert np.abs(disk_mean(photo, radius) - expected).max() < 1e-4  # float32 has 24 bits: 255 * 2**-24 = 1.5e-5


def test_defocus_softens_the_rim_with_the_published_sigma(photo: Image) -> None:
    # severity 3: radius 6, sigma 0.5 over 3 taps: exp(-2) = 0.1353 beside 1, normalised 0.1065, 0.7870, 0.1065
    soft = ndimage.correlate1d(disk_mean(photo, 6).astype(float), [0.106507, 0.786986, 0.106507], axis=0, mode="mirror")
    soft = ndimage.correlate1d(soft, [0.106507, 0.786986, 0.106507], axis=1, mode="mirror")
    assert np.abs(corrupt(photo, "defocus_blur", 3, generator()) - soft).max() <= 0.5 + 1e-3


@pytest.mark.parametrize(("reach", "rounds"), [(1, 2), (3, 2)])
def test_scatter_equals_the_published_sequential_loop_on_array_views(reach: int, rounds: int) -> None:
    height, width = 12, 17
    shown = np.repeat(np.arange(height * width).reshape(height, width, 1), 3, axis=2)
    rng = generator(9)
    for _ in range(rounds):
        moves = iter(rng.integers(-reach, reach, size=(2, (height - 2 * reach) * (width - 2 * reach))).T)
        for h in range(height - reach, reach, -1):
            for w in range(width - reach, reach, -1):
                dy, dx = next(moves)
                shown[h, w], shown[h + dy, w + dx] = shown[h + dy, w + dx], shown[h, w]
    assert np.array_equal(scatter(height, width, reach, rounds, generator(9)), shown[..., 0].ravel())


def test_glass_blur_without_room_to_scatter_is_two_gaussian_blurs() -> None:
    image = generator(1).integers(0, 256, (8, 8, 3), dtype=np.uint8)  # reach 4 at severity 5: no inner pixel
    once = ndimage.gaussian_filter(image.astype(float), (1.5, 1.5, 0), mode="nearest")
    twice = ndimage.gaussian_filter(once, (1.5, 1.5, 0), mode="nearest")
    assert np.abs(corrupt(image, "glass_blur", 5, generator()) - twice).max() <= 0.5 + 1e-3


@pytest.mark.parametrize(("angle", "step"), [(0, (0, 1)), (90, (1, 0)), (-90, (-1, 0)), (45, (1, 1))])
def test_a_streak_carries_a_lone_pixel_against_its_direction_with_half_normal_weights(angle: float, step: tuple[int, int]) -> None:
    point = np.zeros((15, 15), np.float32)
    point[7, 7] = 1
    smeared = streak(point, 2, 1.5, angle)
    # 5 taps exp(-i^2 / 4.5) = 1, .8007, .4111, .1353, .0286; sum 2.3757; at 45 degrees tap i lies 0.707 i away per axis: pixels 0 1 1 2 3
    weights = [0.4209, 0.3370, 0.1730, 0.0570, 0.0120]
    places = [0, 1, 1, 2, 3] if angle == 45 else [0, 1, 2, 3, 4]
    expected = np.zeros((15, 15))
    for weight, place in zip(weights, places, strict=True):
        expected[7 - step[0] * place, 7 - step[1] * place] += weight
    assert np.abs(smeared - expected).max() < 1e-4


def test_streak_weights_sum_to_one_so_a_flat_picture_stays() -> None:
    assert sum(streak_weights(20, 15.0)) == pytest.approx(1)
    assert np.array_equal(corrupt(grey(77, 30), "motion_blur", 5, generator()), grey(77, 30))


@pytest.mark.parametrize("factor", [1.0, 1.01, 1.11, 1.24, 1.3, 2.5, 4.5])
def test_clipped_zoom_equals_scipys_zoom_of_the_middle_crop(photo: Image, factor: float) -> None:
    slices = []
    for side in photo.shape[:2]:
        crop = math.ceil(side / factor)
        slices.append(slice((side - crop) // 2, (side - crop) // 2 + crop))
    large = ndimage.zoom(photo[tuple(slices)].astype(float), (factor, factor, 1), order=1)
    tops = [(new - old) // 2 for new, old in zip(large.shape[:2], photo.shape[:2], strict=True)]
    expected = large[tops[0] : tops[0] + photo.shape[0], tops[1] : tops[1] + photo.shape[1]]
    assert np.abs(clipped_zoom(photo.astype(np.float32), factor) - expected).max() < 1e-3


@pytest.mark.parametrize(
    ("severity", "stop", "step"), [(1, 1.11, 0.01), (2, 1.16, 0.01), (3, 1.21, 0.02), (4, 1.26, 0.02), (5, 1.31, 0.03)]
)
def test_zoom_blur_averages_the_published_ranges_and_the_picture_itself(photo: Image, severity: int, stop: float, step: float) -> None:
    layers = [photo.astype(np.float32)] + [clipped_zoom(photo.astype(np.float32), float(factor)) for factor in np.arange(1, stop, step)]
    assert np.abs(corrupt(photo, "zoom_blur", severity, generator()) - np.mean(layers, axis=0)).max() <= 0.5 + 1e-3


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


@pytest.mark.parametrize(("severity", "shift"), list(enumerate((0.1, 0.2, 0.3, 0.4, 0.5), start=1)))
def test_brightness_raises_v_of_hsv(photo: Image, severity: int, shift: float) -> None:
    image = photo[::6, ::6].copy()
    image[0, 0] = 0
    brighter = np.empty(image.shape)
    for place in np.ndindex(image.shape[:2]):
        hue, saturation, value = colorsys.rgb_to_hsv(*(image[place] / 255))
        brighter[place] = colorsys.hsv_to_rgb(hue, saturation, min(value + shift, 1))
    assert np.abs(corrupt(image, "brightness", severity, generator()) - brighter * 255).max() <= 0.5 + 1e-3


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
