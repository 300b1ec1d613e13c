"""What happens around the page: finding the datasets, fitting them into the size that is promised, and writing the file?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

import duckdb

from lake.errors import ConfigError, ContractError
from lake.progress import Progress
from models.atomic import write_text
from pipelines.report.page import page, tables_of_page
from pipelines.report.sections import SECTIONS
from pipelines.report.source import Room, Source
from pipelines.sql.answer import cleaned, require_lake
from pipelines.sql.duck import connect, exists, newest
from pipelines.status import size_text

LIMIT = 5_000_000  # bytes: a page that can be sent and opened anywhere
# Tables that know every dataset there is to show: with adapters, with trainings, with provenance networks or heads.
NAMING = ("gold.adapter_summary", "gold.training_summary", "silver.adapters_current", "gold.provenance_summary")


def report(lake_root: str, out: str | None, stream: TextIO) -> int:
    """Writes the page of a lake and names the file on `stream`. Gives 0.

    Starts no JVM and changes no table. Raises MissingInputError when there is no lake, ConfigError when the file cannot be placed,
    ContractError when a table is damaged.
    """
    started = time.monotonic()
    require_lake(lake_root, lambda table: exists(lake_root, table))
    place = _place(lake_root, out)
    versions = newest(lake_root, tables_of_page(SECTIONS))
    connection, found = connect(lake_root, tables_of_page(SECTIONS), at=versions)
    try:
        datasets = _datasets(connection, found.names)
        text = fitted(connection, found.names, versions, _name(lake_root), datasets)
    except (duckdb.InvalidInputException, duckdb.IOException) as error:  # a file that the table's log names, gone or damaged
        said = cleaned(str(error))
        raise ContractError(f"a table of {lake_root} cannot be read: {said}. Restore that file, or move the table's folder away") from error
    finally:
        connection.close()
    write_text(place, text)
    size = size_text(len(text.encode()))
    many = f"{len(datasets)} dataset{'' if len(datasets) == 1 else 's'}"
    stream.write(f"{many}, {size}, {time.monotonic() - started:.1f} s\n{place}\n")
    return 0


def fitted(
    connection: duckdb.DuckDBPyConnection, names: tuple[str, ...], versions: Mapping[str, int], name: str, datasets: list[str]
) -> str:
    """The page, with as much on it as `LIMIT` allows. Raises ContractError where not even the least fits."""
    room = Room()
    while True:
        with Progress(f"report: {name}", len(datasets) * len(SECTIONS)) as progress:
            text = page(Source(connection, names, versions, room), name, datasets, SECTIONS, progress.step)
        if len(text.encode()) <= LIMIT:
            return text
        if room == room.less():
            raise ContractError(f"the report must fit {LIMIT:,} bytes, found {len(text.encode()):,} for {len(datasets):,} datasets")
        room = room.less()


def _place(lake_root: str, out: str | None) -> Path:
    """Where the file goes. Raises ConfigError for a folder, and for a lake behind an address without `--out`."""
    if out is None and "://" in lake_root:
        raise ConfigError(f"the report is a local file: name it with --out, found none for {lake_root}")
    place = Path(lake_root) / "report.html" if out is None else Path(out)
    if place.is_dir():
        raise ConfigError(f"--out must name a file, found the folder {place}")
    return place


def _name(lake_root: str) -> str:
    return lake_root.rstrip("/").rpartition("/")[2] if "://" in lake_root else Path(lake_root).resolve().name


def _datasets(connection: duckdb.DuckDBPyConnection, names: tuple[str, ...]) -> list[str]:
    """Every dataset that has adapters, trainings or networks, by name."""
    asked = [f"SELECT dataset FROM {name}" for name in NAMING if name in names]  # noqa: S608  # names that stand above
    return sorted({row[0] for sql in asked for row in connection.execute(sql).fetchall()})
