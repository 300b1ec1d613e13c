"""Recipes, training sets and augmentation: what they mean, and what they refuse."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from models.atomic import write_file, write_folder
from models.augmentation import Augmentation, augment, draw_changes, normalised
from models.hashing import canonical_json, hash_of
from models.images import Preprocessing, normalise
from models.recipe import Recipe, recipe_sha256
from models.training_data import TrainingSet, fingerprint, in_canonical_order, keep_share

STILL = {"rotation_degrees": 0, "flip_share": 0, "brightness": 0, "contrast": 0, "crop_from": 56, "crop_to": 56}
PREPROCESSING = Preprocessing(size=8, resize_to=8)
LABELS = ("ant", "bee")


def examples(n: int = 20) -> TrainingSet:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (n, 8, 8, 3)).astype(np.uint8)
    return TrainingSet(images, rng.integers(0, 2, n), tuple(f"id{i:03d}" for i in range(n)))


def changed(images: np.ndarray, size: int, **settings: Any) -> np.ndarray:
    augmentation = Augmentation.model_validate({**STILL, **settings})
    changes = draw_changes(len(images), augmentation, torch.Generator().manual_seed(1))
    return augment(torch.from_numpy(images), changes, size).permute(0, 2, 3, 1).numpy()


def test_no_augmentation_is_the_identity() -> None:
    images = examples().images
    np.testing.assert_allclose(changed(images, 8), images, atol=1e-3)  # bilinear weights in float32, on a scale of 255


def test_a_flip_mirrors_left_and_right_and_its_share_is_met() -> None:
    images = examples().images
    np.testing.assert_allclose(changed(images, 8, flip_share=1), images[:, :, ::-1], atol=1e-3)
    many = draw_changes(4000, Augmentation.model_validate({**STILL, "flip_share": 0.3}), torch.Generator().manual_seed(0))
    assert (many[:, 0] < 0).float().mean() == pytest.approx(0.3, abs=4 * math.sqrt(0.21 / 4000))  # 4 standard errors


def row(linear: list[float], shift: list[float]) -> torch.Tensor:
    """One picture's changes with brightness and contrast left alone."""
    return torch.tensor([[linear[0], linear[1], shift[0], linear[2], linear[3], shift[1], 1.0, 1.0]])


@pytest.mark.parametrize(("shift", "start"), [(-0.5, 0), (0.0, 2), (0.5, 4)])
def test_a_crop_of_pictures_stored_larger_cuts_a_window_without_resampling(shift: float, start: int) -> None:
    # 8 pixels to 4: output pixel j has its centre at (2j + 1) / 4 - 1; half of that plus t is input pixel 2 + 4 t + j
    images = examples(1).images
    window = augment(torch.from_numpy(images), row([0.5, 0, 0, 0.5], [shift, -shift]), 4)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(window, images[0, 4 - start : 8 - start, start : start + 4], atol=1e-3)


def test_a_quarter_turn_is_numpys_and_what_comes_from_outside_is_black() -> None:
    images = examples(1).images
    turned = augment(torch.from_numpy(images), row([0, -1, 1, 0], [0, 0]), 8)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(turned, np.rot90(images[0]), atol=1e-2)
    outside = augment(torch.from_numpy(images), row([1, 0, 0, 1], [5, 0]), 8)
    assert not outside.any()


