"""What does training one text adapter cost, plainly and steered by a prior, and taking it into the lake?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.scored_adapter import ScoredAdapter
from models.text_pretraining import TextPretrainSettings, pretrain_text
from models.text_recipe import TextRecipe
from models.text_training import train_text
from models.training_progress import Epoch
from pipelines.check.tried_texts import SHORT, TriedTexts, text_shape
from pipelines.plan.judged import EPOCHS, FEW, judged, worth_more
from pipelines.texts_only import text_scoring
from silver.adapters.offers import Zoo


@dataclass(frozen=True)
class TrainingPace:
    """`text`: seconds of a text in one epoch. `start`: seconds before the first."""

    text: float
    start: float


@dataclass(frozen=True)
class TextTrainingCosts:
    """`paces`: shape of a recipe (`text_shape`) -> its pace, with `threads` (adapters.threads). `judge`: seconds to check, merge and
    probe one adapter. `adapter_bytes`, `merged_bytes`: its files. `adapter`: the one that was trained, ready to score."""

    paces: Mapping[str, TrainingPace]
    judge: float
    adapter_bytes: int
    merged_bytes: int
    adapter: ScoredAdapter
    threads: int = 1


def text_training_costs(recipes: Sequence[TextRecipe], zoo: Zoo, tried: TriedTexts, scratch: Path, seconds: float) -> TextTrainingCosts:
    """Trains one recipe of each shape for three epochs on two texts, on more where that took little, and judges the first adapter as the
    run does. Raises ArtifactError where a recipe cannot be trained on this backbone, or the adapter cannot be used."""
    shapes = {text_shape(recipe): recipe for recipe in reversed(recipes)}
    paces: dict[str, TrainingPace] = {}
    folders: list[tuple[TextRecipe, Path]] = []
    for number, (shape, recipe) in enumerate(shapes.items()):
        paces[shape], folder = _pace(recipe, zoo, tried, scratch / str(number), seconds / len(shapes))
        folders.append((recipe, folder))
    recipe, folder = folders[-1]
    found = judged(folder, recipe.name, zoo, scratch)
    return TextTrainingCosts(paces, found.seconds, found.adapter_bytes, found.merged_bytes, found.adapter, zoo.settings.threads)


def _pace(recipe: TextRecipe, zoo: Zoo, tried: TriedTexts, scratch: Path, seconds: float) -> tuple[TrainingPace, Path]:
    pace, folder = _trained(recipe, zoo, tried, scratch / "few", FEW)
    if (n := worth_more(seconds, pace.text)) is not None:
        pace, folder = _trained(recipe, zoo, tried, scratch / "more", n)
    return pace, folder


def _trained(recipe: TextRecipe, zoo: Zoo, tried: TriedTexts, scratch: Path, n: int) -> tuple[TrainingPace, Path]:
    """The pace on `n` texts, which repeat where there are fewer, and the adapter's folder."""
    scoring, folder = text_scoring(zoo.scoring), scratch / "adapter"
    scratch.mkdir(parents=True)
    short = recipe.model_copy(update=SHORT | {"epochs": EPOCHS})
    examples = tried.examples(n, steered=recipe.priors is not None)
    moments: list[float] = []

    def note(_: Epoch) -> None:
        moments.append(time.perf_counter())

    began = time.perf_counter()
    own, threads = examples.take([0]), zoo.settings.threads
    train_text(short, scoring.backbone, zoo.labels, examples, own, folder, scoring.fitted_buckets, on_epoch=note, threads=threads)
    epoch = (moments[-1] - moments[0]) / (EPOCHS - 1)
    return TrainingPace(epoch / n, max(0.0, moments[0] - began - epoch)), folder


def text_pretraining_pace(settings: TextPretrainSettings, texts: Sequence[str], folder: Path) -> float:
    """Seconds a text and epoch of pre-training: the difference between runs of one and of five epochs."""
    seconds = []
    for epochs in (1, 5):
        before = time.perf_counter()
        pretrain_text(settings.model_copy(update={"epochs": epochs}), texts, folder / str(epochs))
        seconds.append(time.perf_counter() - before)
    return max(0.0, seconds[1] - seconds[0]) / 4 / len(texts)
