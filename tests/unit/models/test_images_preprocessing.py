"""Are the picture settings those of the folder, and do odd pictures come out at model resolution?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from models.errors import ArtifactError
from models.images import IMAGENET_MEAN, Preprocessing, normalise, preprocessing_of, to_model_resolution

# As published with facebook/dinov2-base and google/vit-base-patch16-224.
DINOV2 = {
    "crop_size": {"height": 224, "width": 224},
    "do_center_crop": True,
    "do_convert_rgb": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_processor_type": "BitImageProcessor",
    "image_std": [0.229, 0.224, 0.225],
    "resample": 3,
    "rescale_factor": 0.00392156862745098,
    "size": {"shortest_edge": 256},
}
VIT = {
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "resample": 2,
    "size": {"height": 224, "width": 224},
}


def folder_with(folder: Path, processor: dict[str, Any] | None, **config: Any) -> Path:
    (folder / "config.json").write_text(json.dumps({"model_type": "dinov2", "image_size": 518, **config}))
    if processor is not None:
        (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder


def test_dinov2_resizes_the_shorter_side_to_256_and_cuts_out_224(tmp_path: Path) -> None:
    found = preprocessing_of(folder_with(tmp_path, DINOV2))
    assert found == Preprocessing(size=224, resize_to=256)
    assert (found.resample, found.crop, found.mean) == ("bicubic", "center", IMAGENET_MEAN)


@pytest.mark.parametrize("size", [224, {"height": 224, "width": 224}], ids=["old file", "new file"])
def test_a_plain_vit_squeezes_the_picture(size: Any, tmp_path: Path) -> None:
    found = preprocessing_of(folder_with(tmp_path, VIT | {"size": size}))
    half = (0.5, 0.5, 0.5)
    assert found == Preprocessing(size=224, resize_to=224, resample="bilinear", crop="none", mean=half, std=half)


def test_without_a_file_the_defaults_follow_the_configured_picture_size(tmp_path: Path) -> None:
    # 56 * 256 / 224 = 64
    assert preprocessing_of(folder_with(tmp_path, None, image_size=56)) == Preprocessing(size=56, resize_to=64)
    found = preprocessing_of(folder_with(tmp_path, None, model_type="vit", image_size=56))
    assert (found.size, found.resize_to, found.crop, found.mean) == (56, 56, "none", (0.5, 0.5, 0.5))


@pytest.mark.parametrize(
    "change",
    [
        {"do_resize": False},
        {"resample": 0},
        {"crop_size": {"height": 224, "width": 112}},
        {"crop_size": {"height": 300, "width": 300}},
        {"do_center_crop": False},
        {"image_std": [0.2, 0.0, 0.2]},
        {"image_mean": [0.5]},
        {"size": None},
    ],
    ids=str,
)
def test_settings_that_are_not_done_here_are_refused(change: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as caught:
        preprocessing_of(folder_with(tmp_path, DINOV2 | change))
    assert caught.value.code == "bad_config"


def test_settings_are_frozen_and_closed() -> None:
    settings = Preprocessing(size=56, resize_to=64)
    with pytest.raises(ValidationError):
        settings.size = 57
    with pytest.raises(ValidationError):
        Preprocessing.model_validate({"size": 56, "resize_to": 64, "crops": "center"})


@pytest.mark.parametrize("shape", [(1, 1), (10, 20_000), (20_000, 10), (56, 56), (3, 500), (64, 65)])
@pytest.mark.parametrize("crop", ["center", "none"])
def test_a_picture_of_any_size_comes_out_at_model_resolution_in_its_colour(shape: tuple[int, int], crop: Any) -> None:
    settings = Preprocessing(size=56, resize_to=64 if crop == "center" else 56, crop=crop)
    image = np.full((*shape, 3), (10, 20, 30), dtype=np.uint8)
    found = to_model_resolution(image, settings)
    assert (found.shape, found.dtype) == ((56, 56, 3), np.uint8)
    assert (found == (10, 20, 30)).all()  # weights of a resampling filter sum to 1


def test_the_crop_is_the_middle() -> None:
    image = np.zeros((64, 192, 3), dtype=np.uint8)
    image[:, 64:128] = 255  # the middle third of a picture whose shorter side already is 64
    assert to_model_resolution(image, Preprocessing(size=64, resize_to=64)).min() == 255


@pytest.mark.parametrize("image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)])
def test_an_array_that_is_no_rgb_picture_is_refused(image: Any) -> None:
    with pytest.raises(ValueError, match="uint8"):
        to_model_resolution(image, Preprocessing(size=56, resize_to=64))


def test_normalising_rescales_subtracts_divides_and_puts_channels_first() -> None:
    images = np.zeros((2, 4, 4, 3), dtype=np.uint8)
    images[1, 2, 3] = (255, 51, 0)
    settings = Preprocessing(size=4, resize_to=4, mean=(0.5, 0.1, 0.2), std=(0.25, 0.1, 0.4))
    before = images.copy()
    found = normalise(images, settings)
    assert (found.shape, found.dtype) == ((2, 3, 4, 4), np.float32)
    # (1 - 0.5) / 0.25 = 2;  (51/255 - 0.1) / 0.1 = 1;  (0 - 0.2) / 0.4 = -0.5
    assert found[1, :, 2, 3].tolist() == pytest.approx([2.0, 1.0, -0.5], abs=1e-6)
    assert np.array_equal(images, before)
