"""What do training one adapter, pre-training a small backbone, and taking an adapter into the lake cost?"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.images import to_model_resolution
from models.pretraining import PretrainSettings, preprocessing_for, pretrain
from models.recipe import Recipe
from models.scoring import ScoredAdapter
from models.training import Epoch, train
from models.training_data import TrainingSet
from pipelines.check.tried_pictures import TriedPictures
from pipelines.pictures_only import picture_scoring
from pipelines.plan.judged import EPOCHS, FEW, judged, worth_more
from silver.adapters.offers import Zoo


@dataclass(frozen=True)
class TrainingCosts:
    """`picture`: seconds of a picture in one epoch. `start`: seconds before the first. `judge`: seconds to check, merge and probe one
    adapter. `adapter_bytes`, `merged_bytes`: its files. `adapter`: the one that was trained, ready to score. `threads`: it was trained
    with, as the run trains (`adapters.threads`)."""

    picture: float
    start: float
    judge: float
    adapter_bytes: int
    merged_bytes: int
    adapter: ScoredAdapter
    threads: int = 1


def training_costs(recipe: Recipe, zoo: Zoo, tried: TriedPictures, scratch: Path, seconds: float) -> TrainingCosts:
    """Trains the recipe for three epochs on two pictures, on more where that took little, and judges it as the run does.

    Raises ArtifactError where the recipe cannot be trained on this backbone, or the adapter cannot be used.
    """
    pace, start, folder = _trained(recipe, zoo, tried, scratch / "few", FEW)
    if (n := worth_more(seconds, pace)) is not None:
        pace, start, folder = _trained(recipe, zoo, tried, scratch / "more", n)
    found = judged(folder, recipe.name, zoo, scratch)
    return TrainingCosts(pace, start, found.seconds, found.adapter_bytes, found.merged_bytes, found.adapter, zoo.settings.threads)


def _trained(recipe: Recipe, zoo: Zoo, tried: TriedPictures, folder: Path, n: int) -> tuple[float, float, Path]:
    """(seconds a picture and epoch, seconds before the first epoch, the adapter's folder); pictures repeat where there are fewer."""
    chosen = np.arange(n) % len(tried.pictures)
    examples = TrainingSet(tried.pictures[chosen], tried.label_ids[chosen], tuple(f"{i:032x}" for i in range(n)))
    short = recipe.model_copy(update={"epochs": EPOCHS, "train_share": 1.0})
    moments: list[float] = []

    def note(_: Epoch) -> None:
        moments.append(time.perf_counter())

    folder.mkdir(parents=True)
    began = time.perf_counter()
    scoring, out = picture_scoring(zoo.scoring), folder / "adapter"
    own = examples.take([0])
    train(short, scoring.backbone, zoo.labels, examples, own, scoring.preprocessing, out, threads=zoo.settings.threads, on_epoch=note)
    epoch = (moments[-1] - moments[0]) / (EPOCHS - 1)
    return epoch / n, max(0.0, moments[0] - began - epoch), folder / "adapter"


def pretraining_pace(settings: PretrainSettings, tried: TriedPictures, folder: Path) -> float:
    """Seconds a picture and epoch of pre-training, teacher and student alike: the difference between runs of one and of five epochs."""
    side = preprocessing_for(settings).resize_to
    square = preprocessing_for(settings).model_copy(update={"size": side, "crop": "none"})
    pictures = np.stack([to_model_resolution(picture, square) for picture in tried.pictures])
    labels = np.arange(len(pictures), dtype=np.int64) % 2
    seconds = []
    for epochs in (1, 5):
        before = time.perf_counter()
        pretrain(_for_epochs(settings, epochs), pictures, labels, folder / str(epochs), threads=1)
        seconds.append(time.perf_counter() - before)
    more = _for_epochs(settings, 5).total_epochs - _for_epochs(settings, 1).total_epochs
    return max(0.0, seconds[1] - seconds[0]) / more / len(pictures)


def _for_epochs(settings: PretrainSettings, epochs: int) -> PretrainSettings:
    """The same pre-training with so many epochs of each of its stages."""
    own = settings.distillation
    shorter = own and own.model_copy(update={"teacher": own.teacher.model_copy(update={"epochs": epochs})})
    return settings.model_copy(update={"epochs": epochs, "distillation": shorter})
