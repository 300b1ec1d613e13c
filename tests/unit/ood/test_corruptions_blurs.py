"""Does each blur compute what its docstring says? Against hand-derived numbers, peer libraries and slow naive twins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageFilter
from scipy import ndimage

from ood.corruptions import Image, corrupt
from ood.corruptions._streak import streak, streak_weights
from ood.corruptions._zoom import clipped_zoom
from ood.corruptions.defocus_blur import DISKS, disk_mean
from ood.corruptions.glass_blur import scatter
from tests.unit.ood.plain_pictures import generator, grey


@pytest.mark.parametrize(("severity", "radius"), [(1, 1), (2, 3), (3, 6)])
def test_ki_blur_is_pillows_gaussian_blur(photo: Image, severity: int, radius: int) -> None:
    expected = np.array(Pillow.fromarray(photo).filter(ImageFilter.GaussianBlur(radius)))
    assert np.array_equal(corrupt(photo, "ki_gaussian_blur", severity, generator()), expected)


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
