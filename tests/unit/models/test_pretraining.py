"""A small backbone in the real layout: the same bytes from the same settings, found again, and read by the real loader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from models.augmentation import Augmentation
from models.backbone import classifier_state, new_classifier, resolve_backbone
from models.errors import ArtifactError
from models.hashing import file_sha256
from models.images import preprocessing_of
from models.pretraining import PretrainSettings, preprocessing_for, pretrain

STILL = Augmentation(rotation_degrees=5, flip_share=0, brightness=0, contrast=0, crop_from=56, crop_to=56)
SETTINGS = PretrainSettings(width=16, depth=2, heads=2, epochs=2, batch_size=8, augmentation=STILL)


def pictures(n: int = 16) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, 56, 56, 3)).astype(np.uint8), np.arange(n, dtype=np.int64) % 2


def test_the_same_settings_give_the_same_bytes_and_no_global_generator_moves(tmp_path: Path) -> None:
    state = torch.get_rng_state()
    paths = [pretrain(SETTINGS, *pictures(), tmp_path / name, threads=1) for name in ("a", "b")]
    assert torch.equal(torch.get_rng_state(), state)
    assert paths[0].name == paths[1].name
    assert file_sha256(paths[0] / "model.safetensors") == file_sha256(paths[1] / "model.safetensors")


def test_a_backbone_that_is_there_is_used_again_and_other_settings_or_pictures_make_another(tmp_path: Path) -> None:
    path = pretrain(SETTINGS, *pictures(), tmp_path, threads=1)
    stamp = (path / "model.safetensors").stat().st_mtime_ns
    assert pretrain(SETTINGS, *pictures(), tmp_path, threads=1) == path
    assert (path / "model.safetensors").stat().st_mtime_ns == stamp
    other = pretrain(SETTINGS.model_copy(update={"seed": 1}), *pictures(), tmp_path, threads=1)
    images, label_ids = pictures()
    more = pretrain(SETTINGS, 255 - images, label_ids, tmp_path, threads=1)
    assert len({path, other, more}) == 3
    assert file_sha256(other / "model.safetensors") != file_sha256(path / "model.safetensors")
    assert sorted(item.name for item in tmp_path.iterdir()) == sorted(item.name for item in (path, other, more))


def test_what_is_written_is_a_dinov2_without_a_head_for_the_real_loaders(tmp_path: Path) -> None:
    from transformers import AutoModel

    path = pretrain(SETTINGS, *pictures(), tmp_path, threads=1)
    assert sorted(item.name for item in path.iterdir()) == ["config.json", "model.safetensors", "preprocessor_config.json"]
    backbone = resolve_backbone(str(path))
    assert (backbone.family, backbone.hidden_size, backbone.n_layers, backbone.n_units) == ("dinov2", 16, 2, 16)
    assert preprocessing_of(path) == preprocessing_for(SETTINGS)
    assert "classifier.weight" not in classifier_state(backbone)
    theirs = AutoModel.from_pretrained(path).eval()
    pixels = torch.randn(2, 3, 56, 56, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours = new_classifier(backbone, ("a", "b")).dinov2(pixels).last_hidden_state  # type: ignore[operator, union-attr]  # a submodule
        torch.testing.assert_close(ours, theirs(pixels).last_hidden_state, rtol=1e-6, atol=1e-6)


def test_pretraining_learns_more_than_its_start(tmp_path: Path) -> None:
    images, label_ids = pictures(64)
    images[label_ids == 1, :28] //= 3  # the upper half is dark
    path = pretrain(SETTINGS.model_copy(update={"epochs": 8}), images, label_ids, tmp_path, threads=1)
    model = new_classifier(resolve_backbone(str(path)), ("a", "b"))
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        features = model.dinov2(pixels).last_hidden_state[:, 0].numpy()  # type: ignore[operator, union-attr]  # a submodule
    centres = np.stack([features[label_ids == label].mean(0) for label in (0, 1)])
    nearest = ((features[:, None] - centres) ** 2).sum(-1).argmin(1)
    assert (nearest == label_ids).mean() > 0.95


def test_settings_that_do_not_divide_and_data_that_do_not_match_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="multiple"):
        PretrainSettings(width=30, heads=4)
    images, label_ids = pictures()
    with pytest.raises(ValueError, match="label"):
        pretrain(SETTINGS, images, label_ids[:3], tmp_path)


def test_a_diverging_loss_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as refused:
        pretrain(SETTINGS.model_copy(update={"learning_rate": 1e30}), *pictures(), tmp_path / "zoo", threads=1)
    assert refused.value.code == "nonfinite"
    assert not (tmp_path / "zoo").exists()
