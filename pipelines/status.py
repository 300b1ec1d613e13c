"""What is in a lake, and how far is it? Tables, adapters, cells of work, runs and rejected inputs, read without a JVM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

import pyarrow as pa

from lake.audit import CELLS, RUNS
from lake.audit import REJECTED as AUDIT_REJECTED
from lake.errors import MissingInputError
from lake.format import FILE
from lake.spec import Table
from pipelines.duck import connect, exists, lake_format, opened
from pipelines.sql_output import write
from pipelines.tables import TABLES

if TYPE_CHECKING:
    import duckdb

RUNS_SHOWN = 5
TABLE_COLUMNS = ("table", "rows", "version", "size")

# (title, tables it reads, SELECT). All of it is constant text.
SECTIONS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "adapters by status",
        ("silver.adapters",),
        "SELECT dataset, status, COUNT(DISTINCT adapter_id) AS adapters FROM silver.adapters GROUP BY ALL ORDER BY ALL",
    ),
    (
        "cells of work: done of expected rows, all generations",
        (CELLS.full_name,),
        "SELECT dataset, table_name AS table, COUNT(DISTINCT settings_id) AS generations, COUNT(*) AS cells, "
        "COUNT(*) FILTER (n_done = n_expected) AS complete, SUM(n_done) AS done, SUM(n_expected) AS expected "
        "FROM audit.cells GROUP BY ALL ORDER BY ALL",
    ),
    (
        "inputs rejected in bronze",
        ("bronze.rejected",),
        "SELECT dataset, error_code, COUNT(*) AS rows FROM bronze.rejected GROUP BY ALL ORDER BY ALL",
    ),
    (
        "rows rejected by a model stage",
        (AUDIT_REJECTED.full_name,),
        "SELECT dataset, table_name AS table, error_code, COUNT(*) AS rows FROM audit.rejected GROUP BY ALL ORDER BY ALL",
    ),
    (
        f"last {RUNS_SHOWN} runs",
        (RUNS.full_name,),
        "SELECT run_id, dataset, verdict, seconds, started_at, command FROM audit.runs "  # started_at: informational, there is no other order
        f"ORDER BY started_at DESC, run_id LIMIT {RUNS_SHOWN}",
    ),
)


def status(lake_root: str, stream: TextIO) -> int:
    """Writes format, tables (rows, version, size of their current files) and, per dataset, what is done. Gives 0.

    Starts no JVM and changes nothing. Raises MissingInputError when there is no lake, ContractError when a table is damaged.
    """
    present = [table for table in TABLES if exists(lake_root, table)]
    if not present:
        raise MissingInputError(f"{lake_root} must be a lake, but holds none of its tables; check --lake, or make one with `assay run`")
    stream.write(f"lake {lake_root}, format {lake_format(lake_root) or f'unknown: no {FILE}'}\n")
    _section("tables", TABLE_COLUMNS, [table_line(lake_root, table) for table in present], stream)
    there = {table.full_name for table in present}
    connection, _ = connect(lake_root, {name for _, reads, _ in SECTIONS for name in reads})
    try:
        for title, reads, sql in SECTIONS:
            if there.issuperset(reads):
                _section(title, *_asked(connection, sql), stream)
    finally:
        connection.close()
    return 0


def table_line(root: str, table: Table) -> tuple[str, int | None, int, str]:
    """One table's name, rows, version and size, from its log alone; rows are None where a writer left no statistics."""
    delta = opened(root, table)
    actions: Any = pa.table(delta.get_add_actions(flatten=True))
    counts = actions.column("num_records").to_pylist() if "num_records" in actions.column_names else [None] * len(actions)
    n_rows = None if None in counts else sum(counts)
    return table.full_name, n_rows, delta.version(), size_text(sum(actions.column("size_bytes").to_pylist()))


def size_text(n_bytes: int) -> str:
    """Bytes for people: 1 kB is 1,000 bytes."""
    size, unit = float(n_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"


def _asked(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    result = connection.execute(sql)
    return [column[0] for column in result.description or ()], result.fetchall()


def _section(title: str, names: Sequence[str], rows: Sequence[Sequence[Any]], stream: TextIO) -> None:
    stream.write(f"\n{title}\n")
    if rows:
        write("table", names, rows, stream)
    else:
        stream.write("none\n")
