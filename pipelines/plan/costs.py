"""What do the rows of a plan cost on this machine? Calibrates on a few of the source's own pictures and adds up the stages."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from bronze.build import Source
from bronze.readers import list_source, reader_named
from bronze.specs import EMBEDDINGS, OUTSIDE
from gold import TABLES as GOLD_TABLES
from lake.errors import DataRefusedError
from models.backbone import Backbone
from models.decode import decode
from models.errors import RejectedInput
from models.recipe import Recipe
from ood.picture_shifts import PictureShifts
from ood.specs import PREDICTIONS as OOD_PREDICTIONS
from pipelines.check.backbone import stand_in
from pipelines.check.drawn import Drawn, drawn
from pipelines.check.tried_pictures import TriedPictures
from pipelines.pictures_only import picture_backbone, picture_pretraining, picture_recipe, picture_scoring
from pipelines.plan.calibrate import PICTURES, Costs, calibrate
from pipelines.plan.calibrate_training import TrainingCosts, pretraining_pace, training_costs
from pipelines.plan.calibrate_verbs import Work
from pipelines.plan.dry_run import Counts, rows_per_picture
from pipelines.plan.estimate import CLOSING_SECONDS, SESSION_SECONDS, TABLE_SECONDS, Line, Machine, Size, gold_seconds, stage_lines
from pipelines.plan.forwards import looks_per_picture, masks_per_picture
from pipelines.plan.poked import poked_lines
from pipelines.plan.row_bytes import Shape, foretold_row_bytes, stored_row_bytes
from pipelines.plan.table_of_lines import write_lines
from pipelines.run import Pipeline
from pipelines.tables import TABLES
from silver.adapters.offers import Zoo
from silver.adapters.pictures import side_of
from silver.methods import DRAWN

TRAINING_SHARE = 0.25  # of the seconds that may be spent


@dataclass(frozen=True)
class PlanCosts:
    """`lines`: a line per stage. `workers`: that compute at once, of `parallelism` that Spark starts. `measured_bytes`: tables whose bytes
    per row were read off the lake. `stands_in`: the backbone is one of the shape that the run will pre-train."""

    lines: tuple[Line, ...]
    costs: Costs
    training: TrainingCosts
    workers: int
    parallelism: int
    n_masks: int
    n_looks: int
    batch_size: int
    measured_bytes: tuple[str, ...]
    stands_in: bool


def plan_costs(pipeline: Pipeline, counts: Counts, seconds: float, scratch: Path) -> PlanCosts:
    """Measures for about `seconds`, on top of building and training a model for a moment; files go to `scratch` only.

    Raises DataRefusedError where no picture can be decoded, ArtifactError where no adapter can be trained on the backbone.
    """
    config, labels = pipeline.config, counts.examples.labels
    pictures = _pictures(pipeline, labels)
    known = pipeline.known_backbone(counts.examples)
    if known is None and config.backbone.pretrain is not None:
        backbone = stand_in(picture_pretraining(config.backbone.pretrain), scratch / "backbone")
    else:
        backbone = picture_backbone(pipeline.backbone(counts.examples))
    scoring = picture_scoring(pipeline.scoring(backbone, config.scoring.dtype, config.scoring.batch_size))
    label_ids = tuple(labels.index(picture.reference.label or "") for picture in pictures)
    tried = TriedPictures(scoring.pictures([picture.content for picture in pictures]), np.array(label_ids, dtype=np.int64))
    recipe = picture_recipe(next(iter(counts.adapters.to_train or config.adapters.recipes), Recipe(name="tried", rank=16)))
    zoo = Zoo(config.dataset, labels, scoring, config.adapters, scratch / "artifacts")
    training = training_costs(recipe, zoo, tried, scratch / "training", seconds * TRAINING_SHARE)
    embedding = picture_scoring(pipeline.scoring(backbone, config.embeddings.dtype, config.embeddings.batch_size))
    work = Work(
        pictures, label_ids, scoring, embedding, config.explanations, PictureShifts(scoring, config.corruptions),
        config.embeddings.keep_units, training.adapter,
    )  # fmt: skip
    context, cores = pipeline.lake.spark.sparkContext, os.cpu_count() or 1
    workers = computing_at_once(context.master or "", context.defaultParallelism, cores)
    costs = calibrate(work, seconds * (1 - TRAINING_SHARE), min(workers, cores))
    pretrain = config.backbone.pretrain
    pace = pretraining_pace(picture_pretraining(pretrain), tried, scratch) if known is None and pretrain is not None else 0.0
    size = _size(pipeline, counts, backbone, known is None)
    bytes_per_row, measured = _row_bytes(pipeline, counts, backbone, pictures)
    machine = Machine(workers, bytes_per_row)
    lines = [
        *stage_lines(size, costs, training, pace, machine),
        *poked_lines(config, counts.poked[0], [backbone.n_units], costs.forward, costs.crowding, machine),
    ]
    rest = rest_lines(pipeline, counts)
    return PlanCosts(
        (*lines, *rest), costs, training, workers, context.defaultParallelism, size.n_masks, size.n_looks, scoring.batch_size,
        measured, known is None,
    )  # fmt: skip


def computing_at_once(master: str, parallelism: int, cores: int) -> int:
    """Tasks that compute at once: Spark's default parallelism, on a local master no more than this machine has cores.

    `local[8]` on two cores starts eight workers that wait for each other. A cluster's cores are not this machine's.
    """
    return min(parallelism, cores) if re.match(r"local(\[|$)", master) else parallelism


def _pictures(pipeline: Pipeline, labels: tuple[str, ...]) -> tuple[Drawn, ...]:
    """Pictures of the source that can be decoded and have a label of the dataset."""
    config = pipeline.config
    source = Source(config.dataset, config.source, config.splits, config.decode, config.execution.max_rejected_share)
    listing = list_source(config.source, source.root, config.decode.max_bytes)
    found, _ = drawn(listing, reader_named(config.source.reader), source.root, PICTURES, config.decode.max_bytes, labels)
    good = []
    for picture in found:
        try:
            decode(picture.content, config.decode.limits())
        except RejectedInput:  # the run will say which and why
            continue
        good.append(picture)
    if not good:
        raise DataRefusedError(f"none of {len(found)} pictures drawn from {source.root} can be decoded: `assay check` says why")
    return tuple(good)


def _size(pipeline: Pipeline, counts: Counts, backbone: Backbone, pretrains: bool) -> Size:
    config, examples, adapters = pipeline.config, counts.examples, counts.adapters
    settings = config.backbone.pretrain
    seen = len(config.backbone.pretrain_labels or examples.labels) / len(examples.labels)
    masks = masks_per_picture(config.explanations, backbone.n_units)
    return Size(
        n_train=examples.count("adapter_train"),
        n_val=examples.count("adapter_val"),
        n_meta=min([examples.count("meta"), *([config.examined] if config.examined else [])]),
        n_adapters=adapters.n_scored,
        n_new_adapters=len(adapters.to_train) + adapters.n_unregistered + adapters.n_unread,
        n_masks=sum(len(found) for found in masks.values()),
        rows_per_picture={table.full_name: n for table, n in rows_per_picture(config).items()},
        batch_size=config.scoring.batch_size,
        to_do={table.full_name: to_do for table, (to_do, _) in counts.tables.items()},
        recipes=tuple(map(picture_recipe, adapters.to_train)),
        training_bytes=_training_bytes(counts, backbone.image_size),
        pretrain_pictures=round(settings.total_epochs * seen * examples.count("adapter_train"))
        if settings is not None and pretrains
        else 0,
        chunk_rows=config.execution.chunk_rows,
        n_outside=examples.count(OUTSIDE),
        n_shifted=counts.n_shifted,
        n_looks=looks_per_picture(config.explanations, backbone.n_units),
    )


def _training_bytes(counts: Counts, size: int) -> float:
    """Pictures are collected as they are trained on, three bytes a pixel, once for each size that recipes crop from."""
    n_train, n_val = counts.examples.count("adapter_train"), counts.examples.count("adapter_val")
    sides = {side_of(picture_recipe(recipe), size) for recipe in counts.adapters.to_train}
    return 3.0 * sum(n_train * side**2 + n_val * size**2 for side in sides)


def _row_bytes(
    pipeline: Pipeline, counts: Counts, backbone: Backbone, pictures: tuple[Drawn, ...]
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Bytes per row of every table, and the tables for which the lake itself told."""
    mean = sum(len(picture.content) for picture in pictures) / len(pictures)
    keep, methods = pipeline.config.embeddings.keep_units, pipeline.config.explanations.methods
    drawn_share = sum(method in DRAWN for method in methods) / len(methods)
    foretold = foretold_row_bytes(Shape(len(counts.examples.labels), backbone.n_units, backbone.hidden_size, keep, mean, drawn_share))
    measured = stored_bytes(pipeline, counts)
    return foretold | measured, tuple(measured)