def test_drawn_changes_turn_and_shift_within_their_bounds_and_use_them() -> None:
    augmentation = Augmentation(rotation_degrees=20, flip_share=0.5, brightness=0.3, contrast=0.1, crop_from=64, crop_to=48)
    drawn = draw_changes(2000, augmentation, torch.Generator().manual_seed(0))
    linear, shift = drawn[:, :6].view(-1, 2, 3)[:, :, :2], drawn[:, :6].view(-1, 2, 3)[:, :, 2]
    # share 0.75 of the side times a turn, mirrored or not: M M^T = 0.75^2 I
    torch.testing.assert_close(linear @ linear.mT, 0.5625 * torch.eye(2).expand(2000, 2, 2), rtol=0, atol=1e-5)
    degrees = torch.rad2deg(torch.atan2(-linear[:, 0, 1], linear[:, 1, 1]))
    unturned = torch.linalg.solve(linear / 0.75 * linear.det().sign().view(-1, 1, 1), shift.unsqueeze(-1)).abs()
    for values, bound in ((degrees, 20), (unturned, 0.25), (drawn[:, 6] - 1, 0.3), (drawn[:, 7] - 1, 0.1)):
        assert 0.98 * bound < values.abs().max() <= bound * 1.0001


def test_brightness_multiplies_and_contrast_turns_about_the_mean_luma() -> None:
    image = np.full((1, 8, 8, 3), 100, dtype=np.uint8)
    image[0, :4] = (200, 40, 40)
    changes = row([1, 0, 0, 1], [0, 0])
    changes[0, 6:] = torch.tensor([0.5, 2.0])
    # halved: (100, 20, 20) above, 50 below. Mean: 75, 35, 35; luma 0.299 * 75 + 0.587 * 35 + 0.114 * 35 = 46.96
    # twice the distance from it: 153.04 and -6.96 (cut to 0) above, 53.04 below
    result = augment(torch.from_numpy(image), changes, 8)[0]
    np.testing.assert_allclose(result[:, 0, 0], [153.04, 0, 0], atol=1e-2)
    np.testing.assert_allclose(result[:, 7, 0], [53.04] * 3, atol=1e-2)


def test_augmented_pictures_are_normalised_as_stored_ones_are() -> None:
    images = examples().images
    mine = normalised(torch.from_numpy(images).permute(0, 3, 1, 2).float(), PREPROCESSING)
    np.testing.assert_allclose(mine.numpy(), normalise(images, PREPROCESSING), atol=1e-6)


def test_a_set_survives_saving_and_is_mapped(tmp_path: Path) -> None:
    for name, whole in (("some", examples()), ("none", examples(0))):
        whole.save(tmp_path / name)
        loaded = TrainingSet.load(tmp_path / name)
        assert loaded.example_ids == whole.example_ids
        assert np.array_equal(loaded.images, whole.images) and np.array_equal(loaded.label_ids, whole.label_ids)
    with pytest.raises(FileExistsError):
        whole.save(tmp_path / "some")


def test_a_share_has_its_size_and_a_smaller_one_is_part_of_a_larger() -> None:
    whole = examples()
    some, more = keep_share(whole, 0.11), keep_share(whole, 0.5)
    assert (len(some), len(more), len(keep_share(whole, 1))) == (3, 10, 20)  # ceil(0.11 x 20) = 3
    assert set(some.example_ids) < set(more.example_ids)
    shuffled = whole.take(np.random.default_rng(3).permutation(20))
    assert keep_share(shuffled, 0.11).example_ids == some.example_ids


def test_a_fingerprint_knows_content_labels_and_splits_but_no_order() -> None:
    whole, val = examples(), examples(5)

    def of(train: TrainingSet, labels: tuple[str, ...] = LABELS, preprocessing: Preprocessing = PREPROCESSING) -> str:
        return fingerprint(labels, preprocessing, train, val)

    base = of(whole)
    assert of(whole.take(range(19, -1, -1))) == base
    image = whole.images.copy()
    image[7, 0, 0, 0] ^= 1
    label = whole.label_ids.copy()
    label[7] ^= 1
    others = [
        of(TrainingSet(image, whole.label_ids, whole.example_ids)),
        of(TrainingSet(whole.images, label, whole.example_ids)),
        of(whole.take(range(19))),
        of(whole, ("bee", "ant")),
        of(whole, preprocessing=Preprocessing(size=8, resize_to=9)),
        fingerprint(LABELS, PREPROCESSING, val, whole),
    ]
    assert len({base, *others}) == 7


