"""Shifted sources of the user's own -> bronze.shifted, bronze.rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bronze.build import Examples, Source, append_counted, rejected_rows, stage_references
from bronze.readers import list_source, reader_named
from bronze.readers.fingerprint import fingerprint
from bronze.reference import Listing
from bronze.settings import ShiftedSettings
from bronze.shifted.labels import refuse_when_too_many
from bronze.specs import EXAMPLES, REJECTED, SHIFTED
from lake.door import Lake
from lake.errors import ConfigError, MissingInputError
from lake.fill import Inputs
from lake.identity import settings_id
from lake.ledger import Cell, Done, Ledger
from lake.progress import Progress

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SEVERITY = 1  # a shift of the user's own has one


@dataclass(frozen=True)
class Shifted:
    """The shifted examples of a dataset. `stamps`: corruption -> (number of examples, hash of which ones, with which labels)."""

    examples: Examples
    settings_id: str
    stamps: dict[str, tuple[int, str]]


def cell_of(corruption: str) -> Cell:
    """Where the ledger keeps what is known of one shifted source."""
    return Cell(corruption=corruption, severity=SEVERITY)


def shifted_settings(examples: Examples) -> dict[str, object]:
    """What defines a row besides the source's name: the labels and the limits of decoding, which define the examples too."""
    return {"examples": examples.settings_id}


def shifted_source(own: Source, shift: ShiftedSettings, labels: tuple[str, ...]) -> Source:
    """A shifted source as the ingest reads it: the labels are the dataset's."""
    return replace(own, source=shift.source.model_copy(update={"labels": labels}))


def list_shifted(source: Source, name: str) -> Listing:
    """Everything below the root. MissingInputError names the shifted source when it is not there or holds nothing."""
    try:
        listing = list_source(source.source, source.root, source.limits.max_bytes)
    except MissingInputError as error:
        raise MissingInputError(f"shifted {name}: {error}") from error
    if next(iter(listing), None) is None:
        raise MissingInputError(
            f"shifted {name}: reader {source.source.reader!r} found no input in {source.root}; check its source.root and source.reader"
        )
    return listing


def build_shifted(
    lake: Lake, ledger: Ledger, examples: Examples, own: Source, shifts: Sequence[ShiftedSettings], read: bool = True
) -> Shifted:
    """Brings bronze.shifted up to date for these sources. A source whose listing is known is not read again.

    Raises MissingInputError for a source that is not there, DataRefusedError when too much of one is refused.
    """
    identity = lake.settings_id(SHIFTED, examples.dataset, shifted_settings(examples))
    for shift in shifts:
        source = shifted_source(own, shift, examples.labels)
        listing = list_shifted(source, shift.name)
        inputs = fingerprint(listing, reader_named(source.source.reader), source.root)
        cell = cell_of(shift.corruption)
        if ledger.complete(SHIFTED, identity, cell, inputs):
            lake.skip(SHIFTED, ledger.done(SHIFTED, identity, cell).n_done)  # type: ignore[union-attr]  # complete says so
        elif not read:
            raise ConfigError(f"shifted {shift.name}: {source.root} holds what bronze has not read yet: include bronze in --layers")
        else:
            with Progress(f"{SHIFTED.full_name}: reading {source.root}"):
                n_rows = _ingest(lake, source, listing, examples, identity, shift)
            ledger.record(SHIFTED, identity, {cell: Done(inputs, n_rows, n_rows)})
    return Shifted(examples, identity, stamps_of(lake, examples, identity, [shift.corruption for shift in shifts]))


