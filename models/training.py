"""How is one adapter trained, the same way every time?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F

from models.atomic import write_folder
from models.augmentation import augment, draw_changes, normalised
from models.backbone import Backbone, new_classifier
from models.errors import ArtifactError
from models.hashing import seed_of
from models.images import Preprocessing, normalise
from models.lora import adapter_state, save_adapter, with_lora
from models.manifest import BackboneRecord, Manifest, file_hashes, write_manifest
from models.private_state import private_state
from models.recipe import Recipe, recipe_sha256
from models.training_data import TrainingSet, check_labels, fingerprint, in_canonical_order, keep_share
from models.validation import logits_of, validation_metrics

if TYPE_CHECKING:
    from peft import PeftModel


@dataclass(frozen=True)
class Epoch:
    """One pass over the training set. Losses are mean cross-entropies in nats, of the augmented pictures while training and of the
    validation pictures after it; `accuracy` is on validation, in [0, 1]."""

    number: int
    train_loss: float
    eval_loss: float
    accuracy: float


@dataclass(frozen=True)
class Trained:
    """What training left: the adapter's folder, its metrics (those of the kept epoch), and how the epochs went."""

    folder: Path
    metrics: dict[str, float]
    epochs: tuple[Epoch, ...]
    recipe_sha256: str
    weights_sha256: str


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
    device: str = "cpu",
) -> Trained:
    """Train one adapter and write `folder` (PEFT layout and manifest), whole or not at all.

    AdamW on cross-entropy; the epoch of best validation accuracy is kept, the earlier of equals. On one machine, thread count and CPU
    the same arguments give the same weights, in whatever order the examples are listed; no global generator is moved.
    Metrics: train_loss, eval_loss, accuracy, f1, precision, recall (weighted over labels, on validation, in [0, 1]), minutes (wall),
    trainable_parameters, trainable_share. Raises ArtifactError `nonfinite` when the loss diverges, `label_unknown`, FileExistsError
    when the folder is there, ValueError for an empty set.
    """
    started = time.monotonic()
    for split, examples in (("train", train), ("val", val)):
        check_labels(labels, examples)
        if not len(examples):
            raise ValueError(f"recipe {recipe.name}: the {split} set must hold examples, found none")
    if folder.exists():
        raise FileExistsError(f"{folder} exists already: an adapter is never overwritten; remove the folder to train it anew")
    identity = fingerprint(labels, preprocessing, train, val)
    with private_state(seed_of("train", recipe.seed, "torch"), threads, device):
        classifier: Any = new_classifier(backbone, labels, seed=recipe.seed)
        if recipe.precision == "bfloat16" and device == "cpu":
            classifier.set_attn_implementation("eager")  # the fused kernel's backward takes half of a bfloat16 step there
        model = with_lora(classifier, recipe, backbone.name).to(device)
        run = _Run(model, recipe, keep_share(train, recipe.train_share), in_canonical_order(val), preprocessing, device)
        epochs, kept, metrics = _fit(run, on_epoch)
    metrics |= _sizes(model) | {"minutes": (time.monotonic() - started) / 60}
    sha256 = recipe_sha256(recipe, backbone.sha256, identity)

    def fill(pending: Path) -> None:
        save_adapter(model, kept, pending)
        write_manifest(_manifest(pending, recipe, backbone, labels, preprocessing, sha256, identity, metrics), pending)

    write_folder(folder, fill)
    return Trained(folder, metrics, epochs, sha256, file_hashes(folder)["adapter_model.safetensors"])


@dataclass(frozen=True)
class _Run:
    model: PeftModel
    recipe: Recipe
    train: TrainingSet
    val: TrainingSet
    preprocessing: Preprocessing
    device: str


