"""silver and ood -> every gold table of one dataset, recomputed only when what it rests on has changed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from bronze.specs import NATURAL
from gold import TABLES
from gold.frames import ADAPTERS, CELLS, MEANS, METRICS, ROWS, XAI_FEATURES, Frames, columns_of
from gold.separations import DDL, SCORES, of_adapter
from gold.settings import GoldSettings
from gold.slicing.build import metadata_cells
from gold.steering.build import embedded_examples, text_frames
from gold.steering.frames import TextFrames
from gold.steering.inputs import TextInputs
from gold.steering.selections import Trained, choices_of, trained_on
from gold.table import GoldTable, to_arrow
from lake.door import Lake
from lake.identity import settings_id
from lake.ledger import Cell, Done, Ledger
from lake.progress import Progress
from lake.spec import Table
from models.text_recipe import Choice
from ood.specs import PREDICTIONS as OOD_PREDICTIONS
from silver.specs import ADAPTERS as SILVER_ADAPTERS
from silver.specs import EXPLANATION_METRICS, OUTSIDE_PREDICTIONS, PREDICTIONS, Part

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

WRITERS = 3  # a small commit mostly waits for the log, so a few at once cost little more than one


@dataclass(frozen=True)
class OutsideInputs:
    """settings_id of bronze.examples and of bronze.embeddings, of a dataset that has inputs of no class, and the hash of which examples
    they are: logistic regression is fitted on them, whatever silver and ood are about."""

    examples_id: str
    embeddings_id: str
    inputs_sha256: str


@dataclass(frozen=True)
class OwnFrames:
    """What a user's own data add. `natural`: corruption, example_id, label of the examples of shifted sources; `metadata`: rows of
    bronze.metadata. None where the configuration asks for none; what they hold is part of `GoldInputs.sha256`."""

    natural: DataFrame | None = None
    metadata: DataFrame | None = None


@dataclass(frozen=True)
class GoldInputs:
    """One dataset's generations that gold reads, and what the configuration asked for.

    `labels` are ordered; `cells` are (corruption, severity) with clean first; `corruptions` has one row per cell for people.
    `sha256` is the hash of all cells of work that gold rests on. `text`: what the tables about priors read besides; None for pictures.
    `outside`: None without inputs of no class. `parts`: explanation metrics that have generations of their own, as far as asked for.
    """

    dataset: str
    labels: tuple[str, ...]
    adapters_id: str
    predictions_id: str
    metrics_id: str
    ood_id: str
    adapter_ids: tuple[str, ...]
    cells: tuple[tuple[str, int], ...]
    corruptions: pd.DataFrame
    metric_group: str
    sha256: str
    text: TextInputs | None = None
    outside: OutsideInputs | None = None
    parts: tuple[Part, ...] = ()

    def defining(self, settings: GoldSettings) -> dict[str, object]:
        """All that defines the dataset's rows of gold."""
        own = {"inputs": self.sha256, "settings": settings, "group": self.metric_group, "ranks_of": "one family of recipes"}
        own |= {} if self.outside is None else {"outside": vars(self.outside)}
        return own if self.text is None else own | {"text": self.text.settings()}


def build_gold(
    lake: Lake,
    ledger: Ledger,
    inputs: GoldInputs,
    labels_of: DataFrame,
    examined: DataFrame,
    settings: GoldSettings,
    own: OwnFrames | None = None,
) -> None:
    """Rewrites the dataset's rows of each gold table whose inputs or settings changed. `labels_of`: example_id, label of meta; `examined`:
    the same of those that are explained and shifted."""
    own = own or OwnFrames()
    defining = inputs.defining(settings)
    fingerprint = settings_id(defining)
    for table in TABLES:
        lake.settings_id(table.spec, inputs.dataset, defining)
    stale = [table for table in TABLES if not ledger.complete(table.spec, fingerprint, Cell(), fingerprint)]
    for table in TABLES:
        if table not in stale:
            lake.skip(table.spec, ledger.done(table.spec, fingerprint, Cell()).n_done)  # type: ignore[union-attr]  # complete says so
    if not stale:
        return
    with Progress("gold", len(TABLES)) as progress, ThreadPoolExecutor(WRITERS) as pool:
        creating = [pool.submit(lake.create, table.spec) for table in TABLES]  # while one task fits the learners
        joined = _joined(lake, inputs, examined, own.natural, settings.method).cache()
        built = dict(_built(lake, inputs, joined, labels_of, examined, settings, own.metadata))
        joined.unpersist()
        for created in creating:
            created.result()

        ledger.reopen((table.spec for table in TABLES), fingerprint)

        def write(table: GoldTable) -> None:
            if inputs.parts:
                lake.renew_checks(table.spec)  # a table made before there was such a part refuses its features
            _write(lake, table, built[table.spec.name], inputs.dataset, fingerprint)
            progress.step()

        list(pool.map(write, TABLES))
    for table in TABLES:
        n_rows = len(built[table.spec.name])
        ledger.forget(table.spec)  # replaced rows belong to one fingerprint only
        ledger.note(table.spec, fingerprint, {Cell(): Done(fingerprint, n_rows, n_rows)})
    ledger.commit()


