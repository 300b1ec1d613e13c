"""How is one adapter for pictures trained, the same way every time?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from models.augmentation import augment, draw_changes, normalised
from models.backbone import Backbone, new_classifier
from models.dtype import resolve_device
from models.hashing import seed_of
from models.images import Preprocessing, normalise
from models.label_noise import with_wrong_labels
from models.lora import adapter_state, save_adapter, with_lora
from models.private_state import private_state
from models.recipe import Recipe
from models.trained_adapter import Origin, Trained, check_training, sizes, write_trained
from models.training_data import TrainingSet, fingerprint, in_canonical_order, keep_share
from models.training_loop import BatchLoss, LossOf, Task, fit, keyed_generator
from models.training_progress import Epoch
from models.validation import logits_of, validation_metrics

__all__ = ["Epoch", "Trained", "train"]


def train(
    recipe: Recipe,
    backbone: Backbone,
    labels: Sequence[str],
    train: TrainingSet,
    val: TrainingSet,
    preprocessing: Preprocessing,
    folder: Path,
    on_epoch: Callable[[Epoch], None] | None = None,
    threads: int = 1,
    device: str | None = None,
) -> Trained:
    """Train one adapter and write `folder` (PEFT layout and manifest), whole or not at all.

    AdamW on cross-entropy; the epoch of best validation accuracy is kept, the earlier of equals. On one CPU and thread count the same
    arguments give the same weights, in whatever order the examples are listed (on a GPU all but the last bits: sums there have no fixed
    order); no global generator is moved. `device`: where there is a GPU it is that.
    Metrics: train_loss, eval_loss, accuracy, f1, precision, recall (weighted over labels, on validation, in [0, 1]), minutes (wall),
    trainable_parameters, trainable_share. Raises ArtifactError `nonfinite` when the loss diverges, `label_unknown`, FileExistsError
    when the folder is there, ValueError for an empty set.
    """
    started, device = time.monotonic(), device or resolve_device()
    check_training(recipe, labels, {"train": train, "val": val}, folder)
    data = fingerprint(labels, preprocessing, train, val)
    origin = Origin(recipe, backbone, tuple(labels), preprocessing.model_dump(mode="json"), data)
    with private_state(seed_of("train", recipe.seed, "torch"), threads, device):
        classifier: Any = new_classifier(backbone, labels, seed=recipe.seed)
        if recipe.precision == "bfloat16" and device == "cpu":
            classifier.set_attn_implementation("eager")  # the fused kernel's backward takes half of a bfloat16 step there
        model = with_lora(classifier, recipe, backbone.name).to(device)
        kept = keep_share(train, recipe.train_share)
        learned, _ = with_wrong_labels(kept, recipe.label_noise, recipe.label_noise_seed, len(labels))
        pictures = _Pictures(model, recipe, learned, in_canonical_order(val), preprocessing, device)
        done = fit(pictures.task(lambda: adapter_state(model), on_epoch))
    metrics = done.metrics | sizes(model) | {"minutes": (time.monotonic() - started) / 60}
    return write_trained(origin, metrics, done.epochs, folder, lambda pending: save_adapter(model, done.kept, pending))


@dataclass(frozen=True)
class _Pictures:
    model: nn.Module
    recipe: Recipe
    train: TrainingSet
    val: TrainingSet
    preprocessing: Preprocessing
    device: str

    def task(self, state: Callable[[], dict[str, torch.Tensor]], on_epoch: Callable[[Epoch], None] | None) -> Task:
        images = torch.from_numpy(np.ascontiguousarray(self.train.images)).to(self.device)
        labels = torch.from_numpy(self.train.label_ids).to(self.device)
        val_pixels = torch.from_numpy(normalise(_centre(self.val.images, self.preprocessing.size), self.preprocessing))

        def evaluate() -> dict[str, float]:
            return validation_metrics(logits_of(self.model, val_pixels, self.device), self.val.label_ids)

        return Task(
            self.recipe, self.model, len(labels), lambda epoch: self._loss(epoch, images, labels), evaluate, state, on_epoch=on_epoch
        )

    def _loss(self, epoch: int, images: torch.Tensor, labels: torch.Tensor) -> LossOf:
        """Cross-entropy of pictures under this epoch's changes, which are keyed by (seed, epoch)."""
        recipe = self.recipe
        changes = draw_changes(len(labels), recipe.augmentation, keyed_generator(recipe, "augmentation", epoch)).to(self.device)

        def loss_of(batch: torch.Tensor) -> BatchLoss:
            pixels = normalised(augment(images[batch], changes[batch], self.preprocessing.size), self.preprocessing)
            with torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
                logits = self.model(pixel_values=pixels).logits.float()
            loss = F.cross_entropy(logits, labels[batch], reduction="sum", label_smoothing=recipe.label_smoothing)
            return BatchLoss(loss, {"train_loss": (loss.item(), len(batch))})

        return loss_of


def _centre(images: np.ndarray, size: int) -> np.ndarray:
    """The central size x size window; training pictures may be stored larger so that their crop needs no scaling."""
    start = (images.shape[1] - size) // 2
    if start < 0:
        raise ValueError(f"pictures must be at least {size} pixels a side, found {images.shape[1]}: store them at the model's size")
    return images[:, start : start + size, start : start + size]
