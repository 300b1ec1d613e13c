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
from models.hashing import hash_of
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


def test_a_crop_from_pictures_stored_larger_is_a_window_of_them_not_a_resampling() -> None:
    images = examples(6).images
    windows = changed(images, 4, crop_from=8, crop_to=4)
    for image, window in zip(images.astype(float), windows, strict=True):
        # the window starts off the pixel grid, so each value lies between those of its 2 x 2 neighbours somewhere: total range is kept
        # and some offset reproduces it; found by scanning offsets of 1/50 pixel with our own bilinear twin
        errors = [np.abs(twin_window(image, y / 50, x / 50, 4) - window).max() for y in range(0, 201, 1) for x in nearest(image, window, y)]
        assert min(errors) < 6  # 1/50 pixel of a step of 255 is 5


def nearest(image: np.ndarray, window: np.ndarray, y: int) -> range:
    return range(0, 201, 1)


def twin_window(image: np.ndarray, top: float, left: float, size: int) -> np.ndarray:
    rows, columns = top + np.arange(size), left + np.arange(size)
    r, c = np.minimum(rows.astype(int), 6), np.minimum(columns.astype(int), 6)
    fr, fc = (rows - r)[:, None, None], (columns - c)[None, :, None]
    upper = image[r][:, c] * (1 - fc) + image[r][:, c + 1] * fc
    lower = image[r + 1][:, c] * (1 - fc) + image[r + 1][:, c + 1] * fc
    return upper * (1 - fr) + lower * fr
