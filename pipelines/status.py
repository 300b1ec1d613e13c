"""What is in a lake, and how far is it? Tables, adapters, cells of work, runs and rejected inputs, read without a JVM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

import pyarrow as pa

from bronze.specs import REJECTED as BRONZE_REJECTED
from lake.audit import CELLS, RUNS
from lake.audit import REJECTED as AUDIT_REJECTED
from lake.format import FILE
from lake.spec import Table
from pipelines.sql.answer import require_lake
from pipelines.sql.duck import connect, exists, lake_format, opened
from pipelines.sql.output import write
from pipelines.tables import TABLES
from silver.specs import ADAPTERS

if TYPE_CHECKING:
    import duckdb

TABLE_COLUMNS = ("table", "rows", "version", "size")

CELL_SQL = """
SELECT dataset, table_name AS table, COUNT(DISTINCT settings_id) AS generations, COUNT(*) AS cells,
       COUNT(*) FILTER (n_done = n_expected) AS complete, SUM(n_done) AS done, SUM(n_expected) AS expected
FROM audit.cells GROUP BY ALL ORDER BY ALL
"""
ADAPTER_SQL = "SELECT dataset, status, COUNT(DISTINCT adapter_id) AS adapters FROM silver.adapters GROUP BY ALL ORDER BY ALL"
REFUSED_SQL = "SELECT dataset, error_code, COUNT(*) AS rows FROM bronze.rejected GROUP BY ALL ORDER BY ALL"
FAILED_SQL = "SELECT dataset, table_name AS table, error_code, COUNT(*) AS rows FROM audit.rejected GROUP BY ALL ORDER BY ALL"
# Wall clocks are informational, but runs have no other order.
RUN_SQL = "SELECT run_id, dataset, verdict, seconds, started_at, command FROM audit.runs ORDER BY started_at DESC, run_id LIMIT 5"

# (title, the one table it reads, SELECT)
SECTIONS: tuple[tuple[str, str, str], ...] = (
    ("adapters by status", ADAPTERS.full_name, ADAPTER_SQL),
    ("cells of work: done of expected rows, all generations", CELLS.full_name, CELL_SQL),
    ("inputs rejected in bronze", BRONZE_REJECTED.full_name, REFUSED_SQL),
    ("rows rejected by a model stage", AUDIT_REJECTED.full_name, FAILED_SQL),
    ("last runs, newest first", RUNS.full_name, RUN_SQL),
)


def status(lake_root: str, stream: TextIO) -> int:
    """Writes format, tables (rows, version, size of their current files) and, per dataset, what is done. Gives 0.

    Starts no JVM and changes nothing. Raises MissingInputError when there is no lake, ContractError when a table is damaged.
    """
    present = [table for table in TABLES if exists(lake_root, table)]
    require_lake(lake_root, present.__contains__)
    stream.write(f"lake {lake_root}, format {lake_format(lake_root) or f'unknown: no {FILE}'}\n")
    _section("tables", TABLE_COLUMNS, [table_line(lake_root, table) for table in present], stream)
    there = {table.full_name for table in present}
    connection, _ = connect(lake_root, {name for _, name, _ in SECTIONS})
    try:
        for title, name, sql in SECTIONS:
            if name in there:
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
