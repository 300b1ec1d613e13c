"""Would each adapter work here? Offered ones are judged and score the tried pictures; one of each kind to train is trained for a moment."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.errors import ArtifactError
from models.recipe import Recipe
from models.scoring import ScoredAdapter
from models.training_data import TrainingSet
from pipelines.pictures_only import picture_scoring
from silver.adapters.offers import Offer, Zoo, judge

TRAINED_PICTURES = 2  # a base-size model needs about a second a picture and step on one core


@dataclass(frozen=True)
class Tried:
    """The pictures that are scored: uint8 [n, size, size, 3] at model resolution, and their label ids int64 [n]."""

    pictures: NDArray[np.uint8]
    label_ids: NDArray[np.int64]


@dataclass(frozen=True)
class Answer:
    """What was found about one adapter. `state`: ready, inert or rejected, as in silver.adapters; `text` says why, or how it scored."""

    name: str
    state: str
    text: str


def try_offers(offers: Sequence[Offer], zoo: Zoo, tried: Tried) -> Iterator[Answer]:
    """One answer per offered folder, by the code of the run itself; what it writes goes to a temporary folder."""
    seen: dict[str, str] = {}
    for offer in offers:
        with tempfile.TemporaryDirectory(prefix="assay-check-") as scratch:
            row, adapter = judge(offer, replace(zoo, artifacts=Path(scratch)), set())
            if adapter is None:
                yield Answer(offer.name, "rejected", str(row["reason"]))
                continue
            if first := seen.get(adapter.adapter_id):
                yield Answer(offer.name, "ready", f"the same adapter as {first}: it counts once")
                continue
            seen[adapter.adapter_id] = offer.name
            yield _scored(offer.name, str(row["status"]), row["reason"], zoo, adapter, tried)


def _scored(name: str, state: str, notes: object, zoo: Zoo, adapter: ScoredAdapter, tried: Tried) -> Answer:
    scoring = picture_scoring(zoo.scoring)
    pixels = scoring.pixels(tried.pictures)
    logits = scoring.logits(adapter, pixels)
    _, attention = scoring.scorer(adapter).explain(pixels)
    finite = np.isfinite(logits).all(axis=1) & np.isfinite(attention).all(axis=(1, 2))
    right = int((logits.argmax(axis=1) == tried.label_ids)[finite].sum())
    text = f"{right} of {len(pixels)} tried pictures right"
    if not finite.all():
        text = f"nonfinite: {int((~finite).sum())} of {len(pixels)} tried pictures have no finite score"
    return Answer(name, state, f"{text} ({notes})" if notes else text)


def kinds(recipes: Sequence[Recipe]) -> dict[str, list[Recipe]]:
    """Recipes of one shape under one name: those that differ in seed, scale, share, rate or length build the same model."""
    found: dict[str, list[Recipe]] = {}
    for recipe in recipes:
        shape = f"rank {recipe.rank}, {'DoRA' if recipe.use_dora else 'LoRA'} on {', '.join(recipe.targets)}, bias {recipe.bias}"
        found.setdefault(shape, []).append(recipe)
    return found


def try_recipes(recipes: Sequence[Recipe], zoo: Zoo, tried: Tried, threads: int) -> Iterator[Answer]:
    """One answer per shape of recipes: trained for one epoch on two pictures, then judged as an offered adapter is."""
    for shape, alike in kinds(recipes).items():
        names = alike[0].name if len(alike) == 1 else f"{alike[0].name} and {len(alike) - 1} alike"
        with tempfile.TemporaryDirectory(prefix="assay-check-") as scratch:
            try:
                folder = train_briefly(alike[0], zoo, tried, Path(scratch), threads)
            except ArtifactError as error:
                yield Answer(names, "rejected", str(error))
                continue
            answer = next(try_offers([Offer(folder, folder.parent, alike[0].name)], zoo, tried))
            # An epoch on two pictures may leave weights that change nothing yet: of a recipe only a refusal says something.
            yield Answer(names, "rejected", answer.text) if answer.state == "rejected" else Answer(names, "ready", f"{shape}: trains")


def train_briefly(recipe: Recipe, zoo: Zoo, tried: Tried, scratch: Path, threads: int, epochs: int = 1) -> Path:
    """The folder of an adapter of this recipe, trained on a few of the tried pictures. Raises ArtifactError as training does."""
    from models.training import train

    n = min(TRAINED_PICTURES, len(tried.pictures))
    examples = TrainingSet(tried.pictures[:n], tried.label_ids[:n], tuple(f"{i:032x}" for i in range(n)))
    short = recipe.model_copy(update={"epochs": epochs, "train_share": 1.0})
    folder = scratch / "adapters" / "tried"
    folder.parent.mkdir(parents=True)
    scoring = picture_scoring(zoo.scoring)
    train(short, scoring.backbone, zoo.labels, examples, examples, scoring.preprocessing, folder, threads=threads)
    return folder
