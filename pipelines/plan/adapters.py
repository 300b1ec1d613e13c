"""Which adapters would a run have: to train, trained, offered and new, known, rejected? Folders are read, nothing is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bronze.build import Examples, examples_of
from models.adapters import read_adapter
from models.errors import ArtifactError
from models.manifest import find_trained
from models.recipe import Recipe
from models.text_recipe import TextRecipe
from models.training_recipe import recipe_sha256
from pipelines.backbones import TRAINING
from pipelines.run import Pipeline
from silver.adapters.offers import Offer, Zoo, failure_note, foreign_offers, training_folder
from silver.adapters.training.build import MARK
from silver.adapters.training.train import adapter_folder
from silver.specs import ADAPTERS

if TYPE_CHECKING:
    from models.backbone_record import AnyBackbone


@dataclass
class Adapters:
    """`to_train`: recipes without an adapter. `n_trained`: recipes with one. `n_new`, `n_known`: offered folders that can be used, by
    whether silver.adapters has them; `n_same` repeat another adapter and count once with it. `n_unregistered`: trained or offered, not in
    silver.adapters yet. `n_unread`: folders that cannot be judged before there is a backbone. `rejected`: (name, reason), of folders and
    of recipes whose training failed. Found by reading: what only merging shows (a weight that becomes infinite) is not found here."""

    to_train: list[Recipe | TextRecipe] = field(default_factory=list)
    n_trained: int = 0
    n_new: int = 0
    n_known: int = 0
    n_same: int = 0
    n_unregistered: int = 0
    n_unread: int = 0
    rejected: list[tuple[str, str]] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    @property
    def n_scored(self) -> int:
        """Adapters that would have rows."""
        return len(self.to_train) + self.n_trained + self.n_new + self.n_known + self.n_unread


def plan_adapters(pipeline: Pipeline, examples: Examples, backbone: AnyBackbone | None) -> Adapters:
    """What the run would find. Raises MissingInputError where a folder of adapters is absent."""
    settings = pipeline.config.adapters
    offers = foreign_offers(settings.folders)
    if backbone is None:
        return Adapters(to_train=list(settings.recipes), n_unread=len(offers))
    scoring = pipeline.scoring(backbone, pipeline.config.scoring.dtype, pipeline.config.scoring.batch_size)
    zoo = pipeline.zoo(examples, scoring)
    inputs = examples_of(pipeline.lake, examples, TRAINING, 1)
    rows = pipeline.lake.read(ADAPTERS).where(f"dataset = '{zoo.dataset}' AND settings_id = '{zoo.settings_id(inputs)}'")
    known = {row.adapter_id for row in rows.select("adapter_id").collect()}
    found = Adapters()
    for recipe in settings.recipes:
        plain = training_folder(zoo.artifacts, inputs, zoo.material, zoo.material.part(recipe))
        _recipe(found, recipe, zoo, fingerprints(plain, isinstance(recipe, TextRecipe) and recipe.priors is not None), known)
    for offer in offers:
        if (identity := _judged(found, offer, zoo, known)) is not None:
            found.n_known += identity in known
            found.n_new += identity not in known
    return found


def fingerprints(plain: Path, steered: bool) -> list[str]:
    """Of the sets that a recipe may have been trained on: those collected in the folder `plain`; for a steered recipe also those with
    priors beside it, of whichever scorer: which one a run would take is not known before it. None while `plain` is not collected."""
    if not (plain / MARK).exists():
        return []
    marks = sorted(plain.parent.glob(f"*/{MARK}")) if steered else [plain / MARK]
    return [mark.read_text(encoding="utf-8") for mark in marks]


def _recipe(found: Adapters, recipe: Recipe | TextRecipe, zoo: Zoo, prints: Sequence[str], known: set[str]) -> None:
    """Files one recipe: to train, trained, or rejected because its training failed before."""
    hashes = [recipe_sha256(recipe, zoo.scoring.backbone.sha256, fingerprint) for fingerprint in prints]
    folder = next((trained for sha256 in hashes if (trained := find_trained(zoo.store, sha256)) is not None), None)
    failures = (failure_note(adapter_folder(zoo.store, recipe, sha256)) for sha256 in hashes)
    if folder is not None:
        found.n_trained += _judged(found, Offer(folder, zoo.store, recipe.name), zoo, known) is not None
    elif failure := next((note for note in failures if note.exists()), None):
        found.rejected.append((recipe.name, ": ".join(json.loads(failure.read_text(encoding="utf-8")))))
    else:
        found.to_train.append(recipe)


def _judged(found: Adapters, offer: Offer, zoo: Zoo, known: set[str]) -> str | None:
    """The adapter's id where it can be used and is the first of its content; rejected ones are filed with their reason."""
    try:
        adapter = read_adapter(offer.folder, offer.root, zoo.scoring.backbone, zoo.labels, zoo.settings.labels)
    except ArtifactError as error:
        found.rejected.append((offer.name, str(error)))
        return None
    except OSError as error:
        found.rejected.append((offer.name, f"not_a_file: cannot be read: {error.strerror or type(error).__name__}"))
        return None
    if adapter.adapter_id in found.ids:
        found.n_same += 1
        return None
    found.ids.add(adapter.adapter_id)
    found.n_unregistered += adapter.adapter_id not in known
    return adapter.adapter_id
