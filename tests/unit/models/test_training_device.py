"""Does whatever is trained take this machine's device where the caller names none, and the caller's where one is named?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import text_training, training
from models.images import Preprocessing
from models.label_scorer import train as label_training
from models.label_scorer.training_settings import LabelScorerTraining
from models.recipe import Recipe
from models.training_data import TrainingSet
from tests import adapter_folders
from tests.text_training_worlds import LABELS, recipe, simple, tiny

Trains = Callable[..., Any]


def of_text(folder: Path, **device: str) -> Any:
    backbone, how = tiny(folder / "backbone"), recipe(epochs=1)
    return text_training.train_text(how, backbone, LABELS, simple(6), simple(6, 100), folder / "adapter", **device)


def of_pictures(folder: Path, **device: str) -> Any:
    backbone, labels = adapter_folders.small_backbone(folder / "backbone"), adapter_folders.LABELS
    pictures = np.random.default_rng(0).integers(0, 256, (6, 56, 56, 3)).astype(np.uint8)
    own = TrainingSet(pictures, np.arange(6, dtype=np.int64) % len(labels), tuple(f"id{i}" for i in range(6)))
    preprocessing, how = Preprocessing(size=56, resize_to=56), Recipe(name="tiny", rank=2, epochs=1)
    return training.train(how, backbone, labels, own, own, preprocessing, folder / "adapter", **device)


def of_label_scorer(folder: Path, **device: str) -> Any:
    settings = LabelScorerTraining(width=16, depth=1, heads=2, kv_heads=1, mlp_width=16, epochs=1, vocabulary=300)
    return label_training.train_label_scorer(settings, [("a", "b"), ("c", "d")], ["x", "y"], ["x", "y"], folder / "scorer", **device)


@pytest.mark.parametrize(("module", "trained"), [(training, of_pictures), (text_training, of_text), (label_training, of_label_scorer)])
def test_without_a_device_the_machines_own_is_taken(module: Any, trained: Trains, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "resolve_device", lambda: "nowhere")
    with pytest.raises(RuntimeError, match="nowhere"):
        trained(tmp_path / "own")
    assert trained(tmp_path / "named", device="cpu") is not None
