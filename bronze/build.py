"""Raw files -> bronze.examples, bronze.references, bronze.rejected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from bronze.assign import ASSIGNED_SCHEMA, assign
from bronze.ingest import Ingest, ingest
from bronze.readers import list_source, reader_named
from bronze.readers.fingerprint import fingerprint
from bronze.reference import REFERENCE_SCHEMA, Listing, batches
from bronze.settings import DecodeSettings, SourceSettings, SplitSettings
from bronze.specs import EXAMPLES, OUTSIDE, PLACES, REFERENCES, REJECTED, SPLITS
from lake.door import Lake
from lake.errors import ConfigError, DataRefusedError, MissingInputError
from lake.fill import Inputs
from lake.identity import settings_id
from lake.ledger import Cell, Done, Ledger
from lake.progress import Progress
from lake.spec import Table
from models.decode import DecodeLimits
from models.text_content import TextLimits

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Source:
    """One dataset's raw input as configured. `max_rejected_share`: beyond it the run is refused (exit 65)."""

    dataset: str
    source: SourceSettings
    splits: SplitSettings
    decode: DecodeSettings
    max_rejected_share: float

    @property
    def root(self) -> Path:
        return Path(self.source.root or ".")

    @property
    def limits(self) -> DecodeLimits | TextLimits:
        """Those of the modality that the reader gives."""
        return self.decode.limits_of(reader_named(self.source.reader).modality)


@dataclass(frozen=True)
class Examples:
    """What bronze knows of a dataset after ingestion: ordered labels, the generation's settings_id, files that were ignored.

    `stamps`: split -> (number of examples, hash of which ones); equal stamps mean equal sets.
    """

    dataset: str
    labels: tuple[str, ...]
    settings_id: str
    ignored: int
    stamps: dict[str, tuple[int, str]]

    def inputs(self, *splits: str) -> str:
        """Hash of the sets of these splits."""
        return settings_id([self.settings_id, *(self.stamps[split] for split in splits)])

    def count(self, *splits: str) -> int:
        return sum(self.stamps[split][0] for split in splits)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that backbones read: the three of the classes, and `outside` where there are inputs of no class."""
        return (*SPLITS, OUTSIDE) if self.count(OUTSIDE) else SPLITS


def build_examples(lake: Lake, ledger: Ledger, source: Source, read: bool = True) -> Examples:
    """Brings examples, references and rejected rows up to date; reads no file again when the listing's fingerprint is known."""
    reader = reader_named(source.source.reader)
    listing = list_source(source.source, source.root, source.limits.max_bytes)
    labels, settings = examples_settings(source, listing)
    identity = lake.settings_id(EXAMPLES, source.dataset, settings)
    inputs = fingerprint(listing, reader, source.root)
    if ledger.complete(EXAMPLES, identity, Cell(), inputs):
        stamps = split_stamps(lake, source.dataset, identity)
        lake.skip(EXAMPLES, sum(n for n, _ in stamps.values()))
    elif not read:
        raise ConfigError(f"{source.root} holds what bronze has not read yet: include bronze in --layers")
    else:
        with Progress(f"{EXAMPLES.full_name}: reading {source.root}"):
            n_rows = _ingest(lake, source, listing, labels, identity)
        ledger.record(EXAMPLES, identity, {Cell(): Done(inputs, n_rows, n_rows)})
        stamps = split_stamps(lake, source.dataset, identity)
    return Examples(source.dataset, labels, identity, listing.ignored, stamps)


def examples_settings(source: Source, listing: Listing) -> tuple[tuple[str, ...], dict[str, object]]:
    """The ordered labels of this source, and all that defines its examples. MissingInputError when no label was found.

    Limits of decoding are part of it: raising one reopens what it had refused. Outside labels are none of the labels.
    """
    reader, outside = reader_named(source.source.reader), source.source.outside_labels
    good = (reference.label for reference in listing if reference.error_code is None)
    labels = source.source.labels or tuple(sorted({label for label in good if label is not None and label not in outside}))
    if not labels:
        raise MissingInputError(f"{source.root}: reader {reader.name!r} found no labelled example; check source.root and source.reader")
    settings = {
        "reader": reader.name,
        "modality": reader.modality,
        "labels": labels,
        "splits": source.splits,
        "split_map": source.source.split_map,
        "limit": source.source.limit,
        "decode": asdict(source.limits),
    }
    return labels, settings | source.source.columns() | ({"outside_labels": outside} if outside else {})


