"""Learning from a teacher: the same weights after a kill, pictures without labels that count, and settings that hash as before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from models.backbone import resolve_backbone
from models.distil import _answers
from models.distil_settings import Distillation, Teacher, Variation
from models.errors import ArtifactError
from models.hashing import canonical_json, file_sha256, hash_of
from models.images import Preprocessing
from models.pretrain_checkpoint import Checkpoint
from models.pretrain_stage import Stage, run_stage
from models.pretraining import PretrainSettings, pretrain

SETTINGS = PretrainSettings(
    width=32, depth=1, heads=2, image_size=16, resize_to=16, patch_size=4, epochs=3, batch_size=8,
    distillation=Distillation(teacher=Teacher(width=4, epochs=3, batch_size=8), checkpoint_seconds=0),
)  # fmt: skip


class Killed(Exception):
    """Stands for the end of the process between two epochs."""


def pictures(n: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Labels 0, 1 and, for every third picture, none."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, 16, 16, 3)).astype(np.uint8), np.arange(n, dtype=np.int64) % 3 - 1


def killed_after(epochs: int) -> Callable[[], None]:
    seen: list[int] = []

    def count() -> None:
        seen.append(1)
        if len(seen) == epochs:
            raise Killed

    return count


def weights(path: Path) -> str:
    return file_sha256(path / "model.safetensors")


def test_a_run_killed_in_each_stage_ends_with_the_weights_of_one_that_never_was_and_leaves_no_checkpoint(tmp_path: Path) -> None:
    epochs: list[int] = []
    whole = pretrain(SETTINGS, *pictures(), tmp_path / "whole", 1, lambda: epochs.append(1))
    assert len(epochs) == SETTINGS.total_epochs == 6  # 3 of the teacher, 3 of the student
    for after in (2, 5):  # the second of the teacher, the second of the student
        with pytest.raises(Killed):
            pretrain(SETTINGS, *pictures(), tmp_path / "killed", 1, killed_after(after))
        assert [path.name.startswith(".pending-") for path in (tmp_path / "killed").iterdir()] == [True]
    resumed: list[int] = []
    again = pretrain(SETTINGS, *pictures(), tmp_path / "killed", 1, lambda: resumed.append(1))
    assert len(resumed) == 6
    assert weights(again) == weights(whole)
    assert list((tmp_path / "killed").iterdir()) == [again]


def test_batches_that_come_again_ask_the_teacher_once() -> None:
    asked: list[int] = []

    class Counting(torch.nn.Module):
        def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            asked.append(len(pixels))
            return pixels.mean((1, 2, 3)), pixels

    first, second = torch.zeros(2, 3, 4, 4), torch.ones(2, 3, 4, 4)
    answer = _answers(Counting(), remember=True)
    answers = [answer(batch)[0].tolist() for batch in (first, second, first.clone(), second)]
    assert answers == [[0, 0], [1, 1], [0, 0], [1, 1]] and len(asked) == 2
    _answers(Counting(), remember=False)(first)
    assert len(asked) == 3


def test_epochs_repeat_after_the_number_of_views(tmp_path: Path) -> None:
    seen: list[bytes] = []

    def loss(pixels: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        seen.append(pixels.numpy().tobytes())
        return model.weight.sum()

    model = torch.nn.Linear(1, 1)
    variation, preprocessing = Variation(), Preprocessing(size=8, resize_to=8)
    stage = Stage("s", model, 5, 4, 1e-3, 1e-3, 0.0, 0.15, 1.0, torch.float32, variation, preprocessing, 0, views=2)
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3)).astype(np.uint8))
    run_stage(stage, images, torch.arange(4), loss, Checkpoint(tmp_path / "s.safetensors", 0), lambda: None)
    assert [seen.index(batch) for batch in seen] == [0, 1, 0, 1, 0]


def test_pictures_without_a_label_change_the_student(tmp_path: Path) -> None:
    images, label_ids = pictures(24)  # 16 labelled pictures: two whole batches of the teacher either way
    known = label_ids >= 0
    with_them = pretrain(SETTINGS, images, label_ids, tmp_path, 1)
    without = pretrain(SETTINGS, images[known], label_ids[known], tmp_path, 1)
    assert weights(with_them) != weights(without)


def test_what_a_teacher_taught_is_a_plain_dinov2(tmp_path: Path) -> None:
    path = pretrain(SETTINGS, *pictures(), tmp_path, 1)
    assert sorted(item.name for item in path.iterdir()) == ["config.json", "model.safetensors", "preprocessor_config.json"]
    backbone = resolve_backbone(str(path))
    assert (backbone.family, backbone.hidden_size, backbone.n_layers, backbone.n_units) == ("dinov2", 32, 1, 16)


def test_settings_without_a_teacher_hash_as_before_there_was_one() -> None:
    plain = PretrainSettings().model_dump(mode="json")
    assert "distillation" not in plain
    # sha256 of the defaults' canonical JSON at commit 22142c0, before the field existed
    assert hash_of([canonical_json(plain).encode()]) == "c173e1d866dbfc8a444c99d01520b44e"


def test_how_often_a_checkpoint_is_written_is_no_part_of_the_identity_and_what_is_learned_is() -> None:
    own = SETTINGS.distillation
    assert own is not None
    often, hotter = own.model_copy(update={"checkpoint_seconds": 9.0}), own.model_copy(update={"temperature": 3.0})
    dumps = [SETTINGS.model_copy(update={"distillation": value}).model_dump(mode="json") for value in (own, often, hotter)]
    assert dumps[0] == dumps[1] != dumps[2]


def test_a_teacher_that_cannot_match_the_patches_and_losses_that_are_all_off_are_refused() -> None:
    with pytest.raises(ValidationError, match="patch_size"):
        PretrainSettings(image_size=56, patch_size=14, distillation=Distillation())
    with pytest.raises(ValidationError, match="nothing would be learned"):
        Distillation(hard_weight=0, soft_weight=0, feature_weight=0)


def test_labels_below_none_and_pictures_all_without_one_are_refused(tmp_path: Path) -> None:
    images, label_ids = pictures()
    for wrong in (label_ids - 1, np.full_like(label_ids, -1)):
        with pytest.raises(ValueError, match="label ids"):
            pretrain(SETTINGS, images, wrong, tmp_path)
    with pytest.raises(ValueError, match="label ids"):
        pretrain(SETTINGS.model_copy(update={"distillation": None}), images, label_ids, tmp_path)


def test_a_diverging_teacher_is_named_and_leaves_no_backbone(tmp_path: Path) -> None:
    own = Distillation(teacher=Teacher(width=4, epochs=3, batch_size=8, learning_rate=1e30), precision="float32")
    with pytest.raises(ArtifactError, match="teacher") as refused:
        pretrain(SETTINGS.model_copy(update={"distillation": own}), *pictures(), tmp_path, 1)
    assert refused.value.code == "nonfinite"
    assert not [path for path in tmp_path.iterdir() if not path.name.startswith(".pending-")]


def test_no_global_generator_moves(tmp_path: Path) -> None:
    state = torch.get_rng_state()
    pretrain(SETTINGS, *pictures(), tmp_path, 1)
    assert torch.equal(torch.get_rng_state(), state)


def test_settings_without_repeated_views_hash_as_before_there_were_any() -> None:
    assert "views" not in Distillation().model_dump(mode="json") and Distillation(views=60).model_dump(mode="json")["views"] == 60
    assert Distillation.model_validate(Distillation().model_dump(mode="json")) == Distillation()