def test_a_set_whose_parts_disagree_is_refused() -> None:
    whole = examples(3)
    for images, label_ids, ids in (
        (whole.images[:2], whole.label_ids, whole.example_ids),
        (whole.images, whole.label_ids.astype(np.int32), whole.example_ids),
        (whole.images, whole.label_ids, ("a", "a", "b")),
        (whole.images.astype(np.float32), whole.label_ids, whole.example_ids),
    ):
        with pytest.raises(ValueError, match="must be"):
            TrainingSet(images, label_ids, ids)
    assert in_canonical_order(whole.take([2, 0, 1])).example_ids == whole.example_ids


def test_alpha_is_twice_the_rank_unless_the_scale_of_the_update_is_fixed() -> None:
    assert [Recipe(name="a", rank=rank).lora_alpha for rank in (4, 16, 32)] == [8, 32, 64]
    # rsLoRA multiplies by alpha / sqrt(r), plain LoRA by alpha / r: both must come out at 4
    for rank in (4, 16, 32):
        assert Recipe(name="a", rank=rank, update_scale=4).lora_alpha / math.sqrt(rank) == pytest.approx(4)
        assert Recipe(name="a", rank=rank, update_scale=4, use_rslora=False).lora_alpha / rank == pytest.approx(4)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rank": 0},
        {"alpha": 4, "update_scale": 4},
        {"rnak": 4},
        {"targets": ()},
        {"targets": ("query", "query")},
        {"name": "../x"},
        {"augmentation": {"crop_from": 1, "crop_to": 2}},
        {"train_share": 0},
        {"learning_rate": math.inf},
        {"warm_share": 1.0},
    ],
)
def test_a_recipe_that_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Recipe.model_validate({"name": "a", "rank": 4, **wrong})


def test_what_decides_the_weights_is_in_the_recipes_hash_and_a_label_is_not() -> None:
    base = Recipe(name="a", rank=4)
    first = recipe_sha256(base, "backbone", "data")
    assert recipe_sha256(base.model_copy(update={"name": "b"}), "backbone", "data") == first
    assert recipe_sha256(Recipe(name="a", rank=4, alpha=8), "backbone", "data") == first  # the default, written out
    assert recipe_sha256(Recipe(name="a", rank=4, update_scale=4), "backbone", "data") == first  # 4 x sqrt(4) = 8 as well
    changes = {"seed": 1, "epochs": 2, "alpha": 9.0, "use_dora": False, "precision": "bfloat16", "clip_norm": 1.0, "warm_share": 0.1}
    changes |= {"label_noise": 0.3}
    others = [Recipe.model_validate({"name": "a", "rank": 4, key: value}) for key, value in changes.items()]
    hashes = {recipe_sha256(other, "backbone", "data") for other in others}
    hashes |= {recipe_sha256(base, "other", "data"), recipe_sha256(base, "backbone", "other"), first}
    assert len(hashes) == 11
    assert recipe_sha256(base.model_copy(update={"label_noise_seed": 3}), "backbone", "data") == first  # chooses nothing
    # adapters from before there was another precision, a bound or wrong labels are found again: their recipe had no such keys
    young = {"precision", "clip_norm", "warm_share", "label_noise", "label_noise_seed"}
    older = base.model_dump(mode="json", exclude={"name", "update_scale", *young}) | {"alpha": 8.0}
    assert first == hash_of([canonical_json(older).encode(), b"backbone", b"data"])


def test_parts_of_a_hash_are_told_apart() -> None:
    assert hash_of([b"ab", b"c"]) != hash_of([b"a", b"bc"])


def test_an_artifact_whose_writing_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(pending: Path) -> None:
        (pending / "half").write_text("half") if pending.is_dir() else pending.write_text("half")
        raise OSError("disk full")

    for write in (write_folder, write_file):
        with pytest.raises(OSError, match="disk full"):
            write(tmp_path / "artifact", fail)
    assert os.listdir(tmp_path) == []