def _fit(run: _Run, on_epoch: Callable[[Epoch], None] | None) -> tuple[tuple[Epoch, ...], dict[str, torch.Tensor], dict[str, float]]:
    """All epochs, and the trained tensors and metrics of the best one."""
    recipe = run.recipe
    parameters = [parameter for parameter in run.model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)
    steps = recipe.epochs * len(_steps(torch.arange(len(run.train)), recipe))
    decay = (lambda step: 1 - step / steps) if recipe.schedule == "linear" else (lambda step: 1.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, decay)
    images = torch.from_numpy(np.ascontiguousarray(run.train.images)).to(run.device)
    labels = torch.from_numpy(run.train.label_ids).to(run.device)
    val_pixels = torch.from_numpy(normalise(_centre(run.val.images, run.preprocessing.size), run.preprocessing))
    epochs: list[Epoch] = []
    kept: dict[str, torch.Tensor] = {}
    metrics: dict[str, float] = {}
    for number in range(1, recipe.epochs + 1):
        train_loss = _train_epoch(run, number, images, labels, optimiser, schedule)
        logits = logits_of(run.model, val_pixels, run.device)
        scores = {"train_loss": train_loss} | validation_metrics(logits, run.val.label_ids)
        _require_finite(recipe, number, scores["eval_loss"])
        if not metrics or scores["accuracy"] > metrics["accuracy"]:
            kept, metrics = adapter_state(run.model), scores
        epochs.append(Epoch(number, train_loss, scores["eval_loss"], scores["accuracy"]))
        if on_epoch is not None:
            on_epoch(epochs[-1])
    return tuple(epochs), kept, metrics


def _train_epoch(
    run: _Run,
    number: int,
    images: torch.Tensor,
    labels: torch.Tensor,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> float:
    """One epoch; returns its mean loss. Order and changes are keyed by (seed, epoch), never by what was drawn before."""
    recipe, total = run.recipe, 0.0
    order = torch.randperm(len(labels), generator=_generator(recipe, "order", number))
    changes = draw_changes(len(labels), recipe.augmentation, _generator(recipe, "augmentation", number)).to(run.device)
    run.model.train()
    for step in _steps(order, recipe):
        optimiser.zero_grad()
        for batch in torch.split(step, recipe.batch_size):
            pixels = normalised(augment(images[batch], changes[batch], run.preprocessing.size), run.preprocessing)
            with torch.autocast(torch.device(run.device).type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
                logits = run.model(pixel_values=pixels).logits.float()
            loss = F.cross_entropy(logits, labels[batch], reduction="sum", label_smoothing=recipe.label_smoothing)
            (loss / len(step)).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped; the step's mean, also where its last batch is short
            total += loss.item()
        _require_finite(recipe, number, total)
        optimiser.step()
        schedule.step()
    return total / len(labels)


def _steps(order: torch.Tensor, recipe: Recipe) -> tuple[torch.Tensor, ...]:
    return torch.split(order, recipe.batch_size * recipe.accumulation)


def _generator(recipe: Recipe, what: str, epoch: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed_of("train", recipe.seed, what, epoch))


def _centre(images: np.ndarray, size: int) -> np.ndarray:
    """The central size x size window; training pictures may be stored larger so that their crop needs no scaling."""
    start = (images.shape[1] - size) // 2
    if start < 0:
        raise ValueError(f"pictures must be at least {size} pixels a side, found {images.shape[1]}: store them at the model's size")
    return images[:, start : start + size, start : start + size]


def _require_finite(recipe: Recipe, epoch: int, loss: float) -> None:
    if not np.isfinite(loss):
        found = f"found {loss} in epoch {epoch}"
        raise ArtifactError("nonfinite", f"recipe {recipe.name}: the loss must stay finite, {found}: lower learning_rate")


def _sizes(model: PeftModel) -> dict[str, float]:
    trainable = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    # peft keeps the untrained head beside the trained one; it is no part of the classifier
    spare = sum(parameter.numel() for name, parameter in model.named_parameters() if ".original_module." in name)
    return {
        "trainable_parameters": trainable,
        "trainable_share": trainable / (sum(parameter.numel() for parameter in model.parameters()) - spare),
    }


def _manifest(
    pending: Path,
    recipe: Recipe,
    backbone: Backbone,
    labels: Sequence[str],
    preprocessing: Preprocessing,
    sha256: str,
    identity: str,
    metrics: dict[str, float],
) -> Manifest:
    return Manifest(
        files=file_hashes(pending),
        backbone=BackboneRecord(name=backbone.name, revision=backbone.revision, sha256=backbone.sha256),
        modality="image",
        labels=tuple(labels),
        preprocessing=preprocessing.model_dump(mode="json"),
        recipe=recipe.model_dump(mode="json"),
        recipe_sha256=sha256,
        training_data=identity,
        metrics=metrics,
    )
