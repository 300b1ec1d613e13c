"""Does each corruption of levels and pixels compute what its docstring says? Against hand-derived numbers, peer libraries, naive twins."""

from __future__ import annotations

import colorsys
import math
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy import stats

from ood.corruptions import Image, corrupt
from ood.corruptions.pixelate import SHARES
from tests.unit.ood.plain_pictures import generator, grey


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


@pytest.mark.parametrize(("severity", "shift"), list(enumerate((0.1, 0.2, 0.3, 0.4, 0.5), start=1)))
def test_brightness_raises_v_of_hsv(photo: Image, severity: int, shift: float) -> None:
    image = photo[::6, ::6].copy()
    image[0, 0] = 0
    brighter = np.empty(image.shape)
    for place in np.ndindex(image.shape[:2]):
        hue, saturation, value = colorsys.rgb_to_hsv(*(image[place] / 255))
        brighter[place] = colorsys.hsv_to_rgb(hue, saturation, min(value + shift, 1))
    assert np.abs(corrupt(image, "brightness", severity, generator()) - brighter * 255).max() <= 0.5 + 1e-3
