"""Does every corruption obey the laws that the ood layer relies on?"""

from __future__ import annotations

import pkgutil
from functools import cache
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from sklearn.datasets import load_digits, load_sample_image

from ood import corruptions
from ood.corruptions import CORRUPTIONS, IMAGENET_C, KI, Corruption, Image, by_name, corrupt

CELLS = [pytest.param(record, severity, id=f"{record.name}-{severity}") for record in CORRUPTIONS for severity in record.severities]
STRONGEST = [pytest.param(record, record.severities[-1], id=record.name) for record in CORRUPTIONS]
RANDOM = {
    "ki_gaussian_noise",
    "gaussian_noise",
    "shot_noise",
    "impulse_noise",
    "glass_blur",
    "motion_blur",
    "snow",
    "frost",
    "fog",
    "elastic_transform",
}


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@cache
def pictures() -> tuple[Image, ...]:
    """16 upsampled digits and 16 crops of two photographs, 56 px, read-only so that an edit in place would raise."""
    digits = [np.repeat((digit[..., None] * 15.9).astype(np.uint8), 3, axis=2) for digit in load_digits().images[:16]]
    photographs = [load_sample_image(name) for name in ("china.jpg", "flower.jpg")]
    crops = [photo[top : top + 224, left : left + 224] for photo in photographs for top in (0, 190) for left in (0, 130, 260, 390)]
    resized = [np.array(Pillow.fromarray(picture).resize((56, 56), Pillow.Resampling.BICUBIC)) for picture in digits + crops]
    for picture in resized:
        picture.setflags(write=False)
    return tuple(resized)


def mean_distance(record: Corruption, severity: int) -> float:
    """Mean absolute distance to clean over the 32 pictures, in levels."""
    changed = [record.function(picture, severity, generator(seed)) for seed, picture in enumerate(pictures())]
    return float(np.mean([np.abs(new.astype(int) - old).mean() for new, old in zip(changed, pictures(), strict=True)]))


def test_every_module_of_the_room_stands_in_the_tuple_under_its_own_name() -> None:
    modules = {module.name for module in pkgutil.iter_modules(corruptions.__path__) if not module.name.startswith("_")} - {"record"}
    assert [record.name for record in CORRUPTIONS] == [record.function.__name__ for record in CORRUPTIONS]
    assert {record.name for record in CORRUPTIONS} == modules
    assert len(CORRUPTIONS) == len(modules)


def test_the_names_that_sql_users_know_are_pinned() -> None:
    assert KI == ("ki_gaussian_noise", "ki_gaussian_blur", "ki_contrast")
    noises, blurs = "gaussian_noise shot_noise impulse_noise", "defocus_blur glass_blur motion_blur zoom_blur"
    weathers, digital = "snow frost fog brightness", "contrast elastic_transform pixelate jpeg_compression"
    assert list(IMAGENET_C) == " ".join((noises, blurs, weathers, digital)).split()
    assert CORRUPTIONS[0].name == "none"


def test_each_family_has_its_severities_values_and_words() -> None:
    assert by_name("none").severities == (0,)
    assert by_name("none").value(0) is None
    assert {by_name(name).severities for name in KI} == {(1, 2, 3)}
    assert {by_name(name).severities for name in IMAGENET_C} == {(1, 2, 3, 4, 5)}
    assert [by_name("ki_gaussian_noise").value(severity) for severity in (1, 2, 3)] == [15, 40, 80]
    assert [by_name("ki_contrast").impact(severity) for severity in (1, 2, 3)] == ["shallow", "medium", "heavy"]
    assert by_name("fog").impact(2) == "2 of 5"


