"""What does a cross-entropy-only twin look at? The IG prior of METHODS 5 and 9: of a twin trained on the same examples, never on more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.adapters import Adapter
from models.errors import ArtifactError
from models.scored_adapter import ScoredAdapter
from models.text_recipe import Choice, TextRecipe, twin_of
from models.text_scoring import TextScoring
from models.text_selection import selected
from models.text_training import text_origin
from models.text_training_data import Prior, TextTrainingSet
from models.words import word_spans


def ig_prior(
    recipe: TextRecipe,
    twin: Adapter,
    scored: ScoredAdapter,
    scoring: TextScoring,
    labels: Sequence[str],
    train: TextTrainingSet,
    val: TextTrainingSet,
    steps: int = 8,
) -> dict[str, Prior]:
    """Example id -> |IG| of each word for the label it is trained under (>= 0, not normalised; 0 for words beyond the model's limit), for
    every example that `recipe` selects from `train`; a text whose gradients are not finite is left out.

    `twin`: the adapter trained by `twin_of(recipe)` on these data; `scored`: the same, merged. Raises ArtifactError `tensor_mismatch` where
    either is any other adapter: one that saw more examples would tell the target what it is not to know.
    """
    expected = text_origin(twin_of(recipe), scoring.backbone, labels, train, val, scoring.fitted_buckets).sha256
    if twin.recipe_sha256 != expected:
        raise ArtifactError(
            "tensor_mismatch",
            f"an IG prior for recipe {recipe.name} must come from its twin {expected:.12} on the same examples, found "
            f"{twin.name} ({(twin.recipe_sha256 or 'no recipe'):.12}). Train `twin_of(recipe)` on the same sets.",
        )
    if scored.adapter_id != twin.adapter_id:
        raise ArtifactError(
            "tensor_mismatch",
            f"an IG prior must be scored with its twin {twin.name} ({twin.adapter_id:.12}), found merged tensors of "
            f"{scored.adapter_id:.12}. Merge the twin.",
        )
    examples = selected(Choice.of(recipe), train, len(labels)).examples
    texts = scoring.prepare(examples.texts)
    targets = np.asarray(scored.label_order, dtype=np.int64)[examples.label_ids]
    values = np.abs(scoring.scorer(scored, "float32").integrated_gradients(texts, targets, steps).values)
    found: dict[str, Prior] = {}
    for example_id, text, row, included in zip(examples.example_ids, examples.texts, values, texts.included, strict=True):
        if np.isfinite(row).all():
            whole = np.zeros(len(word_spans(text)), dtype=np.float32)
            whole[: included.sum()] = row[included]
            found[example_id] = whole
    return found
