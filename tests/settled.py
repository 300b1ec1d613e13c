"""What should bronze make of a source? A naive twin of `bronze.build`: dictionaries in place of Spark, one pass in memory."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from bronze.assign import assign
from bronze.build import Source, examples_settings
from bronze.ingest import Ingest, ingest
from bronze.readers import list_source, reader_named
from bronze.reference import batches
from bronze.specs import PLACES

Row = dict[str, Any]


@dataclass(frozen=True)
class Settled:
    """`examples`: id -> its row; `references`: (source_path, id) pairs; `rejected`: source_path -> code."""

    labels: tuple[str, ...]
    examples: dict[str, Row]
    references: set[tuple[str, str]]
    rejected: dict[str, str]
    ignored: int


def settled(source: Source) -> Settled:
    """Every reference of the source as an example, a further reference to one, or a rejected row."""
    own = source.source
    listing = list_source(own, source.root, source.limits.max_bytes)
    labels, _ = examples_settings(source, listing)
    work = Ingest(reader_named(own.reader), source.root, source.limits, source.dataset, "run")
    assigned = assign(ingest(batches(listing), work), labels, source.splits, own.split_map, own.outside_labels)
    rows = [row for batch in assigned for row in batch.to_pylist()]
    rejected = {row["source_path"]: row["error_code"] for row in rows if row["kind"] == "rejected"}
    contents: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["kind"] == "example":
            contents[row["example_id"]].append(row)
    examples: dict[str, Row] = {}
    references: set[tuple[str, str]] = set()
    for example_id, places in contents.items():
        if len({row["label"] for row in places}) > 1:
            rejected |= dict.fromkeys((row["source_path"] for row in places), "label_conflict")
            continue
        first = min(places, key=lambda row: row["source_path"])
        examples[example_id] = first | {"split": PLACES[min(row["split_rank"] for row in places)]}
        references |= {(row["source_path"], example_id) for row in places}
    return Settled(labels, examples, references, rejected, listing.ignored)