@pytest.mark.parametrize("shape", [(56, 56), (8, 8), (13, 8), (8, 30), (40, 61), (1, 1)], ids=str)
@pytest.mark.parametrize(("record", "severity"), STRONGEST)
def test_shape_and_dtype_are_kept(record: Corruption, severity: int, shape: tuple[int, int]) -> None:
    image = generator(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    changed = record.function(image, severity, generator(2))
    assert changed.shape == image.shape
    assert changed.dtype == np.uint8


@pytest.mark.parametrize(("record", "severity"), CELLS)
def test_the_input_is_not_edited_and_not_handed_back(record: Corruption, severity: int) -> None:
    image = pictures()[20].copy()
    changed = record.function(image, severity, generator(3))
    assert np.array_equal(image, pictures()[20])
    assert not np.shares_memory(image, changed)
    changed[0, 0, 0] ^= 1  # the result belongs to the caller


@pytest.mark.parametrize(("record", "severity"), CELLS)
def test_the_same_generator_state_gives_the_same_bytes(record: Corruption, severity: int) -> None:
    image = pictures()[20]
    first = record.function(image, severity, generator(4))
    assert first.tobytes() == record.function(np.asfortranarray(image), severity, generator(4)).tobytes()
    differs = first.tobytes() != record.function(image, severity, generator(5)).tobytes()
    assert differs == (record.name in RANDOM)


@pytest.mark.parametrize("record", [record for record in CORRUPTIONS if record.monotone], ids=lambda record: record.name)
def test_the_mean_distance_to_clean_grows_with_severity(record: Corruption) -> None:
    distances = [0.0] + [mean_distance(record, severity) for severity in record.severities if severity > 0]
    assert np.all(np.diff(distances) > 0), distances


@pytest.mark.parametrize("record", [record for record in CORRUPTIONS if not record.monotone], ids=lambda record: record.name)
def test_members_exempt_from_growth_still_change_the_picture_and_all_but_elastic_end_stronger(record: Corruption) -> None:
    mildest, strongest = mean_distance(record, 1), mean_distance(record, 5)
    assert min(mildest, strongest) > 5
    if record.name != "elastic_transform":
        assert strongest > 1.2 * mildest


def test_only_five_members_are_exempt_from_growth() -> None:
    assert {record.name for record in CORRUPTIONS if not record.monotone} == {"glass_blur", "snow", "frost", "fog", "elastic_transform"}


@pytest.mark.parametrize("record", CORRUPTIONS, ids=lambda record: record.name)
def test_a_severity_that_does_not_exist_is_refused(record: Corruption) -> None:
    beyond: tuple[Any, ...] = (-1, record.severities[0] - 1, record.severities[-1] + 1, 1.5, "1", None)
    for severity in beyond:
        with pytest.raises(ValueError, match="severity must be"):
            record.function(pictures()[0], severity, generator(0))
        with pytest.raises(ValueError, match="severity must be"):
            record.value(severity)


@pytest.mark.parametrize("record", CORRUPTIONS, ids=lambda record: record.name)
def test_anything_but_an_rgb_picture_of_bytes_is_refused(record: Corruption) -> None:
    image, severity = pictures()[0], record.severities[0]
    of_other_type: tuple[Any, ...] = (image.astype(np.float32), image / 255, image.tolist())
    of_other_shape: tuple[Any, ...] = (image[..., 0], image[..., :1], np.dstack([image, image[..., :1]]), image[:0])
    for wrong in of_other_type:
        with pytest.raises(ValueError, match="must be a uint8 array"):
            record.function(wrong, severity, generator(0))
    for wrong in of_other_shape:
        with pytest.raises(ValueError, match="must have shape"):
            record.function(wrong, severity, generator(0))


def test_an_unknown_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(ValueError, match="did you mean gaussian_noise"):
        by_name("gausian_noise")
    with pytest.raises(ValueError, match="use one of none, ki_gaussian_noise"):
        by_name("qqqq")


def test_corrupt_is_the_named_function() -> None:
    image = pictures()[18]
    expected = by_name("snow").function(image, 2, generator(6))
    assert np.array_equal(corrupt(image, "snow", 2, generator(6)), expected)


def test_the_clean_row_is_the_picture_itself() -> None:
    assert np.array_equal(corrupt(pictures()[3], "none", 0, generator(0)), pictures()[3])


def test_a_record_needs_one_word_of_impact_per_severity() -> None:
    fog = by_name("fog")
    with pytest.raises(ValueError, match=r"one entry per severity \(5\), found 1"):
        Corruption("fog", fog.function, fog.family, fog.parameter, fog.values, True, ("hard",), fog.paper)