def _ingest(lake: Lake, source: Source, listing: Listing, labels: tuple[str, ...], identity: str) -> int:
    """Stage every reference, settle conflicts, commit rejected rows, references and examples. Gives the number of examples there."""
    from pyspark.sql import functions as F

    where = f"{lake.storage.root}/_staging/{lake.run_id}/{EXAMPLES.full_name}/0"
    stage_references(lake, source, listing, labels, where)
    staged = lake.spark.read.parquet(where)
    here = (F.col("dataset") == source.dataset) & (F.col("settings_id") == identity)
    known = lake.read(REFERENCES).where(here).select("example_id", "source_path", "label")
    slim = staged.where("kind = 'example'").select("example_id", "source_path", "label", "split_rank", "label_id", "source_split").cache()
    torn = slim.select("example_id", "label").unionByName(known.select("example_id", "label"))
    torn = torn.groupBy("example_id").agg(F.countDistinct("label").alias("n")).where("n > 1").select("example_id").cache()
    good = (
        slim.join(torn, "example_id", "left_anti").withColumn("settings_id", F.lit(identity)).withColumn("dataset", F.lit(source.dataset))
    )
    # a label changed at a known place is a conflict too: what stands stays, and the change is a row to be seen
    conflicts = slim.join(torn, "example_id", "left_semi").join(known, ["example_id", "source_path", "label"], "left_anti")
    rejected = rejected_rows(staged, conflicts, source.dataset, identity, lake.run_id)
    rejected = rejected.join(lake.read(REJECTED).where(here).select("source_path", "stage"), ["source_path", "stage"], "left_anti")
    n_rejected = append_counted(lake, REJECTED, rejected)
    lake.reject(EXAMPLES, n_rejected)
    _refuse_when_too_many(source, staged.count(), staged.where("kind = 'rejected'").count() + conflicts.count())
    append_counted(lake, REFERENCES, good.join(known, ["example_id", "source_path"], "left_anti"))
    chosen = good.groupBy("example_id", "dataset", "settings_id", "label", "label_id").agg(
        F.min("split_rank").alias("rank"), F.min("source_path").alias("source_path")
    )
    names = F.array(*(F.lit(name) for name in PLACES))
    content = staged.where("kind = 'example'").select("source_path", "modality", "image", "text", "notes")
    old = lake.read(EXAMPLES).where(here).select("example_id")
    fresh = chosen.join(old, "example_id", "left_anti").withColumn("split", F.element_at(names, F.col("rank") + 1)).cache()
    n_old, n_new = old.count(), fresh.count()
    if n_new:  # the pictures and texts themselves are never cached: they would fill the JVM
        new = fresh.join(content, "source_path").repartition(max(1, lake.spark.sparkContext.defaultParallelism // 2))
        lake.append(EXAMPLES, new, n_new)
    lake.create(EXAMPLES)
    lake.skip(EXAMPLES, n_old)
    for frame in (slim, torn, fresh):
        frame.unpersist()
    lake.storage.delete(where)
    return n_old + n_new


def stage_references(lake: Lake, source: Source, listing: Listing, labels: tuple[str, ...], where: str) -> None:
    """One row per reference, read and decoded by the workers, as Parquet."""
    from pyspark.sql.pandas.types import from_arrow_schema

    reader = reader_named(source.source.reader)
    work = Ingest(reader, source.root, source.limits, source.dataset, lake.run_id)
    splits, split_map, outside = source.splits, source.source.split_map, source.source.outside_labels

    def verb(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return assign(ingest(rows, work), labels, splits, split_map, outside)

    references = lake.spark.createDataFrame(pa.Table.from_batches(batches(listing), schema=REFERENCE_SCHEMA))
    parts = references.repartition(lake.spark.sparkContext.defaultParallelism, "source_path")
    parts.mapInArrow(verb, from_arrow_schema(ASSIGNED_SCHEMA)).write.mode("overwrite").parquet(where)


def rejected_rows(staged: DataFrame, conflicts: DataFrame, dataset: str, identity: str, run_id: str) -> DataFrame:
    """Rows of bronze.rejected: what was refused when it was read, and the places of contents with several labels."""
    from pyspark.sql import functions as F

    refused = staged.where("kind = 'rejected'").select("source_path", "stage", "error_code", "message")
    message = F.concat(F.lit("the same content has more than one label; here: "), F.col("label"))
    torn = conflicts.select(
        "source_path", F.lit("label").alias("stage"), F.lit("label_conflict").alias("error_code"), message.alias("message")
    )
    both = refused.unionByName(torn)
    return both.withColumn("dataset", F.lit(dataset)).withColumn("settings_id", F.lit(identity)).withColumn("run_id", F.lit(run_id))


def append_counted(lake: Lake, table: Table, rows: DataFrame) -> int:
    """Appends rows that are computed once, and gives their number."""
    frame = rows.cache()
    n_rows = frame.count()
    lake.create(table)
    if n_rows:
        lake.append(table, frame, n_rows)
    frame.unpersist()
    return n_rows


def _refuse_when_too_many(source: Source, n_all: int, n_bad: int) -> None:
    if n_all and n_bad / n_all > source.max_rejected_share:
        raise DataRefusedError(
            f"{source.dataset}: {n_bad:,} of {n_all:,} inputs were rejected, more than execution.max_rejected_share = "
            f"{source.max_rejected_share:g}. Look at bronze.rejected (error_code, message), mend the data or raise the share."
        )


def split_frame(lake: Lake, dataset: str, identity: str, *splits: str) -> DataFrame:
    """The examples of some splits of one generation: example_id, label_id, label, split, image, text (each null for the other modality)."""
    from pyspark.sql import functions as F

    rows = lake.read(EXAMPLES).where((F.col("dataset") == dataset) & (F.col("settings_id") == identity))
    return rows.where(F.col("split").isin(*splits)).select("example_id", "label_id", "label", "split", "image", "text")


def split_stamps(lake: Lake, dataset: str, identity: str) -> dict[str, tuple[int, str]]:
    """Split -> (number of examples, hash of which ones). Equal stamps mean equal sets."""
    from pyspark.sql import functions as F

    rows = lake.read(EXAMPLES).where((F.col("dataset") == dataset) & (F.col("settings_id") == identity))
    grouped = rows.groupBy("split").agg(F.count("*").alias("n"), F.bit_xor(F.xxhash64("example_id")).alias("mark")).collect()
    found = {row.split: (row.n, settings_id([row.n, row.mark])) for row in grouped}
    return {split: found.get(split, (0, settings_id([0]))) for split in PLACES}


def examples_of(lake: Lake, examples: Examples, splits: tuple[str, ...], chunk_rows: int, by_content: bool = True) -> Inputs:
    """The examples of some splits as a stage's input.

    `by_content`: over all cores by example_id, so that what is joined by it lies there already; else as they are stored.
    """

    def frame() -> DataFrame:
        rows = split_frame(lake, examples.dataset, examples.settings_id, *splits)
        return rows.repartition(lake.spark.sparkContext.defaultParallelism, "example_id") if by_content else rows

    return Inputs(examples.dataset, examples.settings_id, examples.inputs(*splits), frame, examples.count(*splits), chunk_rows)


def first_examples(inputs: Inputs, n: int | None) -> Inputs:
    """The n examples of the smallest ids, which are hashes of their contents: fewer are among more. None, or no fewer: all of them."""
    if n is None or n >= inputs.n_examples:
        return inputs
    return replace(inputs, sha256=settings_id([inputs.sha256, n]), n_examples=n, frame=lambda: first_rows(inputs.frame(), n))


def first_rows(frame: DataFrame, n: int | None) -> DataFrame:
    """The rows of the n smallest example_ids; all of them for None."""
    from pyspark.sql import functions as F

    if n is None:
        return frame
    return frame.join(F.broadcast(frame.select("example_id").orderBy("example_id").limit(n)), "example_id", "left_semi")
