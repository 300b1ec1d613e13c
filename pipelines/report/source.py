"""Where do the page's figures come from? DuckDB over the lake's tables, each held at the version it had when the page was begun."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lake.spec import LAYERS
from pipelines.tables import VIEWS

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]

NAMED = re.compile(rf"\b({'|'.join(LAYERS)})\.([a-z][a-z0-9_]*)")
READ_BY_VIEW = {view.full_name: view.reads for view in VIEWS}
LEDGER = "audit.cells"  # tells a view which rows are current; no figure comes from it


@dataclass(frozen=True)
class Room:
    """How much may stand on the page: rows per table, curves per panel, failures per dataset and the edge of their pictures in pixels."""

    rows: int = 120
    curves: int = 60
    failures: int = 12
    edge: int = 112

    def less(self) -> Room:
        """About half of it, never nothing."""
        return Room(max(10, self.rows // 2), max(5, self.curves // 2), max(2, self.failures * 2 // 3), max(28, self.edge * 3 // 4))


@dataclass(frozen=True)
class Source:
    """An open connection in which the names answer to `layer.table`, and at which version each table stands."""

    connection: duckdb.DuckDBPyConnection
    names: Collection[str]
    versions: Mapping[str, int]
    room: Room = Room()


@dataclass
class Reading:
    """One dataset, read for one section. Remembers which tables were asked, for the small print."""

    source: Source
    dataset: str
    place: int = 0  # of the dataset on the page
    tables: set[str] = field(default_factory=set)

    def has(self, *names: str) -> bool:
        """All these tables and views are in the lake."""
        return all(name in self.source.names for name in names)

    def rows(self, sql: str, *parameters: object) -> list[Row]:
        """The answer to a query; `?` stand for the parameters, in order."""
        self.tables |= {table for found in NAMED.finditer(sql) for table in tables_of(found[0])}
        result = self.source.connection.execute(sql, list(parameters))
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def table(self, name: str, columns: Sequence[str], order: str) -> list[Row]:
        """This dataset's rows of a table, with these columns; a column that the table does not have is None. `order`: of its columns."""
        there = {row["column_name"] for row in self.rows(f"DESCRIBE {name}")}
        chosen = ", ".join(f'"{column}"' if column in there else f'NULL AS "{column}"' for column in columns)
        sorting = ", ".join(column for column in order.split(", ") if column.split(" ")[0] in there)
        # Names of tables and columns that stand in this package, never data.
        ordered = f" ORDER BY {sorting}" if sorting else ""
        return self.rows(f"SELECT {chosen} FROM {name} WHERE dataset = ?{ordered}", self.dataset)  # noqa: S608  # see above

    def versions(self) -> list[tuple[str, int]]:
        """The tables that were asked, with their versions, by name."""
        return [(name, self.source.versions[name]) for name in sorted(self.tables) if name in self.source.versions]


def tables_of(name: str) -> set[str]:
    """The tables behind a name: itself, or what its view reads."""
    if name not in READ_BY_VIEW:
        return {name}
    return {table for read in READ_BY_VIEW[name] for table in tables_of(read)} - {LEDGER}
