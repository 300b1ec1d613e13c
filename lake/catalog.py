"""How do `layer.table` names come to mean the tables of one lake? Views as records, and their registration in a Spark session."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lake.errors import ConfigError, ContractError
from lake.spec import LAYERS, NAME, Table
from lake.storage import Storage

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# What would end a SQL literal, or be replaced inside it: quotes, backslash, control characters, Spark's ${variable}.
UNSAFE_IN_PATH = re.compile(r"""['"`\\\x00-\x1f\x7f]|\$\{""")


@dataclass(frozen=True)
class View:
    """One view: its SELECT in both dialects, and the full names of the tables and views it reads."""

    layer: str
    name: str
    comment: str
    spark_sql: str
    duckdb_sql: str
    reads: tuple[str, ...]

    def __post_init__(self) -> None:
        if not NAME.match(self.name) or self.layer not in LAYERS:
            raise ContractError(f"view {self.full_name!r}: layer must be one of {', '.join(LAYERS)} and the name match {NAME.pattern}")

    @property
    def full_name(self) -> str:
        return f"{self.layer}.{self.name}"


@dataclass(frozen=True)
class Plan:
    """What one query needs: what can be registered (views behind what they read), and the full names that are not in this lake."""

    tables: tuple[Table, ...]
    views: tuple[View, ...]
    absent: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (*(table.full_name for table in self.tables), *(view.full_name for view in self.views))


def plan(tables: Iterable[Table], views: Iterable[View], wanted: Collection[str] | None, exists: Callable[[Table], bool]) -> Plan:
    """The tables and views that `wanted` (full names; None: all) stands for, with everything the views read.

    A view is there when all it reads is there; `views` must be ordered so that a view stands behind those it reads.
    `exists` is asked once for each table that is needed. Names that nobody knows are left out.
    """
    views = tuple(views)
    needed = None if wanted is None else _with_reads(wanted, views)
    chosen = [table for table in tables if needed is None or table.full_name in needed]
    present = tuple(table for table in chosen if exists(table))
    there = {table.full_name for table in present}
    shown: list[View] = []
    for view in views:
        if (needed is None or view.full_name in needed) and there.issuperset(view.reads):
            shown.append(view)
            there.add(view.full_name)
    known = [*(table.full_name for table in chosen), *(view.full_name for view in views)]
    absent = (name for name in known if name not in there and (needed is None or name in needed))
    return Plan(present, tuple(shown), tuple(absent))


def _with_reads(wanted: Collection[str], views: tuple[View, ...]) -> set[str]:
    needed = set(wanted)
    for view in reversed(views):  # a view stands behind those it reads: one pass from the end finds all
        if view.full_name in needed:
            needed.update(view.reads)
    return needed


def register(
    spark: SparkSession,
    root: str,
    tables: Iterable[Table],
    views: Iterable[View],
    wanted: Collection[str] | None = None,
    versions: Mapping[str, int] | None = None,
) -> tuple[str, ...]:
    """Makes `layer.table` mean the tables and views of the lake at `root`, in this session's catalog; gives the names registered.

    Only what is in the lake, and what `wanted` needs (a full registration costs about 0.1 s a table). With `versions` (full name ->
    version) each table is read at that version, and one that has none is absent. A name that meant another lake or version before is
    moved to this one, or taken away when this lake lacks it: never is another lake's data read by mistake. Writes nothing into the
    lake. Raises ConfigError for a path that cannot be quoted, ContractError for a managed table of such a name.
    """
    storage = Storage(spark, checked_path(root))
    found = plan(tables, views, wanted, lambda table: _there(storage, table, versions))
    _create_layers(spark, {name.partition(".")[0] for name in (*found.names, *found.absent)}, _databases())
    for name in found.absent:
        _forget(spark, name)
    for table in found.tables:
        if versions is None:
            _register_table(spark, table.full_name, _place(storage, table))
        else:
            _register_reading(spark, storage, table, versions[table.full_name])
    _register_views(spark, found.views)
    return found.names


def publish(spark: SparkSession, root: str, tables: Iterable[Table], views: Iterable[View], databases: str) -> tuple[str, ...]:
    """As `register`, for people who may send any statement: each table is a view of its place, so that its name can be read and no more.

    INSERT, UPDATE, DELETE, MERGE and TRUNCATE are refused by Spark itself. `databases` is the folder for what people CREATE. Names that
    mean something already are left as they are, and their tables are not looked for again; gives the names that were added. Raises as
    `register` does.
    """
    tables, views = tuple(tables), tuple(views)
    storage = Storage(spark, checked_path(root))
    names = (*(table.full_name for table in tables), *(view.full_name for view in views))
    known = {name for name in names if _metadata(spark, name) is not None}
    found = plan(tables, views, None, lambda table: table.full_name in known or has_log(storage, _place(storage, table)))
    added = tuple(name for name in found.names if name not in known)
    if added:
        _create_layers(spark, LAYERS, databases)
    for table in found.tables:
        if table.full_name in added:
            _register_reading(spark, storage, table)
    _register_views(spark, (view for view in found.views if view.full_name in added))
    return added


def _create_layers(spark: SparkSession, layers: Iterable[str], databases: str) -> None:
    for layer in sorted(layers):
        spark.sql(f"CREATE DATABASE IF NOT EXISTS {layer} LOCATION 'file:{checked_path(databases)}/{layer}.db'")


def checked_path(root: str) -> str:
    """The path itself. Raises ConfigError when it could not stand inside a SQL literal."""
    if match := UNSAFE_IN_PATH.search(root):
        raise ConfigError(
            f"the lake's path must hold no quote, backslash, control character or ${{, found {match[0]!r} in {root!r}; move the lake"
        )
    return root


def has_log(storage: Storage, path: str) -> bool:
    """True when a table with a log lies there. Data without a log is damage, not absence: ContractError."""
    if any(name.endswith((".json", ".checkpoint.parquet")) for name in storage.names(f"{path}/_delta_log")):
        return True
    if storage.names(path):
        raise ContractError(f"{path} holds files but no readable _delta_log. Restore the log, or move the folder away")
    return False


def _place(storage: Storage, table: Table) -> str:
    return f"{storage.root}/{table.layer}/{table.name}"


def _there(storage: Storage, table: Table, versions: Mapping[str, int] | None) -> bool:
    return has_log(storage, _place(storage, table)) if versions is None else table.full_name in versions


def _databases() -> str:
    # A database needs a folder although its tables are external. Never the lake's own: DROP DATABASE removes that folder.
    return f"{tempfile.gettempdir()}/assay-databases-{os.getuid()}"


def _register_table(spark: SparkSession, full_name: str, path: str) -> None:
    place = spark._jvm.org.apache.hadoop.fs.Path(path)  # type: ignore[union-attr]  # there is a JVM behind every classic session
    uri = place.getFileSystem(spark._jsc.hadoopConfiguration()).makeQualified(place).toUri().toString()
    registered = _metadata(spark, full_name)
    if registered is not None:
        if _kind(registered) == "EXTERNAL" and registered.location().toString() == uri:
            return
        _forget(spark, full_name)
    spark.sql(f"CREATE TABLE {full_name} USING DELTA LOCATION '{path}'")


def _register_reading(spark: SparkSession, storage: Storage, table: Table, version: int | None = None) -> None:
    _forget(spark, table.full_name)
    source = f"delta.`{_place(storage, table)}`" + ("" if version is None else f" VERSION AS OF {version}")
    # A place that checked_path has seen, and a number.
    spark.sql(f"CREATE VIEW {table.full_name} COMMENT {_literal(table.comment)} AS SELECT * FROM {source}")  # noqa: S608  # see above


def _register_views(spark: SparkSession, views: Iterable[View]) -> None:
    for view in views:
        _forget(spark, view.full_name)
        spark.sql(f"CREATE VIEW {view.full_name} COMMENT {_literal(view.comment)} AS {view.spark_sql}")


def _forget(spark: SparkSession, full_name: str) -> None:
    """Takes a name out of the catalog. The data of an external table stay."""
    registered = _metadata(spark, full_name)
    if registered is None:
        return
    kind = _kind(registered)
    if kind == "MANAGED":
        raise ContractError(
            f"{full_name} must name a table of the lake, found a managed table of that name in the session's catalog; rename it"
        )
    spark.sql(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} {full_name}")


def _metadata(spark: SparkSession, full_name: str):  # type: ignore[no-untyped-def]  # a JVM CatalogTable, or None
    state = spark._jsparkSession.sessionState()
    identifier = state.sqlParser().parseTableIdentifier(full_name)
    return state.catalog().getTableMetadata(identifier) if state.catalog().tableExists(identifier) else None


def _kind(metadata) -> str:  # type: ignore[no-untyped-def]  # a JVM CatalogTable
    return str(metadata.tableType().name())


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
