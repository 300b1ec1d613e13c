"""How do adapters score, and recipes train on, a few texts?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.any_scoring import Logits
from models.scored_adapter import ScoredAdapter
from models.text_recipe import TextRecipe
from models.text_training_data import Prior, TextTrainingSet
from models.training_recipe import TrainingRecipe
from models.words import word_spans
from pipelines.check.tried import TRAINED
from pipelines.check.tried_pictures import lora_shape
from pipelines.texts_only import text_recipe, text_scoring
from silver.adapters.offers import Zoo

# What decides which examples are trained on, and for how long, but not what is built.
SHORT = {"epochs": 1, "train_share": 1.0, "shots": None, "label_noise": 0.0, "patience": None}


@dataclass(frozen=True)
class TriedTexts:
    """The texts that are scored, each with a word, and their label ids int64 [n]."""

    texts: tuple[str, ...]
    label_ids: NDArray[np.int64]
    what: str = "texts"

    def scores(self, adapter: ScoredAdapter, zoo: Zoo) -> tuple[Logits, NDArray[np.bool_]]:
        """See Tried."""
        scoring = text_scoring(zoo.scoring)
        inputs = scoring.prepare(self.texts)
        logits = scoring.logits(adapter, inputs)
        _, attention = scoring.scorer(adapter).explain(inputs)
        return logits, np.asarray(np.isfinite(logits).all(axis=1) & np.isfinite(attention).all(axis=1))

    def shape(self, recipe: TrainingRecipe) -> str:
        """See Tried."""
        return text_shape(text_recipe(recipe))

    def train(self, recipe: TrainingRecipe, zoo: Zoo, folder: Path, threads: int) -> None:
        """See Tried. A recipe with a prior is steered by one that gives every word the same: priors are made by the run."""
        short = text_recipe(recipe).model_copy(update=SHORT)
        train_on(short, self.examples(TRAINED, steered=short.priors is not None), zoo, folder, threads)

    def examples(self, n: int, steered: bool) -> TextTrainingSet:
        """`n` of the texts, repeated where there are fewer; with even priors where training is steered."""
        places = [place % len(self.texts) for place in range(n)]
        texts = tuple(self.texts[place] for place in places)
        ids = tuple(f"{place:032x}" for place in range(n))
        return TextTrainingSet(texts, self.label_ids[places], ids, tuple(map(even_prior, texts)) if steered else None)


def text_shape(recipe: TextRecipe) -> str:
    """What a recipe for texts builds and how its loss is made, in words."""
    built = "every weight" if recipe.tuning == "full" else lora_shape(recipe)
    return built if recipe.priors is None else f"{built}, steered by a prior with {recipe.priors.ig_steps} steps"


def train_on(recipe: TextRecipe, examples: TextTrainingSet, zoo: Zoo, folder: Path, threads: int) -> None:
    """Trains into `folder`, one of the examples for validation. Raises ArtifactError as training does."""
    from models.text_training import train_text

    scoring = text_scoring(zoo.scoring)
    own = examples.take([0])
    train_text(recipe, scoring.backbone, zoo.labels, examples, own, folder, scoring.fitted_buckets, threads=threads)


def even_prior(text: str) -> Prior:
    """The prior that knows nothing: every word the same, together of L2 norm 1."""
    n = len(word_spans(text))
    return np.full(n, 1.0 / math.sqrt(n), dtype=np.float32)
