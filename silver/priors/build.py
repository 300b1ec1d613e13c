"""Recipes and training texts -> label scorers -> silver.priors -> what each steered training is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from lake.door import Lake
from lake.errors import ConfigError
from lake.fill import Inputs, Stage, fill
from lake.identity import settings_id
from lake.ledger import Ledger
from lake.rows import ERROR_COLUMNS, Identity
from models.text_recipe import Choice, TextRecipe
from models.text_scoring import TextScoring
from models.text_training_data import Prior, TextTrainingSet
from silver.priors.extract import Extraction, extract
from silver.priors.jobs import SOURCES, IgJob, Job, ig_jobs, jobs_of, prior_jobs
from silver.priors.material import training_priors
from silver.priors.twin import IgExtraction, Twin, extract_ig
from silver.priors.work import Generation, PriorWork, Scorers, ig_settings, prior_settings
from silver.specs import PRIORS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Verb = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]
COLUMNS = ("example_id", "target_id", "text")


def build_priors(lake: Lake, ledger: Ledger, work: PriorWork, recipes: Iterable[TextRecipe]) -> dict[Job, Generation]:
    """Brings the rows of cap, lime and shap that these recipes need up to date; trains the scorers that are lacking first."""
    made: dict[Job, Generation] = {}
    scorers = Scorers(work)
    for job in prior_jobs(recipes):
        selection = work.selection(job.chosen)
        scorer = scorers.of(job.chosen, selection)
        told = prior_settings(work, job, selection, scorer)
        variants = tuple({"source": source, "scorer": scorer.scorer_id} for source in SOURCES[job.template])
        identity = Identity(work.dataset, lake.settings_id(PRIORS, work.dataset, told), variants)
        plan = Extraction(scorer.model, work.labels, work.settings, job.n, job.template, scorer.leaky, identity)
        inputs = _inputs(lake, work, selection.examples, work.settings.commit_texts * len(variants))
        fill(lake, ledger, _stage(identity, _asking(plan)), inputs)
        made[job] = Generation(identity.settings_id, scorer.scorer_id, scorer.leaky)
    return made


def build_ig_priors(
    lake: Lake, ledger: Ledger, work: PriorWork, recipes: Iterable[TextRecipe], scoring: TextScoring, trained: Mapping[IgJob, Twin]
) -> dict[Job, Generation]:
    """Brings the rows of ig that these recipes need up to date, each twin's in one task and one commit.

    `trained`: for each of `ig_jobs(recipes)` the adapter of its `twin`; ConfigError where one is lacking.
    """
    made: dict[Job, Generation] = {}
    for job in ig_jobs(recipes):
        if job not in trained:
            raise ConfigError(f"the IG prior needs the adapter of twin {job.twin.name}, found none: train `twins(recipes)` first")
        selection, twin = work.selection(job.chosen), trained[job]
        scorer = twin.adapter.adapter_id
        told = ig_settings(work, job, selection, scoring, scorer)
        identity = Identity(work.dataset, lake.settings_id(PRIORS, work.dataset, told), ({"source": "ig", "scorer": scorer},))
        plan = IgExtraction(job.twin, twin, scoring, work.labels, work.train, work.val, work.settings.ig_steps, identity)
        fill(
            lake, ledger, _stage(identity, _looking(plan), one_task=True), _inputs(lake, work, selection.examples, len(selection.examples))
        )
        made[job] = Generation(identity.settings_id, scorer, False)
    return made


def priors_of(lake: Lake, work: PriorWork, recipe: TextRecipe, made: Mapping[Job, Generation]) -> dict[str, Prior]:
    """Example id -> the prior that steers this recipe (silver.priors.material), from the generations that were just built; none for
    cross-entropy. ConfigError where a generation is lacking, and where no text has a prior although beta > 0."""
    if recipe.priors is None:
        return {}
    rows: list[dict[str, object]] = []
    for job, sources in jobs_of(recipe).items():
        if job not in made:
            raise ConfigError(f"recipe {recipe.name}: the priors {', '.join(sources)} must be built before they are read, found them not")
        rows += _rows(lake, work.dataset, made[job], sources)
    examples = work.selection(Choice.of(recipe)).examples
    found = training_priors(rows, examples, recipe.priors, recipe.seed)
    if not found and recipe.priors.beta > 0:
        raise ConfigError(
            f"recipe {recipe.name}: some of its texts must have a prior of {recipe.arm}, none of the {len(examples):,} texts that it "
            "trains on has one; audit.rejected says why (table_name 'silver.priors'). Leave the recipe out, or set its beta to 0."
        )
    return found


def _rows(lake: Lake, dataset: str, generation: Generation, sources: tuple[str, ...]) -> list[dict[str, object]]:
    from pyspark.sql import functions as F

    mine = (F.col("dataset") == dataset) & (F.col("settings_id") == generation.settings_id) & (F.col("scorer") == generation.scorer)
    found = lake.read(PRIORS).where(mine & F.col("source").isin(*sources))
    rows: list[dict[str, object]] = found.select("example_id", "source", "target_id", "values", "words").toArrow().to_pylist()
    return rows


def _asking(plan: Extraction) -> Verb:
    return lambda batches: extract(batches, plan)


def _looking(plan: IgExtraction) -> Verb:
    return lambda batches: extract_ig(batches, plan)


def _stage(identity: Identity, verb: Verb, one_task: bool = False) -> Stage:
    ddl = PRIORS.ddl(ERROR_COLUMNS)

    def compute(examples: DataFrame) -> DataFrame:
        asked = examples.select(*COLUMNS, "todo")
        return (asked.coalesce(1) if one_task else asked).mapInArrow(verb, ddl)

    return Stage(PRIORS, identity.settings_id, identity.variants, compute)


def _inputs(lake: Lake, work: PriorWork, examples: TextTrainingSet, chunk_rows: int) -> Inputs:
    """The chosen texts with the label that is trained, dealt out to all cores by content."""
    label_ids = examples.label_ids.tolist()
    sha256 = settings_id(sorted(zip(examples.example_ids, label_ids, strict=True)))

    def frame() -> DataFrame:
        columns = [pa.array(examples.example_ids), pa.array(label_ids, pa.int32()), pa.array(examples.texts)]
        rows = lake.spark.createDataFrame(pa.table(columns, names=list(COLUMNS)))
        return rows.repartition(lake.spark.sparkContext.defaultParallelism, "example_id")

    return Inputs(work.dataset, work.examples_id, sha256, frame, len(examples), chunk_rows)
