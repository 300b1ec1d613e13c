"""Columns of the source that say more of an example -> bronze.metadata."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from bronze.build import Examples, Source, split_frame
from bronze.readers import reader_named
from bronze.readers.fingerprint import fingerprint
from bronze.reference import REFERENCE_SCHEMA, Listing, batches, references_of
from bronze.shifted.build import SEVERITY, Shifted, shifted_frame
from bronze.specs import METADATA, OWN, PLACES
from lake.door import Lake
from lake.errors import ConfigError
from lake.identity import content_id, settings_id
from lake.ledger import Cell, Done, Ledger
from models.errors import RejectedInput

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

PLACED = pa.schema([("source_path", pa.string()), ("example_id", pa.string())])
VALUES = pa.schema([("source_path", pa.string()), ("field", pa.string()), ("value", pa.string())])


@dataclass(frozen=True)
class Described:
    """Examples that a source says more of. `origin`: as in bronze.metadata. `ids`: gives their example_id; `sha256`: which ones they are;
    `n`: how many."""

    origin: str
    source: Source
    ids: Callable[[], DataFrame]
    sha256: str
    n: int

    @property
    def cell(self) -> Cell:
        return Cell() if self.origin == OWN else Cell(corruption=self.origin, severity=SEVERITY)


def own_examples(lake: Lake, examples: Examples, source: Source) -> Described:
    """The dataset's own, of all splits."""

    def ids() -> DataFrame:
        return split_frame(lake, examples.dataset, examples.settings_id, *PLACES).select("example_id")

    return Described(OWN, source, ids, examples.inputs(*examples.splits), examples.count(*examples.splits))


def described_shift(lake: Lake, shifted: Shifted, corruption: str, source: Source) -> Described:
    """Those of a shifted source."""
    n_examples, mark = shifted.stamps[corruption]

    def ids() -> DataFrame:
        return shifted_frame(lake, shifted.examples, shifted.settings_id, [corruption]).select("example_id")

    return Described(corruption, source, ids, mark, n_examples)


def build_metadata(lake: Lake, ledger: Ledger, examples: Examples, described: Described, read: bool = True) -> str:
    """Brings bronze.metadata of these examples up to date: a row for each of them and each column. Gives the hash of what it holds.

    They define no computed row: a value that was corrected in the file replaces the old one, in one commit. ConfigError where that is to
    be done and `read` is False.
    """
    identity = lake.settings_id(METADATA, examples.dataset, metadata_settings(examples))
    own, root = described.source.source, described.source.root
    reader = reader_named(own.reader)
    listing = reader.listing(own, root)  # without `limit`, whose choice costs reading every content: what has no example is left behind
    inputs = settings_id([described.sha256, own.metadata, fingerprint(listing, reader, root), digest(listing)])
    n_rows = described.n * len(own.metadata)
    if ledger.complete(METADATA, identity, described.cell, inputs):
        lake.skip(METADATA, n_rows)
        return inputs
    if not read:
        raise ConfigError(f"{root}: metadata columns are not read yet: include bronze in --layers")
    rows = _rows(lake, examples.dataset, identity, described, listing)
    if ledger.done(METADATA, identity, described.cell):  # else a run that is killed leaves new rows that pass for the old
        ledger.note(METADATA, identity, {described.cell: Done(inputs, max(1, n_rows), 0)})
        ledger.commit()
    lake.replace(METADATA, rows, n_rows, dataset=examples.dataset, settings_id=identity, origin=described.origin)
    ledger.record(METADATA, identity, {described.cell: Done(inputs, n_rows, n_rows)})
    return inputs


def metadata_settings(examples: Examples) -> dict[str, object]:
    """What defines a row besides the file that it is read from."""
    return {"examples": examples.settings_id}


def digest(listing: Listing) -> str:
    """Hash of all that the usable references of a source say beside their labels."""
    found = hashlib.sha256()
    for reference in listing:
        if reference.error_code is None:
            found.update(json.dumps([reference.source_path, reference.metadata]).encode() + b"\n")
    return found.hexdigest()


def values(listing: Listing) -> Iterator[dict[str, str | None]]:
    """source_path, field, value of every usable reference and column."""
    for reference in listing:
        if reference.error_code is None:
            yield from ({"source_path": reference.source_path, "field": name, "value": value} for name, value in reference.metadata)


def identified(batches: Iterable[pa.RecordBatch], source: Source) -> Iterator[pa.RecordBatch]:
    """Batches of REFERENCE_SCHEMA in, source_path and example_id of every content that can be read out; why one cannot is in
    bronze.rejected."""
    reader = reader_named(source.source.reader)
    for batch in batches:
        found = []
        for reference in references_of(batch):
            try:
                content = reader.content(reference, source.root, source.limits.max_bytes)
            except (RejectedInput, OSError):
                continue
            found.append({"source_path": reference.source_path, "example_id": content_id(reader.modality, content)})
        yield pa.RecordBatch.from_pylist(found, schema=PLACED)


def _rows(lake: Lake, dataset: str, identity: str, described: Described, listing: Listing) -> DataFrame:
    """One row per example and column, null where no record says a value any more. Contents are read again: lines of a file move."""
    from pyspark.sql import functions as F
    from pyspark.sql.pandas.types import from_arrow_schema

    source = described.source
    usable = Listing(lambda: (reference for reference in listing if reference.error_code is None))
    references = lake.spark.createDataFrame(pa.Table.from_batches(batches(usable), schema=REFERENCE_SCHEMA))
    parts = references.repartition(lake.spark.sparkContext.defaultParallelism, "source_path")
    placed = parts.mapInArrow(lambda rows: identified(rows, source), from_arrow_schema(PLACED))
    first = placed.groupBy("example_id").agg(F.min("source_path").alias("source_path"))
    said = lake.spark.createDataFrame(pa.Table.from_pylist(list(values(listing)), schema=VALUES)).join(first, "source_path")
    fields = F.explode(F.array(*(F.lit(name) for name in source.source.metadata))).alias("field")
    rows = described.ids().select("example_id", fields).join(said.drop("source_path"), ["example_id", "field"], "left")
    constants = {"dataset": dataset, "settings_id": identity, "origin": described.origin}
    return rows.withColumns({name: F.lit(value) for name, value in constants.items()})
