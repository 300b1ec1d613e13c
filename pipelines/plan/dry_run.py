"""What would a run compute, how long would it take and how much would it write? Counted and measured; nothing is written."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from bronze.build import Examples, examples_of, examples_settings, first_examples, split_stamps
from bronze.embeddings.build import embedding_settings
from bronze.readers import list_source, reader_named
from bronze.readers.fingerprint import fingerprint
from bronze.specs import EMBEDDINGS, EXAMPLES, OUTSIDE, SHIFTED
from gold.inversion.adult_files import require_adult
from lake.door import Lake
from lake.identity import settings_id
from lake.ledger import Cell, Ledger
from lake.spec import Table
from models.recipe import Recipe
from models.text_recipe import TextRecipe
from ood.build import ood_settings
from ood.specs import ATTACKED_TEXTS
from ood.specs import PREDICTIONS as OOD_PREDICTIONS
from pipelines.backbones import named_backbone, named_text_backbone
from pipelines.check.splits import expected_splits
from pipelines.config import Config
from pipelines.language_model import require_language_model
from pipelines.own_data import require_shifted, source_of
from pipelines.plan.adapters import Adapters, plan_adapters
from pipelines.plan.exemplars import STAGE as SUPPORTED
from pipelines.plan.exemplars import exemplar_rows
from pipelines.plan.poked import STAGE as POKED
from pipelines.plan.poked import poked_rows
from pipelines.plan.provenance import write_networks
from pipelines.plan.shifted import count_shifted, predicted_rows, read_rows
from pipelines.plan.text_counts import rows_of_job
from pipelines.run import LAYERS, META, Pipeline
from pipelines.visible import visible
from silver.build import SilverIds, silver_ids
from silver.exemplars.specs import EXEMPLARS
from silver.priors.jobs import jobs_of
from silver.specs import ATTRIBUTIONS, EXPLANATION_METRICS, INVERSION, OUTSIDE_PREDICTIONS, PREDICTIONS, PRIORS

if TYPE_CHECKING:
    from models.backbone_record import AnyBackbone


@dataclass(frozen=True)
class Counts:
    """What the plan is about: examples (their numbers foretold where they are not read yet), adapters, and (to do, done) per table.

    `identities`: settings_id of every model table's planned generation; none before there is a backbone. `n_shifted`: examples of shifted
    sources of the user's own. `poked`, `supported`: (to do, done) of explanation metrics of the groups inversion and provenance, which are
    not among `tables`.
    """

    examples: Examples
    adapters: Adapters
    tables: Mapping[Table, tuple[int, int]]
    identities: Mapping[Table, str]
    n_shifted: int = 0
    poked: tuple[int, int] = (0, 0)
    supported: tuple[int, int] = (0, 0)

    @property
    def n_to_do(self) -> int:
        return sum(to_do for to_do, _ in self.tables.values()) + self.poked[0] + self.supported[0]


def dry_run(config: Config, root: str, stream: TextIO, seconds: float = 20.0) -> int:
    """Prints rows to do and done per table, which adapters are new, known and rejected; and after measuring for about `seconds` (0: not
    at all) forwards, hours and GB of every stage. Raises MissingInputError where examples, adapters or a model are not there."""
    from lake.session import open_session

    # what is not in reach is said before a JVM is started
    if config.backbone.name is not None:
        reached = named_text_backbone if config.modality == "text" else named_backbone
        reached(config.backbone.name, config.backbone.revision)
    require_language_model(config, LAYERS)
    require_shifted(config)
    require_adult(config.inversion)
    lake = Lake(open_session(), root, "dry-run", config.sha256)
    pipeline = Pipeline(lake, config)
    counts = counted(pipeline)
    stream.write(f"plan for dataset {config.dataset} in {root}\n")
    write_adapters(counts.adapters, stream)
    _write_tables(counts, stream)
    write_networks(pipeline.ledger, config.provenance, stream)
    if seconds > 0 and (counts.n_to_do or counts.adapters.to_train):
        with tempfile.TemporaryDirectory(prefix="assay-calibration-") as scratch:
            _price(pipeline, counts, seconds, Path(scratch), stream)
    stream.write("nothing was written; run again without --dry-run to compute this\n")
    return 0


def _price(pipeline: Pipeline, counts: Counts, seconds: float, scratch: Path, stream: TextIO) -> None:
    if pipeline.config.modality == "text":
        from pipelines.plan.text_costs import plan_text_costs
        from pipelines.plan.text_told import write_text_costs

        write_text_costs(plan_text_costs(pipeline, counts, seconds, scratch), stream)
        return
    from pipelines.plan.costs import plan_costs, write_costs

    write_costs(plan_costs(pipeline, counts, seconds, scratch), stream)


def counted(pipeline: Pipeline) -> Counts:
    """Examples, adapters and rows, by listing, ledger and folders."""
    examples, n_new = _examples(pipeline.lake, pipeline.ledger, pipeline.config)
    backbone = pipeline.known_backbone(examples)
    adapters = plan_adapters(pipeline, examples, backbone)
    identities = _identities(pipeline, examples, backbone) if backbone is not None else {}
    tables = {EXAMPLES: (n_new, examples.count(*examples.splits) - n_new)} | _stages(pipeline, examples, adapters, identities)
    if pipeline.config.modality == "text":
        tables |= {PRIORS: prior_rows(pipeline.config.adapters.recipes, adapters.to_train, examples)}
    shifted = count_shifted(pipeline, examples)
    if shifted:
        to_do, done = predicted_rows(pipeline, shifted, identities.get(OOD_PREDICTIONS), adapters.ids, adapters.n_scored)
        own = tables[OOD_PREDICTIONS]
        tables |= {SHIFTED: read_rows(shifted), OOD_PREDICTIONS: (own[0] + to_do, own[1] + done)}
    silver = None if backbone is None else _silver(pipeline, examples, backbone)
    inversion = [part.settings_id for part in silver.parts if part.group == INVERSION] if silver else []
    poked = poked_rows(pipeline, examples, adapters, inversion[0] if inversion else None)
    exemplars, supported = exemplar_rows(pipeline, examples, adapters, backbone, silver)
    tables |= {EXEMPLARS: exemplars} if any(exemplars) else {}
    return Counts(examples, adapters, tables, identities, sum(one.n for one in shifted), poked, supported)


def write_adapters(adapters: Adapters, stream: TextIO) -> None:
    """How many adapters of each kind, and each rejected one with its reason, on one line whatever strangers named it."""
    offered = f"offered: {adapters.n_new} new, {adapters.n_known} known"
    same = f", {adapters.n_same} the same as another" if adapters.n_same else ""
    unread = f", {adapters.n_unread} to be judged when there is a backbone" if adapters.n_unread else ""
    stream.write(f"  adapters: {len(adapters.to_train)} to train, {adapters.n_trained} trained; {offered}{same}{unread}; ")
    stream.write(f"{len(adapters.rejected)} rejected\n")
    for name, reason in adapters.rejected:
        stream.write(f"    rejected {visible(name)}: {visible(reason)}\n")


def _write_tables(counts: Counts, stream: TextIO) -> None:
    stream.write(f"  {'table':28} {'to do':>12} {'done':>12}\n")
    for table, (to_do, done) in counts.tables.items():
        stream.write(f"  {table.full_name:28} {to_do:>12,} {done:>12,}\n")
        for part, (more, there) in ((POKED, counts.poked), (SUPPORTED, counts.supported)):
            if table is EXPLANATION_METRICS and more + there:
                stream.write(f"  {part:28} {more:>12,} {there:>12,}\n")


def _examples(lake: Lake, ledger: Ledger, config: Config) -> tuple[Examples, int]:
    """The examples as they are or, before they are read, as the split shares foretell; and how many inputs must be read."""
    source = source_of(config)
    listing = list_source(config.source, source.root, config.decode.max_bytes)
    labels, settings = examples_settings(source, listing)
    identity = settings_id(settings)
    inputs = fingerprint(listing, reader_named(config.source.reader), source.root)
    if ledger.complete(EXAMPLES, identity, Cell(), inputs):
        return Examples(config.dataset, labels, identity, listing.ignored, split_stamps(lake, config.dataset, identity)), 0
    outside = frozenset(config.source.outside_labels)
    sources = Counter((reference.label in outside, reference.source_split) for reference in listing if reference.error_code is None)
    of_classes = Counter({name: n for (is_outside, name), n in sources.items() if not is_outside})
    expected = expected_splits(of_classes, config.source, config.splits) | {OUTSIDE: sources.total() - of_classes.total()}
    stamps = {split: (n, "unread") for split, n in expected.items()}
    return Examples(config.dataset, labels, identity, listing.ignored, stamps), sum(expected.values())


def _stages(pipeline: Pipeline, examples: Examples, adapters: Adapters, identities: Mapping[Table, str]) -> dict[Table, tuple[int, int]]:
    """Rows (to do, done) of every model table, by the row-count law and the ledger. Adapters that have no id yet have nothing done."""
    meta = examples_of(pipeline.lake, examples, META, 1)
    per_adapter = rows_per_picture(pipeline.config)
    n_all = examples.count(*examples.splits)
    of = {table: meta if table is PREDICTIONS else first_examples(meta, pipeline.config.examined) for table in per_adapter}
    sizes = {table: one.n_examples for table, one in of.items()}
    attacked = attack_cells(pipeline.config, sizes[OOD_PREDICTIONS])
    expected = {EMBEDDINGS: n_all} | {table: n * adapters.n_scored * sizes[table] for table, n in per_adapter.items()}
    wanted = {EMBEDDINGS: {Cell(): n_all}} | adapter_cells(pipeline.config, adapters.ids, sizes)
    inputs = {EMBEDDINGS: examples.inputs(*examples.splits)} | {table: one.sha256 for table, one in of.items()}
    if attacked:
        expected[ATTACKED_TEXTS], wanted[ATTACKED_TEXTS] = sum(attacked.values()), attacked
        inputs[ATTACKED_TEXTS] = inputs[OOD_PREDICTIONS]
    if n_outside := examples.count(OUTSIDE):
        expected[OUTSIDE_PREDICTIONS] = n_outside * adapters.n_scored
        wanted[OUTSIDE_PREDICTIONS] = {Cell(adapter_id): n_outside for adapter_id in adapters.ids}
        inputs[OUTSIDE_PREDICTIONS] = examples.inputs(OUTSIDE)
    done = {table: pipeline.ledger.rows_done(table, found, inputs[table], wanted[table]) for table, found in identities.items()}
    return {table: (n - done.get(table, 0), done.get(table, 0)) for table, n in expected.items()}


def rows_per_picture(config: Config) -> dict[Table, int]:
    """Rows of one picture and adapter in each table."""
    groups = config.explanations.groups
    return {
        PREDICTIONS: 1,
        ATTRIBUTIONS: len(config.explanations.methods),
        EXPLANATION_METRICS: sum(len(config.explanations.methods) + len(group.controls) for group in groups),
        OOD_PREDICTIONS: len(config.cells),
    }


def adapter_cells(config: Config, adapter_ids: Collection[str], n_examples: Mapping[Table, int]) -> dict[Table, dict[Cell, int]]:
    """Table -> cell -> rows that this configuration asks for, over these adapters. `n_examples`: that each table is about."""
    cells: dict[Table, dict[Cell, int]] = {
        table: {Cell(adapter_id): n * n_examples[table] for adapter_id in adapter_ids}
        for table, n in rows_per_picture(config).items()
        if table is not OOD_PREDICTIONS
    }
    corrupted = {Cell(adapter_id, *cell): n_examples[OOD_PREDICTIONS] for adapter_id in adapter_ids for cell in config.cells}
    return cells | {OOD_PREDICTIONS: corrupted}


def attack_cells(config: Config, n_examples: int) -> dict[Cell, int]:
    """Cell of ood.attacked_texts -> rows; none for pictures."""
    if config.modality != "text":
        return {}
    return {Cell(corruption=name, severity=severity): n_examples for name, severity in config.cells if severity}


def prior_rows(recipes: Sequence[Recipe | TextRecipe], to_train: Sequence[Recipe | TextRecipe], examples: Examples) -> tuple[int, int]:
    """Rows of silver.priors (to do, done): those that recipes without an adapter read count as to do, what is there already or not."""
    wanted = {job for recipe in recipes if isinstance(recipe, TextRecipe) for job in jobs_of(recipe)}
    open_ = {job for recipe in to_train if isinstance(recipe, TextRecipe) for job in jobs_of(recipe)}
    n_train, n_labels = examples.count("adapter_train"), len(examples.labels)
    rows = {job: rows_of_job(job, n_train, n_labels) for job in wanted}
    return sum(rows[job] for job in open_), sum(rows[job] for job in wanted - open_)


def _identities(pipeline: Pipeline, examples: Examples, backbone: AnyBackbone) -> dict[Table, str]:
    """settings_id of each model table's rows under this configuration."""
    config = pipeline.config
    meta = examples_of(pipeline.lake, examples, META, 1)
    scoring = pipeline.scoring(backbone, config.scoring.dtype, config.scoring.batch_size)
    own = pipeline.scoring(backbone, config.embeddings.dtype, config.embeddings.batch_size)
    silver = _silver(pipeline, examples, backbone)
    embedded = settings_id(embedding_settings(examples, own, config.embeddings.keep_units))
    found = {
        EMBEDDINGS: embedded,
        PREDICTIONS: silver.predictions,
        ATTRIBUTIONS: silver.attributions,
        EXPLANATION_METRICS: silver.explanation_metrics,
    }
    if examples.count(OUTSIDE):
        found[OUTSIDE_PREDICTIONS] = silver.predictions
    if config.modality == "image" or pipeline.ledger.complete(EMBEDDINGS, embedded, Cell(), examples.inputs(*examples.splits)):
        found[OOD_PREDICTIONS] = settings_id(ood_settings(meta, scoring, pipeline.shifts(examples, scoring)))  # attacks need embeddings
        found |= {ATTACKED_TEXTS: found[OOD_PREDICTIONS]} if config.modality == "text" else {}
    return found


def _silver(pipeline: Pipeline, examples: Examples, backbone: AnyBackbone) -> SilverIds:
    config = pipeline.config
    scoring = pipeline.scoring(backbone, config.scoring.dtype, config.scoring.batch_size)
    return silver_ids(examples_of(pipeline.lake, examples, META, 1), scoring, config.explanations)