def _built(
    lake: Lake,
    inputs: GoldInputs,
    joined: DataFrame,
    labels_of: DataFrame,
    examined: DataFrame,
    settings: GoldSettings,
    metadata: DataFrame | None,
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Tables by name in build order: those over rows in Spark tasks, the others here from aggregates."""
    frames = _aggregates(lake, inputs, joined, settings)
    if inputs.text is not None:
        frames = replace(frames, text=text_frames(lake, inputs, inputs.text, labels_of, examined, settings.steering, settings.seed))
    if metadata is not None:
        sliced, unsliced = metadata_cells(joined, metadata)
        frames = replace(frames, sliced=sliced, unsliced=unsliced)
    if inputs.outside is not None:
        frames = replace(frames, separations=_separations(lake, inputs))
    frames = replace(frames, linear=_linear(lake, inputs, frames.text))
    made = _from_rows(lake, inputs, joined, settings)
    for table in TABLES:
        frame = made[table.spec.name] if table.needs_rows else table.build(frames)
        frames = replace(frames, built={**frames.built, table.spec.name: frame})
        yield table.spec.name, frame


def _joined(lake: Lake, inputs: GoldInputs, labels_of: DataFrame, natural: DataFrame | None, method: str) -> DataFrame:
    """One row per (example, adapter, corruption, severity), clean included, with the clean scores and explanation metrics beside; of
    shifted data of the user's own there are none."""
    from pyspark.sql import functions as F

    def mine(table: Table, identity: str) -> DataFrame:
        rows = lake.read(table).where((F.col("dataset") == inputs.dataset) & (F.col("settings_id") == identity))
        return rows.where(F.col("adapter_id").isin(list(inputs.adapter_ids)))

    clean = mine(PREDICTIONS, inputs.predictions_id).select(
        "example_id", "adapter_id", F.col("confidence"), "margin", "softmax_entropy", F.col("is_correct").alias("clean_correct")
    )
    group = mine(EXPLANATION_METRICS, inputs.metrics_id).where((F.col("metric_group") == inputs.metric_group) & (F.col("method") == method))
    metrics = group.select("example_id", "adapter_id", *(F.col("metrics")[name].alias(name) for name in XAI_FEATURES))
    wanted = lake.spark.createDataFrame(list(inputs.cells), "corruption string, severity int")
    ood = mine(OOD_PREDICTIONS, inputs.ood_id).join(F.broadcast(wanted), ["corruption", "severity"])
    ood = ood.select(
        "example_id", "adapter_id", "corruption", "severity", "is_correct", "flipped", F.col("confidence").alias("shifted_confidence")
    )
    key = ["example_id", "adapter_id"]
    rows = ood.join(clean, key, "left").join(metrics, key, "left")
    for part in inputs.parts:
        own = (F.col("metric_group") == part.group) & (F.col("method") == (part.method or method))
        features = (F.col("metrics")[name].alias(column) for name, column in columns_of(part).items())
        rows = rows.join(mine(EXPLANATION_METRICS, part.settings_id).where(own).select(*key, *features), key, "left")
    if natural is None:
        return rows.join(F.broadcast(labels_of), "example_id")
    is_natural = F.col("corruption").startswith(NATURAL)
    others = rows.where(is_natural).join(F.broadcast(natural), ["corruption", "example_id"])
    return rows.where(~is_natural).join(F.broadcast(labels_of), "example_id").unionByName(others)


def _aggregates(lake: Lake, inputs: GoldInputs, joined: DataFrame, settings: GoldSettings) -> Frames:
    """What the driver needs: counts per cell and label, means per adapter, the adapters. None of it has a row per example."""
    from pyspark.sql import functions as F

    cells = joined.groupBy("adapter_id", "label", "corruption", "severity").agg(
        F.count("*").alias("n"), F.sum(F.col("is_correct").cast("int")).alias("n_correct"),
        F.sum(F.col("flipped").cast("int")).alias("n_flipped"), F.sum("shifted_confidence").alias("sum_confidence"),
    )  # fmt: skip
    clean = joined.where("corruption = 'none'").groupBy("adapter_id")
    figures = [f(name).alias(f"{kind}_{name}") for name in METRICS for kind, f in (("mean", F.mean), ("std", F.stddev_samp))]
    means = clean.agg(*figures, F.count("*").alias("n"))
    adapters = lake.read(SILVER_ADAPTERS).where((F.col("dataset") == inputs.dataset) & (F.col("settings_id") == inputs.adapters_id))
    return Frames(
        inputs.dataset,
        cells=cells.toPandas()[list(CELLS)],
        means=means.toPandas()[list(MEANS)],
        adapters=adapters.select(*ADAPTERS).toPandas(),
        corruptions=inputs.corruptions,
        settings=settings,
    )


def _separations(lake: Lake, inputs: GoldInputs) -> pd.DataFrame:
    """`SEPARATIONS`, each adapter in a task of its own."""
    from pyspark.sql import functions as F

    def mine(table: Table, is_outside: bool) -> DataFrame:
        rows = lake.read(table).where((F.col("dataset") == inputs.dataset) & (F.col("settings_id") == inputs.predictions_id))
        rows = rows.where(F.col("adapter_id").isin(list(inputs.adapter_ids)))
        return rows.select("adapter_id", *SCORES, F.lit(is_outside).alias("is_outside"))

    rows = mine(PREDICTIONS, is_outside=False).unionByName(mine(OUTSIDE_PREDICTIONS, is_outside=True))
    found: pd.DataFrame = rows.groupBy("adapter_id").applyInPandas(of_adapter, DDL).toArrow().to_pandas()
    return found


def _linear(lake: Lake, inputs: GoldInputs, text: TextFrames | None) -> dict[Choice, Trained]:
    """`Frames.linear`. Embeddings of adapter_train, meta and outside come to the driver, and only where they are asked for."""
    choices = set() if text is None else choices_of(text.trainings)
    if (own := inputs.outside) is not None:
        examples = embedded_examples(lake, inputs.dataset, own.examples_id, own.embeddings_id) if text is None else text.examples
        return trained_on(examples, choices or {Choice()}, len(inputs.labels))
    return {} if text is None else trained_on(text.examples, choices, len(inputs.labels))


def _from_rows(lake: Lake, inputs: GoldInputs, joined: DataFrame, settings: GoldSettings) -> dict[str, pd.DataFrame]:
    """The tables over rows, all in one task that holds a bounded, content-hash sample of whole examples."""
    from pyspark.sql import functions as F

    tables = [table for table in TABLES if table.needs_rows]
    names = (*ROWS, *(column for part in inputs.parts for column in columns_of(part).values()))
    rows = joined.where("corruption != 'none'").select(*names)
    n_rows = rows.count()
    if n_rows > settings.max_rows:
        share = settings.max_rows / n_rows
        rows = rows.where(F.pmod(F.xxhash64("example_id", F.lit(settings.seed)), F.lit(1_000_000)) < int(share * 1_000_000))
    dataset = inputs.dataset

    def build(frame: pd.DataFrame) -> pd.DataFrame:
        ordered = frame.sort_values(["example_id", "adapter_id", "corruption", "severity"], ignore_index=True)
        made: dict[str, pd.DataFrame] = {}
        for table in tables:
            made[table.spec.name] = table.build(Frames(dataset, rows=ordered, settings=settings, built=made))
        return pd.DataFrame({"name": list(made), "content": [to_arrow_bytes(table, made[table.spec.name]) for table in tables]})

    if not n_rows:
        local = build(pd.DataFrame({name: pd.Series(dtype=object) for name in names}))
    else:
        local = rows.groupBy(F.lit(0).alias("one")).applyInPandas(build, "name string, content binary").toPandas()
    content = dict(zip(local["name"], local["content"], strict=True))
    return {table.spec.name: from_arrow_bytes(table, bytes(content[table.spec.name])) for table in tables}


def to_arrow_bytes(table: GoldTable, frame: pd.DataFrame) -> bytes:
    """One built table as an Arrow file in memory: the way from the task back to the driver keeps types and nulls."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    arrow = to_arrow(table.spec, frame)
    with pa.ipc.new_file(sink, arrow.schema) as writer:
        writer.write_table(arrow)
    return bytes(sink.getvalue().to_pybytes())


def from_arrow_bytes(table: GoldTable, content: bytes) -> pd.DataFrame:
    """The frame that `to_arrow_bytes` made the content from."""
    import pyarrow as pa

    from gold.table import as_table

    frame = pa.ipc.open_file(content).read_all().to_pandas(integer_object_nulls=True)
    dataset = frame["dataset"].iloc[0] if len(frame) else ""
    return as_table(table.spec, dataset, frame.drop(columns=["dataset", "settings_id"]))


def _write(lake: Lake, table: GoldTable, frame: pd.DataFrame, dataset: str, fingerprint: str) -> None:
    filled = frame.assign(settings_id=fingerprint)
    rows = lake.spark.createDataFrame(to_arrow(table.spec, filled)).coalesce(1)
    lake.replace(table.spec, rows, len(filled), dataset=dataset)
