"""How is a lake read without a JVM? deltalake opens the tables, DuckDB answers; nothing is copied."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import duckdb
import pyarrow.dataset
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from lake.catalog import Plan, plan
from lake.errors import ConfigError, ContractError
from lake.format import FILE, known_format
from lake.local_files import local_dataset
from lake.spec import Table
from pipelines.sql.as_of import Commit, commit, pinned
from pipelines.sql.text import percent_coded
from pipelines.tables import TABLES, VIEWS

# After the tables are registered nothing else can be reached: no files, no variables of this process, no other settings.
CLOSED = (
    "SET TimeZone = 'UTC'",
    "SET python_enable_replacements = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


def place(root: str, table: Table) -> str:
    """Where a table lies: an absolute local path, or an address. Raises ConfigError for what deltalake cannot open.

    deltalake 1.6.6 takes %20 in a local path for a space: such a lake is read by Spark alone.
    """
    if "://" in root:
        return f"{root.rstrip('/')}/{table.layer}/{table.name}"
    if percent_coded(root):
        raise ConfigError(f"the lake's path must hold no % and two hex digits for DuckDB, found {root!r}; use --engine spark")
    return str(Path(root).absolute() / table.layer / table.name)


def exists(root: str, table: Table) -> bool:
    """True when the table has a log. Raises ContractError where files lie without one: that is damage, not absence."""
    path = place(root, table)
    if DeltaTable.is_deltatable(path):
        return True
    if "://" not in root and Path(path).is_dir() and any(Path(path).iterdir()):
        raise ContractError(f"{table.full_name}: {path} holds files but no readable _delta_log. Restore the log, or move the folder away")
    return False


def opened(root: str, table: Table, version: int | None = None) -> DeltaTable:
    """The table at a version (None: its newest). Raises ContractError, naming the table, when its log cannot be read."""
    try:
        return DeltaTable(place(root, table), version=version)
    except DeltaError as error:
        said = str(error).partition("\n")[0]  # a trace of the library's own follows
        where = place(root, table)
        raise ContractError(f"{table.full_name}: the log at {where} cannot be read: {said}. Restore it, or move the folder away") from error


def commits(root: str, table: Table) -> list[Commit]:
    """The commits of a table whose log is still there, oldest first; none for a table that is not there."""
    if not exists(root, table):
        return []
    return sorted((commit(int(info["version"]), info) for info in opened(root, table).history()), key=lambda made: made.version)


def lake_format(root: str) -> int | None:
    """The lake's format, None where no mark is found (behind an address none is looked for). Raises ContractError for a newer one."""
    mark = Path(root) / FILE
    return known_format(mark.read_text(encoding="utf-8"), str(mark)) if "://" not in root and mark.is_file() else None


def dataset(root: str, table: Table, version: int | None) -> pyarrow.dataset.Dataset:
    """The table for DuckDB, read through Arrow's own file system where it lies in a folder: of commands that did not, and had a LIMIT, 6 of
    26 hung or crashed after their answer (see lake.local_files)."""
    delta = opened(root, table, version)
    return delta.to_pyarrow_dataset() if "://" in root else local_dataset(delta, place(root, table))


def newest(root: str, wanted: Collection[str]) -> dict[str, int]:
    """The version at which each table that `wanted` needs stands now, by full name; those that are not there are left out."""
    found = plan(TABLES, VIEWS, wanted, lambda table: exists(root, table))
    return {table.full_name: opened(root, table).version() for table in found.tables}


def connect(
    root: str, wanted: Collection[str] | None, as_of: str | None = None, at: Mapping[str, int] | None = None
) -> tuple[duckdb.DuckDBPyConnection, Plan]:
    """A connection in which the wanted (None: all) tables and views of the lake answer to `layer.table`, and what they are.

    Tables stay where they are: filters and columns are pushed into their files. `as_of` reads them as they stood then, `at` at these
    versions, as `newest` gives them. The connection is the caller's to close. Raises ContractError for a lake of a newer format and for a
    damaged table, QueryError for an `as_of` that is none.
    """
    lake_format(root)
    found = plan(TABLES, VIEWS, wanted, lambda table: exists(root, table) if at is None else table.full_name in at)
    versions = dict(at or {})
    if as_of is not None:
        versions = pinned(as_of, found.tables, lambda table: commits(root, table), wanted is not None)
        found = plan(TABLES, VIEWS, wanted, lambda table: table.full_name in versions)
    connection = duckdb.connect(":memory:")
    for layer in sorted({name.partition(".")[0] for name in found.names}):
        connection.execute(f'CREATE SCHEMA "{layer}"')
    for table in found.tables:  # registered under its full name, so that messages and SHOW TABLES say it
        connection.register(table.full_name, dataset(root, table, versions.get(table.full_name)))
        connection.execute(f'CREATE VIEW "{table.layer}"."{table.name}" AS SELECT * FROM "{table.full_name}"')  # noqa: S608  # names of specs
    for view in found.views:
        connection.execute(f'CREATE VIEW "{view.layer}"."{view.name}" AS {view.duckdb_sql}')
    for setting in CLOSED:
        connection.execute(setting)
    return connection, found
