"""How many forward passes do texts take? By the rules of the methods, of the metrics, and of the priors, for the lengths that there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float64

from lake.identity import rng
from models.label_scorer.settings import Template
from models.text_recipe import TextRecipe
from pipelines.plan.forwards import ANY_EXAMPLE, masks_per_picture
from silver.methods import forwards_per_example
from silver.priors.extract import answered
from silver.priors.settings import PriorSettings
from silver.settings import ExplanationSettings

LABEL = "label"


@dataclass(frozen=True)
class PerText:
    """Forwards of one text under one adapter, mean over the texts that were drawn: behind its attributions, and behind its metrics."""

    attributions: float
    metrics: float


def per_text(explanations: ExplanationSettings, n_words: Sequence[int]) -> PerText:
    """`n_words`: words of each drawn text inside the model's limit. Both are the most that can be: equal masks are asked once."""
    lengths = Counter(n_words)
    looks = {n: forwards_per_example(explanations.methods, n, explanations.method_settings) for n in lengths}
    masks = {n: sum(len(found) for found in masks_per_picture(explanations, n).values()) for n in lengths}
    total = lengths.total()
    return PerText(
        sum(looks[n] * times for n, times in lengths.items()) / total,
        sum(masks[n] * times for n, times in lengths.items()) / total,
    )


@dataclass
class Recorder:
    """A label scorer that says one half and counts the distinct masked texts it was asked about."""

    n_asked: int = 0
    labels: tuple[str, ...] = (LABEL,)
    settings: dict[str, object] = field(default_factory=dict)

    def probabilities(
        self, texts: Sequence[Sequence[str]], true_labels: Sequence[str], keep: Sequence[Bool[np.ndarray, "masks words"]]
    ) -> Float64[np.ndarray, "examples masks"]:
        """See LabelScorer."""
        self.n_asked += sum(len(np.unique(masks, axis=0)) for masks in keep)
        return np.full((len(texts), len(keep[0])), 0.5)


def asked_per_text(settings: PriorSettings, template: Template, n_masks: int, texts: Sequence[Sequence[str]]) -> float:
    """Distinct masked texts that the label scorer reads for one text's priors, mean over these texts, given as words."""
    recorder = Recorder()
    for words in texts:
        answered(recorder, words, LABEL, rng(settings.seed, ANY_EXAMPLE, "masks"), template, settings, n_masks)
    return recorder.n_asked / len(texts)


def training_forwards(recipe: TextRecipe, n_train: int, n_val: int) -> int:
    """Rows through the model, each training text once forward and twice backward; what steers it reads every step of the path in two such
    passes (docs/decisions/0017). As many epochs as there may be: patience can end a training before."""
    passes = 1 if recipe.priors is None else 1 + 2 * recipe.priors.ig_steps
    return recipe.epochs * (3 * passes * n_train + n_val)
