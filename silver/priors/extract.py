"""What does a frozen language model say of each word of a text? The verb of silver.priors for CAP, LIME and SHAP."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from lake.identity import rng
from lake.rows import Identity, batch_of
from models.errors import RejectedInput
from models.label_scorer.artifact import LabelModel
from models.label_scorer.protocol import LabelScorer
from models.label_scorer.scorer import load_label_scorer
from models.label_scorer.settings import Template
from silver.priors.settings import PriorSettings
from silver.priors.words import words_of
from silver.specs import PRIORS
from xai.estimate import Estimate
from xai.fits import fit_cap, fit_lime, fit_shapley, shapley_design
from xai.masks import drawn_masks


@dataclass(frozen=True)
class Extraction:
    """What the verb must know: which model is asked, over which label space, by which template and how, and what `todo` counts in.

    Each variant of `identity` has a source of the template and the scorer's id. `model` lies where every worker can read it.
    """

    model: LabelModel
    labels: tuple[str, ...]
    settings: PriorSettings
    n: int
    template: Template
    leaky: bool | None
    identity: Identity


@dataclass(frozen=True)
class Answered:
    """What one text's masks gave: an estimate per source, and p of the label when the whole text is shown."""

    estimates: Mapping[str, Estimate]
    whole_p: float


def extract(batches: Iterator[pa.RecordBatch], plan: Extraction) -> Iterator[pa.RecordBatch]:
    """Batches of (example_id, target_id, text, todo) -> batches of silver.priors with error columns.

    The scorer is loaded once per worker process. Each text is one call with all its masks, so its rows are the same bits whatever its
    neighbours are. Rejected: `empty_text`, `too_large` (longer than the model reads), `nonfinite`, `label_unknown`.
    """
    scorer = load_label_scorer(plan.model, plan.labels, plan.settings.scoring, plan.template)
    for batch in batches:
        found: list[dict[str, object]] = []
        for row in batch.select(["example_id", "target_id", "text", "todo"]).to_pylist():
            found += _rows(plan, scorer, row["example_id"], row["target_id"], row["text"], row["todo"])
        yield batch_of(PRIORS, found)


def answered(
    scorer: LabelScorer,
    words: Sequence[str],
    label: str,
    generator: np.random.Generator,
    template: Template,
    settings: PriorSettings,
    n: int,
) -> Answered:
    """Ask for one text: for CAP the drawn masks; for LIME and SHAP the same masks and those that Shapley values need besides (all
    subsets of a short text, else the empty one), together. Masks that show the same are read once."""
    included = np.ones((1, len(words)), dtype=bool)
    keep = drawn_masks([generator], included, settings.masking(n))
    if template == "labelled":
        p = scorer.probabilities([words], [label], [keep[0]])
        return Answered({"cap": fit_cap(keep, p, included, settings.cap)}, float(p[0, 0]))
    design = shapley_design(keep, included, settings.shapley)
    p = scorer.probabilities([words], [label], [np.concatenate([keep[0], design.keep[0]])])
    lime = fit_lime(keep, p[:, :n], included, settings.lime)
    return Answered({"lime": lime, "shap": fit_shapley(design, p[:, n:], included, settings.shapley)}, float(p[0, 0]))


def _rows(
    plan: Extraction, scorer: LabelScorer, example_id: str, target_id: int, text: str, todo: Sequence[int]
) -> Iterator[dict[str, object]]:
    bases = [plan.identity.columns() | {"example_id": example_id} | dict(plan.identity.variants[index]) for index in todo]
    words = words_of(text)
    try:
        _check(plan, words, target_id)
        generator = rng(plan.settings.seed, example_id, "masks")
        found = answered(scorer, words, plan.labels[target_id], generator, plan.template, plan.settings, plan.n)
    except RejectedInput as error:
        yield from (base | {"error_code": error.code, "message": error.message} for base in bases)
        return
    told = {"target_id": target_id, "words": list(words), "n_masks": plan.n, "whole_p": found.whole_p, "leaky_prior": plan.leaky}
    for base in bases:
        estimate = found.estimates[str(base["source"])].single()
        if not np.isfinite(estimate.values).all():
            advice = "Use float32." if plan.settings.scoring.dtype != "float32" else "Use another language model."
            message = f"{base['source']} must be finite, found NaN or infinity in what the scorer says of this text. {advice}"
            yield base | {"error_code": "nonfinite", "message": message}
            continue
        errors = [None if math.isnan(error) else error for error in estimate.error[0].tolist()]
        yield base | told | {"values": estimate.values[0].tolist(), "error": errors, "clipped_share": float(estimate.clipped[0])}


def _check(plan: Extraction, words: Sequence[str], target_id: int) -> None:
    if not words:
        raise RejectedInput("empty_text", "a text must have at least one word, found none.")
    if not 0 <= target_id < len(plan.labels):
        raise RejectedInput(
            "label_unknown", f"the trained label must be one of the scorer's {len(plan.labels)} labels, found position {target_id}."
        )
