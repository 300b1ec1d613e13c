"""What does a cross-entropy-only twin say of each word? The verb of silver.priors for IG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from lake.rows import Identity, batch_of
from models.adapters import Adapter
from models.ig_prior import ig_prior
from models.scored_adapter import ScoredAdapter
from models.text_recipe import TextRecipe
from models.text_scoring import TextScoring
from models.text_training_data import Prior, TextTrainingSet
from silver.priors.words import words_of
from silver.specs import PRIORS

NONFINITE = "ig must be finite, found NaN or infinity in the twin's gradients in float32. See how its training went."


@dataclass(frozen=True)
class Twin:
    """One trained twin: the adapter as it was read, and ready to score."""

    adapter: Adapter
    scored: ScoredAdapter


@dataclass(frozen=True)
class IgExtraction:
    """What the verb must know: the twin's recipe and the twin, how to score, the sets it was trained on, what `todo` counts in."""

    recipe: TextRecipe
    twin: Twin
    scoring: TextScoring
    labels: tuple[str, ...]
    train: TextTrainingSet
    val: TextTrainingSet
    steps: int
    identity: Identity

    def values(self) -> dict[str, Prior]:
        """|IG| of every word of every chosen text, by models.ig_prior, which refuses any adapter but the twin."""
        own = (self.recipe, self.twin.adapter, self.twin.scored, self.scoring, self.labels, self.train, self.val, self.steps)
        return ig_prior(*own)


def extract_ig(batches: Iterator[pa.RecordBatch], plan: IgExtraction) -> Iterator[pa.RecordBatch]:
    """Batches of (example_id, target_id, text) -> batches of silver.priors with error columns. For one task: the gradients of all chosen
    texts are computed at the first batch. ArtifactError `tensor_mismatch` for another adapter than the twin."""
    found: Mapping[str, Prior] | None = None
    (variant,) = plan.identity.variants
    for batch in batches:
        found = plan.values() if found is None else found
        rows: list[dict[str, object]] = []
        for row in batch.select(["example_id", "target_id", "text"]).to_pylist():
            base = plan.identity.columns() | dict(variant) | {"example_id": row["example_id"]}
            if row["example_id"] in found:
                told = {"target_id": row["target_id"], "words": list(words_of(row["text"])), "leaky_prior": False}
                rows.append(base | told | {"values": found[row["example_id"]].tolist()})
            else:
                rows.append(base | {"error_code": "nonfinite", "message": NONFINITE})
        yield batch_of(PRIORS, rows)