def _ingest(lake: Lake, source: Source, listing: Listing, examples: Examples, identity: str, shift: ShiftedSettings) -> int:
    """Stage every reference, refuse what is no shift, commit rejected rows and then the others. Gives the number of examples there."""
    from pyspark.sql import functions as F

    where = f"{lake.storage.root}/_staging/{lake.run_id}/{SHIFTED.full_name}/{shift.name}"
    stage_references(lake, source, listing, examples.labels, where)
    staged, here = lake.spark.read.parquet(where), F.col("corruption") == shift.corruption
    known = _mine(lake, examples, identity).where(here).select("example_id", "label")
    slim = staged.where("kind = 'example'").select("example_id", "source_path", "label", "label_id").cache()
    both = slim.select("example_id", "label").unionByName(known)
    torn = both.groupBy("example_id").agg(F.countDistinct("label").alias("n")).where("n > 1").select("example_id").cache()
    # what stands keeps its label, and a place that says another is a row to be seen
    conflicts = slim.join(torn, "example_id", "left_semi").join(known, ["example_id", "label"], "left_anti")
    whole = slim.join(torn, "example_id", "left_anti")
    same = whole.join(_contents(lake, examples), "example_id", "left_semi")
    rejected = rejected_rows(staged, conflicts, examples.dataset, examples.settings_id, lake.run_id)
    refused = rejected.unionByName(_no_shift(same, examples, lake.run_id))
    n_rejected = append_counted(lake, REJECTED, _named(lake, refused, shift.corruption))
    lake.reject(SHIFTED, n_rejected)
    codes = {
        row.error_code: row.n for row in staged.where("kind = 'rejected'").groupBy("error_code").agg(F.count("*").alias("n")).collect()
    }
    codes |= {"label_conflict": conflicts.count(), "not_shifted": same.count()}
    refuse_when_too_many(source, shift.name, examples.labels, staged.count(), codes)
    new = whole.join(same.select("example_id").distinct(), "example_id", "left_anti").join(known, "example_id", "left_anti")
    places = F.array_sort(F.collect_list("source_path")).alias("source_paths")
    chosen = new.groupBy("example_id", "label", "label_id").agg(places).withColumn("source_path", F.col("source_paths")[0])
    content = staged.where("kind = 'example'").select("source_path", "modality", "image", "text", "notes")
    n_old, n_new = known.count(), chosen.count()
    if n_new:
        rows = chosen.join(content, "source_path").withColumn("dataset", F.lit(examples.dataset))
        lake.append(SHIFTED, rows.withColumn("settings_id", F.lit(identity)).withColumn("corruption", F.lit(shift.corruption)), n_new)
    lake.create(SHIFTED)
    lake.skip(SHIFTED, n_old)
    slim.unpersist()
    torn.unpersist()
    lake.storage.delete(where)
    return n_old + n_new


def _no_shift(same: DataFrame, examples: Examples, run_id: str) -> DataFrame:
    """Rows of bronze.rejected, of contents that the dataset holds too."""
    from pyspark.sql import functions as F

    said = {"stage": "split", "error_code": "not_shifted", "message": "the dataset holds the same content: it would be no shift"}
    said |= {"dataset": examples.dataset, "settings_id": examples.settings_id, "run_id": run_id}
    return same.select("source_path", *(F.lit(text).alias(name) for name, text in said.items()))


def _named(lake: Lake, rejected: DataFrame, corruption: str) -> DataFrame:
    """The rows whose places say which source they are of, without those that stand in bronze.rejected."""
    from pyspark.sql import functions as F

    named = rejected.withColumn("source_path", F.concat(F.lit(f"{corruption}/"), F.col("source_path")))
    key = ["dataset", "settings_id", "source_path", "stage"]
    return named.join(lake.read(REJECTED).select(*key), key, "left_anti")


def _mine(lake: Lake, examples: Examples, identity: str) -> DataFrame:
    from pyspark.sql import functions as F

    return lake.read(SHIFTED).where((F.col("dataset") == examples.dataset) & (F.col("settings_id") == identity))


def _contents(lake: Lake, examples: Examples) -> DataFrame:
    """example_id of every content of the dataset."""
    from pyspark.sql import functions as F

    mine = (F.col("dataset") == examples.dataset) & (F.col("settings_id") == examples.settings_id)
    return lake.read(EXAMPLES).where(mine).select("example_id")


def shifted_frame(lake: Lake, examples: Examples, identity: str, corruptions: Sequence[str]) -> DataFrame:
    """The shifted examples of some sources: corruption, example_id, label_id, label, image, text, source_paths.

    What the dataset has come to hold since is no shift any more, and is left out.
    """
    from pyspark.sql import functions as F

    rows = _mine(lake, examples, identity).where(F.col("corruption").isin(list(corruptions)))
    rows = rows.select("corruption", "example_id", "label_id", "label", "image", "text", "source_paths")
    return rows.join(_contents(lake, examples), "example_id", "left_anti")


def stamps_of(lake: Lake, examples: Examples, identity: str, corruptions: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Corruption -> (number of examples, hash of which ones, with which labels)."""
    from pyspark.sql import functions as F

    if not corruptions:
        return {}
    rows = shifted_frame(lake, examples, identity, corruptions).groupBy("corruption")
    counted = rows.agg(F.count("*").alias("n"), F.bit_xor(F.xxhash64("example_id", "label_id")).alias("mark")).collect()
    found = {row.corruption: (row.n, settings_id([row.n, row.mark])) for row in counted}
    return {name: found.get(name, (0, settings_id([0]))) for name in corruptions}


def shifted_examples(lake: Lake, shifted: Shifted, corruption: str, chunk_rows: int) -> Inputs:
    """The examples of one source as a stage's input, over all cores by example_id."""
    n_examples, mark = shifted.stamps[corruption]
    examples = shifted.examples

    def frame() -> DataFrame:
        rows = shifted_frame(lake, examples, shifted.settings_id, [corruption]).drop("corruption", "source_paths")
        return rows.repartition(lake.spark.sparkContext.defaultParallelism, "example_id")

    return Inputs(examples.dataset, shifted.settings_id, mark, frame, n_examples, chunk_rows)