def stored_bytes(pipeline: Pipeline, counts: Counts) -> dict[str, float]:
    """Bytes per row of the tables that the lake itself tells of: it has rows of these settings."""
    root, dataset = pipeline.lake.root, pipeline.config.dataset
    stored = {table.full_name: stored_row_bytes(root, table, dataset, identity) for table, identity in counts.identities.items()}
    return {name: found for name, found in stored.items() if found is not None}


def rest_lines(pipeline: Pipeline, counts: Counts) -> list[Line]:
    """Gold, and what every run pays."""
    to_do, done = counts.tables[OOD_PREDICTIONS]
    gold = gold_seconds(to_do + done, pipeline.config.gold)
    new_tables = sum(not pipeline.lake.exists(table) for table in TABLES)
    fixed = SESSION_SECONDS + TABLE_SECONDS * max(0, new_tables - len(GOLD_TABLES)) + CLOSING_SECONDS
    return [Line("gold", 0, 0, gold, 0.0), Line("session, tables, closing", 0, 0, fixed, 0.0)]


def write_costs(plan: PlanCosts, stream: TextIO) -> None:
    """The table of stages, and what it rests on."""
    write_lines(plan.lines, stream)
    costs = plan.costs
    of = f" (Spark's parallelism is {plan.parallelism}, the cores are fewer)" if plan.parallelism > plan.workers else ""
    stream.write(f"  {plan.workers} workers of one thread{of}; computing together each is {costs.crowding:.2f} times slower than alone\n")
    figures = (
        ("forward", costs.forward), ("masked forward", costs.masked), ("embedding", costs.stages[EMBEDDINGS.full_name]),
        ("decoding", costs.read), ("preparing", costs.prepare), ("all corruptions", costs.corrupt), ("training", plan.training.picture),
    )  # fmt: skip
    shown = ", ".join(f"{name} {seconds * 1000:.3g}" for name, seconds in figures)
    shown += f" on {plan.training.threads} (adapters.threads)" if plan.training.threads > 1 else ""
    stream.write(f"  ms a picture on one thread, in batches of {plan.batch_size} (measured in {costs.seconds:.0f} s): {shown}\n")
    stream.write(f"  {plan.n_masks} masks a picture and adapter, as the metrics' own rule gives them\n")
    if plan.n_looks > 1:
        stream.write(
            f"  {plan.n_looks} forwards a picture and adapter for its explanations, by their own rule (a step of ig counts as one)\n"
        )
    if plan.stands_in:
        stream.write("  the backbone is not there yet: measured on one of its shape with random weights\n")
    bytes_from = ", ".join(plan.measured_bytes) or "no table"
    stream.write(f"  GB: {bytes_from} as the lake's rows of this dataset and these settings are; the rest from the columns' widths\n")
