"""How is one text adapter trained, the same way every time: by cross-entropy, or steered by an attribution prior?"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.atomic import PENDING
from models.backbone_record import TextBackbone
from models.buckets import BUCKETS, fitted
from models.classifier import new_classifier
from models.dtype import resolve_device
from models.errors import ArtifactError
from models.full_tuning import full_state, save_full
from models.hashing import seed_of
from models.lora import adapter_state, save_adapter, with_lora
from models.private_state import private_state
from models.text_recipe import Choice, TextRecipe
from models.text_selection import Selection, selected
from models.text_task import TextTask
from models.text_training_data import TextTrainingSet, text_fingerprint
from models.texts import prepare
from models.trained_adapter import Origin, Trained, check_training, sizes, write_trained
from models.training_data import in_canonical_order
from models.training_loop import fit
from models.training_progress import Epoch, Progress, TrainingCheckpoint

CHECKPOINT = "training.safetensors"


def text_origin(
    recipe: TextRecipe,
    backbone: TextBackbone,
    labels: Sequence[str],
    train: TextTrainingSet,
    val: TextTrainingSet,
    buckets: Sequence[int] = BUCKETS,
) -> Origin:
    """What the adapter of this recipe on these data is known by (`.sha256`, `.data`) before it is trained. Priors count where the recipe
    is steered by them. ArtifactError `label_unknown`."""
    inside = fitted(buckets, backbone.n_tokens)
    data = text_fingerprint(labels, inside, train if recipe.priors is not None else replace(train, priors=None), val)
    return Origin(recipe, backbone, tuple(labels), {"buckets": list(inside)}, data)


def train_text(
    recipe: TextRecipe,
    backbone: TextBackbone,
    labels: Sequence[str],
    train: TextTrainingSet,
    val: TextTrainingSet,
    folder: Path,
    buckets: Sequence[int] = BUCKETS,
    on_epoch: Callable[[Epoch], None] | None = None,
    on_step: Callable[[int, int], None] | None = None,
    threads: int = 1,
    device: str | None = None,
    checkpoint_seconds: float = 60.0,
) -> Trained:
    """Train one adapter, or with `tuning: full` every weight, and write `folder` (PEFT layout and manifest), whole or not at all.

    AdamW on cross-entropy + beta * ||a_p - a_s||^2 (models.attribution_loss), averaged over the batch; a text without a prior adds its
    cross-entropy alone. The epoch of best validation accuracy is kept, the earlier of equals. On one CPU and thread count the same
    arguments give the same weights, in whatever order examples are listed (on a GPU all but the last bits: sums there have no fixed
    order); no global generator is moved. `device`: where there is a GPU it is that. A killed training goes on
    from a file beside `folder`, at most `checkpoint_seconds` old, and ends with the same bytes; `on_epoch` is called again for the epochs
    done before. Metrics: those of pictures (models.training), attribution_loss where there are priors, epochs, best_epoch, n_train,
    short_labels, wrong_labels, truncated_texts, texts_without_prior. Raises ArtifactError `nonfinite` when a loss diverges,
    `label_unknown`, FileExistsError when the folder is there, ValueError for an empty set, a set without priors that needs
    them, and where beta > 0 and no text that is trained on has one.
    """
    started, device = time.monotonic(), device or resolve_device()
    check_training(recipe, labels, {"train": train, "val": val}, folder)
    if recipe.priors is not None and train.priors is None:
        raise ValueError(f"recipe {recipe.name}: the train set must have priors for {recipe.arm}, found none: add them with with_priors")
    origin = text_origin(recipe, backbone, labels, train, val, buckets)
    chosen = selected(Choice.of(recipe), train, len(labels))
    _check_priors(recipe, chosen)
    checkpoints = folder.parent / f"{PENDING}{folder.name}"
    with private_state(seed_of("train", recipe.seed, "torch"), threads, device):
        model = _model(recipe, backbone, labels).to(device)
        own = _task(recipe, model, backbone, chosen, val, buckets, device)
        checkpoint = TrainingCheckpoint(checkpoints / CHECKPOINT, origin.sha256, checkpoint_seconds)
        state, save = _saving(recipe, model, backbone)
        try:
            done = fit(own.task(state, checkpoint, on_epoch, on_step))
        except ArtifactError:  # it would diverge again: nothing to go on from
            shutil.rmtree(checkpoints, ignore_errors=True)
            raise
    metrics = done.metrics | sizes(model) | own.notes() | _told(chosen, done)
    metrics |= {"minutes": (done.seconds + time.monotonic() - started) / 60}
    trained = write_trained(origin, metrics, done.epochs, folder, lambda pending: save(done.kept, pending))
    shutil.rmtree(checkpoints, ignore_errors=True)
    return trained


def _check_priors(recipe: TextRecipe, chosen: Selection) -> None:
    """Without one prior it would be trained by cross-entropy alone under the hash of a steered adapter."""
    steers = recipe.priors is not None and recipe.priors.beta > 0
    if steers and all(prior is None for prior in chosen.examples.priors or ()):
        raise ValueError(
            f"recipe {recipe.name}: some of its texts must have a prior of {recipe.arm}, none of the {len(chosen.examples):,} texts that "
            "it trains on has a prior: make them for models.text_selection.selected(Choice.of(recipe), …), by example id"
        )


def _model(recipe: TextRecipe, backbone: TextBackbone, labels: Sequence[str]) -> Any:
    classifier = new_classifier(backbone, labels, seed=recipe.seed)
    return classifier if recipe.tuning == "full" else with_lora(classifier, recipe, backbone.name)


def _saving(
    recipe: TextRecipe, model: Any, backbone: TextBackbone
) -> tuple[Callable[[], dict[str, torch.Tensor]], Callable[[dict[str, torch.Tensor], Path], None]]:
    """(copy of what was trained, how to write it)."""
    if recipe.tuning == "full":
        return partial(full_state, model), lambda state, folder: save_full(model, state, backbone.name, folder)
    return partial(adapter_state, model), partial(save_adapter, model)


def _task(
    recipe: TextRecipe,
    model: nn.Module,
    backbone: TextBackbone,
    chosen: Selection,
    val: TextTrainingSet,
    buckets: Sequence[int],
    device: str,
) -> TextTask:
    inside = fitted(buckets, backbone.n_tokens)
    ordered = in_canonical_order(val)
    return TextTask(
        recipe=recipe,
        model=model,
        family_name=backbone.family,
        train=chosen.examples,
        texts=prepare(chosen.examples.texts, backbone, inside[-1]),
        val=ordered,
        val_texts=prepare(ordered.texts, backbone, inside[-1]),
        buckets=inside,
        device=device,
    )


def _told(chosen: Selection, done: Progress) -> dict[str, float]:
    return {
        "epochs": len(done.epochs),
        "best_epoch": done.best_epoch(),
        "n_train": len(chosen.examples),
        "short_labels": chosen.short_labels,
        "wrong_labels": len(chosen.wrong_ids),
    }
