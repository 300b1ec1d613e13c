"""Would each adapter work here? Offered ones are judged and score the tried examples; one of each kind to train is trained for a moment."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.errors import ArtifactError
from models.scored_adapter import ScoredAdapter
from models.training_recipe import TrainingRecipe
from pipelines.check.tried import Tried
from silver.adapters.offers import Offer, Zoo, judge


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
    logits, finite = tried.scores(adapter, zoo)
    right = int((logits.argmax(axis=1) == tried.label_ids)[finite].sum())
    text = f"{right} of {len(finite)} tried {tried.what} right"
    if not finite.all():
        text = f"nonfinite: {int((~finite).sum())} of {len(finite)} tried {tried.what} have no finite score"
    return Answer(name, state, f"{text} ({notes})" if notes else text)


def kinds(recipes: Sequence[TrainingRecipe], tried: Tried) -> dict[str, list[TrainingRecipe]]:
    """Recipes of one shape under one name."""
    found: dict[str, list[TrainingRecipe]] = {}
    for recipe in recipes:
        found.setdefault(tried.shape(recipe), []).append(recipe)
    return found


def try_recipes(recipes: Sequence[TrainingRecipe], zoo: Zoo, tried: Tried, threads: int) -> Iterator[Answer]:
    """One answer per shape of recipes: trained for one epoch on two examples, then judged as an offered adapter is."""
    for shape, alike in kinds(recipes, tried).items():
        names = alike[0].name if len(alike) == 1 else f"{alike[0].name} and {len(alike) - 1} alike"
        with tempfile.TemporaryDirectory(prefix="assay-check-") as scratch:
            folder = Path(scratch) / "adapters" / "tried"
            folder.parent.mkdir()
            try:
                tried.train(alike[0], zoo, folder, threads)
            except ArtifactError as error:
                yield Answer(names, "rejected", str(error))
                continue
            answer = next(try_offers([Offer(folder, folder.parent, alike[0].name)], zoo, tried))
            # An epoch on two examples may leave weights that change nothing yet: of a recipe only a refusal says something.
            yield Answer(names, "rejected", answer.text) if answer.state == "rejected" else Answer(names, "ready", f"{shape}: trains")
