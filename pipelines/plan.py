"""What would a run compute? Counted from listing, ledger and adapter folders; nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from bronze.build import Examples, Source, embedding_settings, examples_of, examples_settings, split_stamps
from bronze.readers import list_source, reader_named
from bronze.readers.fingerprint import fingerprint
from bronze.specs import EMBEDDINGS, EXAMPLES, SPLITS
from lake.door import Lake
from lake.identity import settings_id
from lake.ledger import Cell, Ledger
from lake.spec import Table
from ood.build import ood_settings
from ood.specs import PREDICTIONS as OOD_PREDICTIONS
from pipelines.backbones import TRAINING
from pipelines.config import Config
from pipelines.run import META, Pipeline
from silver.adapters.train import side_for
from silver.build import silver_ids
from silver.specs import ATTRIBUTIONS, EXPLANATION_METRICS, PREDICTIONS

Line = tuple[str, int, int]


def dry_run(config: Config, root: str, stream: TextIO) -> int:
    """Prints rows to do and done per table, and which adapters are new. Where examples are not read yet, counts are the shares'."""
    from lake.session import open_session

    lake = Lake(open_session(), root, "dry-run", config.sha256)
    pipeline = Pipeline(lake, config)
    examples, n_new = _examples(lake, pipeline.ledger, config)
    stream.write(f"plan for dataset {config.dataset} in {root}\n")
    new, known, foreign = _recipes(pipeline, examples)
    stream.write(f"  adapters: {new} to train, {known} trained, {foreign} offered in adapters.folders\n")
    stream.write(f"  {'table':28} {'to do':>12} {'done':>12}\n")
    for name, to_do, done in [
        (EXAMPLES.full_name, n_new, examples.count(*SPLITS) - n_new),
        *_stages(pipeline, examples, new + known + foreign),
    ]:
        stream.write(f"  {name:28} {to_do:>12,} {done:>12,}\n")
    stream.write("nothing was written; run again without --dry-run to compute this\n")
    return 0


def _examples(lake: Lake, ledger: Ledger, config: Config) -> tuple[Examples, int]:
    """The examples as they are or, before they are read, as the split shares foretell; and how many inputs must be read."""
    source = Source(config.dataset, config.source, config.splits, config.decode, config.execution.max_rejected_share)
    listing = list_source(config.source, source.root, config.decode.max_bytes)
    labels, settings = examples_settings(source, listing)
    identity = settings_id(settings)
    inputs = fingerprint(listing, reader_named(config.source.reader), source.root)
    if ledger.complete(EXAMPLES, identity, Cell(), inputs):
        return Examples(config.dataset, labels, identity, listing.ignored, split_stamps(lake, config.dataset, identity)), 0
    n_all = sum(1 for _ in listing)
    shares = {split: round(n_all * float(getattr(config.splits, split))) for split in SPLITS}
    return Examples(config.dataset, labels, identity, listing.ignored, {split: (n, "unread") for split, n in shares.items()}), n_all


def _recipes(pipeline: Pipeline, examples: Examples) -> tuple[int, int, int]:
    """Adapters to train, trained already, and brought in from elsewhere."""
    from models.manifest import find_trained
    from models.recipe import recipe_sha256

    settings = pipeline.config.adapters
    foreign = sum(1 for folder in settings.folders if Path(folder).is_dir() for path in Path(folder).iterdir() if path.is_dir())
    backbone = pipeline.known_backbone(examples)
    if backbone is None:
        return len(settings.recipes), 0, foreign
    scoring = pipeline.scoring(backbone, pipeline.config.scoring.dtype, pipeline.config.scoring.batch_size)
    zoo = pipeline.zoo(examples, scoring)
    inputs = examples_of(pipeline.lake, examples, TRAINING, 1)
    known = 0
    for recipe in settings.recipes:
        mark = zoo.training_folder(inputs, side_for(recipe, scoring.preprocessing.size)) / "fingerprint.txt"
        sha256 = recipe_sha256(recipe, backbone.sha256, mark.read_text(encoding="utf-8")) if mark.exists() else None
        known += sha256 is not None and find_trained(zoo.store, sha256) is not None
    return len(settings.recipes) - known, known, foreign


def _stages(pipeline: Pipeline, examples: Examples, n_adapters: int) -> list[Line]:
    """Rows to do and done of every model table, by the row-count law and the ledger."""
    config = pipeline.config
    meta = examples_of(pipeline.lake, examples, META, 1)
    groups = config.explanations.groups
    per_adapter: dict[Table, int] = {
        PREDICTIONS: 1,
        ATTRIBUTIONS: len(config.explanations.methods),
        EXPLANATION_METRICS: sum(len(config.explanations.methods) + len(group.controls) for group in groups),
        OOD_PREDICTIONS: len(config.corruptions.cells()),
    }
    expected = {EMBEDDINGS: examples.count(*SPLITS)} | {table: n * n_adapters * meta.n_examples for table, n in per_adapter.items()}
    done = _done(pipeline, examples)
    return [(table.full_name, max(0, n - done.get(table, 0)), min(n, done.get(table, 0))) for table, n in expected.items()]


def _done(pipeline: Pipeline, examples: Examples) -> dict[Table, int]:
    backbone = pipeline.known_backbone(examples)
    if backbone is None:
        return {}
    config = pipeline.config
    meta = examples_of(pipeline.lake, examples, META, 1)
    scoring = pipeline.scoring(backbone, config.scoring.dtype, config.scoring.batch_size)
    own = pipeline.scoring(backbone, config.embeddings.dtype, config.embeddings.batch_size)
    silver = silver_ids(meta, scoring, config.explanations)
    ids = {
        EMBEDDINGS: settings_id(embedding_settings(examples, own, config.embeddings.keep_units)),
        PREDICTIONS: silver.predictions,
        ATTRIBUTIONS: silver.attributions,
        EXPLANATION_METRICS: silver.explanation_metrics,
        OOD_PREDICTIONS: settings_id(ood_settings(meta, scoring, config.corruptions)),
    }

    def inputs_of(table: Table) -> str:
        return examples.inputs(*SPLITS) if table is EMBEDDINGS else meta.sha256

    return {table: pipeline.ledger.rows_done(table, identity, inputs_of(table)) for table, identity in ids.items()}
