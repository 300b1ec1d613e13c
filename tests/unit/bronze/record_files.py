"""Files of records in every format, and what a listing says of them: what the tests of the reader `table` share."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bronze.readers import reader_named
from bronze.reference import Listing, Reference

Listed = Callable[..., Listing]
CELLS = ("pay, now", 'say "hi"', "two\nlines", "two\r\nlines", " outer ", "a\tb", "שלום \U0001f44d", "nai\u0308ve\u200b", "'")
FORMATS = ("csv", "tsv", "jsonl", "parquet")


def write(path: Path, table: dict[str, list[str]]) -> None:
    """The table as its suffix says, by the library's own writer."""
    rows = list(zip(*table.values(), strict=True))
    if path.suffix == ".parquet":
        pq.write_table(pa.table(table), path, row_group_size=2)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(dict(zip(table, row, strict=True))) + "\n" for row in rows))
    else:
        with path.open("w", newline="", encoding="utf-8") as handle:
            csv.writer(handle, delimiter="\t" if path.suffix == ".tsv" else ",").writerows([list(table), *rows])


def contents(listing: Iterable[Reference], root: Path) -> list[str]:
    return [reader_named("table").content(reference, root, 2**30).decode() for reference in listing]


def codes(listing: Listing) -> list[str | None]:
    return [reference.error_code for reference in listing]
