"""How do people who come through SQL learn what is in the lake? From meta.tables and meta.columns, written from the specs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lake.audit import META_COLUMNS, META_TABLES
from lake.catalog import View
from lake.door import Lake
from lake.spec import Table


def table_rows(tables: Iterable[Table], views: Iterable[View]) -> list[tuple[object, ...]]:
    """Rows of meta.tables in key order: name, type, comment, key, partitioned_by (both empty for views)."""
    rows: list[tuple[object, ...]] = [
        (table.full_name, "table", table.comment, list(table.key), list(table.partition_by)) for table in tables
    ]
    rows += [(view.full_name, "view", view.comment, [], []) for view in views]
    return sorted(rows, key=lambda row: str(row[0]))


def column_rows(tables: Iterable[Table]) -> list[tuple[object, ...]]:
    """Rows of meta.columns, by table and position: table_name, name, position, type, comment, unit, range, is_key, is_volatile."""
    return [
        (
            table.full_name, column.name, position, column.type, column.comment, column.unit, column.check() or "",
            column.name in table.key, column.volatile,
        )
        for table in sorted(tables, key=lambda table: table.full_name)
        for position, column in enumerate(table.columns)
    ]  # fmt: skip


def describe(lake: Lake, tables: Sequence[Table], views: Sequence[View]) -> None:
    """Brings meta.tables and meta.columns up to date with the specs. A lake that says so already is not written."""
    for table, rows in ((META_TABLES, table_rows(tables, views)), (META_COLUMNS, column_rows(tables))):
        stored = [tuple(row) for row in lake.read(table).collect()]  # a few hundred rows: specs, not data
        if sorted(stored, key=str) == sorted(rows, key=str):
            lake.skip(table, len(rows))
        else:
            lake.replace(table, lake.spark.createDataFrame(rows, table.ddl()).coalesce(1), len(rows))
