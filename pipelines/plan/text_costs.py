"""What do the rows of a plan for texts cost on this machine? Calibrates on a few of the source's own texts and adds up the stages."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bronze.build import Source
from bronze.readers import list_source, reader_named
from lake.errors import DataRefusedError
from models.backbone_record import TextBackbone
from models.errors import RejectedInput
from models.text_content import TextLimits, decode_text
from models.text_recipe import TextRecipe
from ood.specs import ATTACKED_TEXTS
from pipelines.check.backbone import text_stand_in
from pipelines.check.drawn import Drawn, drawn
from pipelines.check.tried_attacks import tried_shifts
from pipelines.check.tried_texts import TriedTexts
from pipelines.plan.calibrate_texts import TextCosts, calibrate_texts
from pipelines.plan.calibrate_verbs import TextWork
from pipelines.plan.costs import computing_at_once, rest_lines, stored_bytes
from pipelines.plan.dry_run import Counts, rows_per_picture
from pipelines.plan.estimate import Line, Machine
from pipelines.plan.poked import poked_lines
from pipelines.plan.prior_costs import PriorCosts, ig_costs, prior_costs
from pipelines.plan.row_bytes import TextShape, text_row_bytes
from pipelines.plan.text_forwards import asked_per_text, per_text
from pipelines.plan.text_lines import TextSize, text_lines
from pipelines.plan.text_training_costs import TextTrainingCosts, text_pretraining_pace, text_training_costs
from pipelines.run import Pipeline
from pipelines.texts_only import text_backbone, text_pretraining, text_recipe, text_scoring
from silver.adapters.offers import Zoo
from silver.priors.jobs import ig_jobs, jobs_of, prior_jobs
from silver.priors.words import words_of
from silver.specs import PREDICTIONS

TEXTS = 64  # rows of one Arrow batch of the run: batches are then filled as the run's are
TRAINING_SHARE, PRIOR_SHARE = 0.25, 0.25  # of the seconds that may be spent
TRIED = TextRecipe(name="tried", rank=8)  # where no recipe is to be trained: something must be scored


@dataclass(frozen=True)
class TextPlan:
    """`lines`: a line per stage. `workers`: that compute at once, of `parallelism` that Spark starts. `n_words`: of each tried text, inside
    the model's limit. `measured_bytes`: tables whose bytes per row were read off the lake. `stands_in`: the backbone is one of the shape
    that the run will pre-train."""

    lines: tuple[Line, ...]
    size: TextSize
    costs: TextCosts
    training: TextTrainingCosts
    priors: PriorCosts
    workers: int
    parallelism: int
    batch_size: int
    n_words: tuple[int, ...]
    measured_bytes: tuple[str, ...]
    stands_in: bool


def plan_text_costs(pipeline: Pipeline, counts: Counts, seconds: float, scratch: Path) -> TextPlan:
    """Measures for about `seconds`, on top of building and training models for a moment; files go to `scratch` only.

    Raises DataRefusedError where no text can be read, ArtifactError where a recipe cannot be trained on the backbone.
    """
    config, labels = pipeline.config, counts.examples.labels
    texts = _texts(pipeline, labels)
    contents = tuple(text.content.decode() for text in texts)
    label_ids = tuple(labels.index(text.reference.label or "") for text in texts)
    backbone, pace = _backbone(pipeline, counts, contents, scratch)
    scoring = text_scoring(pipeline.scoring(backbone, config.scoring.dtype, config.scoring.batch_size))
    embedding = text_scoring(pipeline.scoring(backbone, config.embeddings.dtype, config.embeddings.batch_size))
    n_words = tuple(scoring.prepare(contents).included.sum(axis=1).tolist())
    size = _size(pipeline, counts, n_words, contents, pretrains=pace is not None)
    recipes = (*size.plain, *size.twins, *size.steered) or (TRIED,)
    tried = TriedTexts(contents, np.array(label_ids, dtype=np.int64))
    zoo = Zoo(config.dataset, labels, scoring, config.adapters, scratch / "artifacts", config.priors)
    training = text_training_costs(recipes, zoo, tried, scratch / "training", seconds * TRAINING_SHARE)
    examples = tried.examples(len(contents), steered=False)
    spent = seconds * PRIOR_SHARE
    priors = prior_costs(config.priors, labels, size.jobs, examples, scratch / "scorer", spent)
    if size.ig_jobs:
        priors = priors.with_ig(ig_costs(scoring, training.adapter, config.priors.ig_steps, contents, spent))
    shifts = tried_shifts(config, scoring, labels, [text.example_id for text in texts], label_ids, contents)
    own = config.explanations, shifts, config.embeddings.keep_units, training.adapter
    work = TextWork(texts, label_ids, scoring, embedding, *own)
    context, cores = pipeline.lake.spark.sparkContext, os.cpu_count() or 1
    workers = computing_at_once(context.master or "", context.defaultParallelism, cores)
    costs = calibrate_texts(work, _source(pipeline), seconds * (1 - TRAINING_SHARE - PRIOR_SHARE), min(workers, cores))
    measured = stored_bytes(pipeline, counts)
    shape = TextShape(
        len(labels), float(np.mean(n_words)), backbone.hidden_size, config.embeddings.keep_units, float(np.mean([*map(len, contents)]))
    )
    machine = Machine(workers, text_row_bytes(shape) | measured)
    forward = costs.stages[PREDICTIONS.full_name].seconds
    poked = poked_lines(config, counts.poked[0], n_words, forward, costs.crowding, machine)
    lines = (*text_lines(size, costs, training, priors, pace or 0.0, machine), *poked, *rest_lines(pipeline, counts))
    return TextPlan(
        lines, size, costs, training, priors, workers, context.defaultParallelism, scoring.batch_size, n_words, tuple(measured),
        pace is not None,
    )  # fmt: skip


def _source(pipeline: Pipeline) -> Source:
    config = pipeline.config
    return Source(config.dataset, config.source, config.splits, config.decode, config.execution.max_rejected_share)


def _texts(pipeline: Pipeline, labels: tuple[str, ...]) -> tuple[Drawn, ...]:
    """Texts of the source that can be read and have a label of the dataset."""
    source = _source(pipeline)
    listing = list_source(source.source, source.root, source.limits.max_bytes)
    found, _ = drawn(listing, reader_named(source.source.reader), source.root, 2 * TEXTS, source.limits.max_bytes, labels)
    good = [text for text in found if _readable(text.content, source)]
    if not good:
        raise DataRefusedError(f"none of {len(found)} texts drawn from {source.root} can be used: `assay check` says why")
    return tuple(good[:TEXTS])


def _readable(content: bytes, source: Source) -> bool:
    limits = source.limits
    try:
        return isinstance(limits, TextLimits) and bool(decode_text(content, limits).text)
    except RejectedInput:  # the run will say which and why
        return False


def _backbone(pipeline: Pipeline, counts: Counts, texts: Sequence[str], scratch: Path) -> tuple[TextBackbone, float | None]:
    """The backbone; where the run will pre-train it one of its shape, and seconds a text and epoch of that."""
    settings = pipeline.config.backbone.pretrain
    known = pipeline.known_backbone(counts.examples)
    if known is not None or settings is None:
        return text_backbone(known or pipeline.backbone(counts.examples)), None
    own = text_pretraining(settings)
    return text_stand_in(own, texts, scratch / "backbone"), text_pretraining_pace(own, texts, scratch / "pretraining")


def _size(pipeline: Pipeline, counts: Counts, n_words: Sequence[int], texts: Sequence[str], pretrains: bool) -> TextSize:
    config, examples, adapters = pipeline.config, counts.examples, counts.adapters
    recipes = [*map(text_recipe, config.adapters.recipes)]
    to_train = [*map(text_recipe, adapters.to_train)]
    steered = tuple(recipe for recipe in to_train if recipe.priors is not None)
    jobs, needed = prior_jobs(steered), {job for recipe in steered for job in jobs_of(recipe)}
    of_twins = tuple(job for job in ig_jobs(recipes) if job in needed)
    settings, n_cells = config.backbone.pretrain, len(config.cells) - 1
    seen = len(config.backbone.pretrain_labels or examples.labels) / len(examples.labels)
    words = [words_of(text) for text in texts]
    return TextSize(
        n_train=examples.count("adapter_train"),
        n_val=examples.count("adapter_val"),
        n_meta=min([examples.count("meta"), *([config.examined] if config.examined else [])]),
        n_labels=len(examples.labels),
        n_adapters=adapters.n_scored,
        n_new_adapters=len(to_train) + adapters.n_unregistered + adapters.n_unread,
        to_do={table.full_name: to_do for table, (to_do, _) in counts.tables.items()},
        rows_per_text={table.full_name: n for table, n in rows_per_picture(config).items()} | {ATTACKED_TEXTS.full_name: max(1, n_cells)},
        forwards=per_text(config.explanations, n_words),
        plain=tuple(recipe for recipe in to_train if recipe.priors is None),
        twins=tuple(job.twin for job in of_twins if job.twin not in recipes),
        steered=steered,
        jobs=jobs,
        ig_jobs=of_twins,
        asked={job: asked_per_text(config.priors, job.template, job.n, words) for job in jobs},
        ig_steps=config.priors.ig_steps,
        scorer_epochs=0 if config.priors.training is None else config.priors.training.epochs,
        pretrain_texts=round(settings.total_epochs * seen * examples.count("adapter_train")) if settings is not None and pretrains else 0,
        chunk_rows=config.execution.chunk_rows,
    )
