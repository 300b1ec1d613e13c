"""Columns of the source that say more of an example -> bronze.metadata."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from bronze.build import Examples
from bronze.readers import reader_named
from bronze.reference import Listing
from bronze.settings import SourceSettings
from bronze.shifted.build import SEVERITY, Shifted, shifted_frame
from bronze.specs import EXAMPLES, METADATA, OWN
from lake.door import Lake
from lake.errors import ConfigError
from lake.identity import settings_id
from lake.ledger import Cell, Done, Ledger

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

VALUES = pa.schema([("source_path", pa.string()), ("field", pa.string()), ("value", pa.string())])


@dataclass(frozen=True)
class Described:
    """Examples that a source says more of. `origin`: as in bronze.metadata. `places`: gives example_id and the first source_path of each;
    `sha256`: which ones they are; `n`: how many."""

    origin: str
    source: SourceSettings
    places: Callable[[], DataFrame]
    sha256: str
    n: int

    @property
    def cell(self) -> Cell:
        return Cell() if self.origin == OWN else Cell(corruption=self.origin, severity=SEVERITY)

    @property
    def root(self) -> Path:
        return Path(self.source.root or ".")


def own_examples(lake: Lake, examples: Examples, source: SourceSettings) -> Described:
    """The dataset's own, of all splits."""

    def places() -> DataFrame:
        from pyspark.sql import functions as F

        mine = (F.col("dataset") == examples.dataset) & (F.col("settings_id") == examples.settings_id)
        return lake.read(EXAMPLES).where(mine).select("example_id", "source_path")

    return Described(OWN, source, places, examples.inputs(*examples.splits), examples.count(*examples.splits))


def described_shift(lake: Lake, shifted: Shifted, corruption: str, source: SourceSettings) -> Described:
    """Those of a shifted source."""

    def places() -> DataFrame:
        from pyspark.sql import functions as F

        rows = shifted_frame(lake, shifted.examples, shifted.settings_id, [corruption])
        return rows.select("example_id", F.col("source_paths")[0].alias("source_path"))

    n_examples, mark = shifted.stamps[corruption]
    return Described(corruption, source, places, mark, n_examples)


def build_metadata(lake: Lake, ledger: Ledger, examples: Examples, described: Described, read: bool = True) -> str:
    """Brings bronze.metadata of these examples up to date: a row for each of them and each column. Gives the hash of what it holds.

    They define no computed row: a value that was corrected in the file replaces the old one, in one commit. ConfigError where that is to
    be done and `read` is False.
    """
    identity = lake.settings_id(METADATA, examples.dataset, metadata_settings(examples))
    own = described.source
    # without `limit`, whose choice would cost reading every content: what has no example is left behind
    listing = reader_named(own.reader).listing(own, described.root)
    inputs = settings_id([described.sha256, own.metadata, digest(listing)])
    n_rows = described.n * len(own.metadata)
    if ledger.complete(METADATA, identity, described.cell, inputs):
        lake.skip(METADATA, n_rows)
        return inputs
    if not read:
        raise ConfigError(f"{described.root}: metadata columns are not read yet: include bronze in --layers")
    rows = _rows(lake, examples.dataset, identity, described, listing)
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


def _rows(lake: Lake, dataset: str, identity: str, described: Described, listing: Listing) -> DataFrame:
    """One row per example and column, null where no record says a value any more."""
    from pyspark.sql import functions as F

    said = lake.spark.createDataFrame(pa.Table.from_pylist(list(values(listing)), schema=VALUES))
    fields = F.explode(F.array(*(F.lit(name) for name in described.source.metadata))).alias("field")
    wanted = described.places().select("example_id", "source_path", fields)
    rows = wanted.join(said, ["source_path", "field"], "left").withColumn("dataset", F.lit(dataset))
    return rows.withColumn("settings_id", F.lit(identity)).withColumn("origin", F.lit(described.origin))
