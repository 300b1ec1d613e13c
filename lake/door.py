"""How does anything get into or out of a Delta table? Through this one door."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from lake.catalog import checked_path
from lake.errors import ContractError
from lake.identity import canonical_json, settings_id
from lake.spec import Table
from lake.storage import Storage

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FORMAT_VERSION = 1
CONFLICT_ATTEMPTS = 5
T = TypeVar("T")


@dataclass
class TableCount:
    """What one run did to one table: rows."""

    rows_written: int = 0
    rows_rejected: int = 0
    rows_skipped: int = 0


@dataclass
class Lake:
    """One lake as one run sees it: its root, the session, and what stands in every commit."""

    spark: SparkSession
    root: str
    run_id: str = "adhoc"
    config_sha256: str = ""
    counts: dict[str, TableCount] = field(default_factory=dict)
    versions_before: dict[str, int | None] = field(default_factory=dict)
    versions_after: dict[str, int | None] = field(default_factory=dict)
    quality: list[tuple[object, ...]] = field(default_factory=list)
    before_commit: Callable[[], None] = lambda: None  # the lease's check, where there is a lease
    settings: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.storage = Storage(self.spark, self.root)
        self._known: set[str] = set()
        self._made: set[str] = set()  # tables that this run has created
        self._grown: set[str] = set()  # tables that were looked at for columns added since

    def path(self, table: Table) -> str:
        return f"{self.storage.root}/{table.layer}/{table.name}"

    def exists(self, table: Table) -> bool:
        """True when the table has a log. A folder with data but no log is damage, not absence: ContractError."""
        if table.full_name in self._known:
            return True
        path = self.path(table)
        names = self.storage.names(f"{path}/_delta_log")
        if any(name.endswith(".json") for name in names):
            self._known.add(table.full_name)
            return True
        if self.storage.names(path):
            raise ContractError(
                f"{table.full_name}: {path} holds files but no readable _delta_log. Restore the log, or move the folder away."
            )
        return False

    def version(self, table: Table) -> int | None:
        """Newest committed version, None when the table is not there."""
        names = self.storage.names(f"{self.path(table)}/_delta_log")
        return max((int(name[:20]) for name in names if name[:20].isdigit() and name.endswith(".json")), default=None)

    def create(self, table: Table) -> None:
        """Creates the table with its comments, NOT NULL and CHECK constraints in one commit.

        One that is there gains the columns that were added to its spec since, in one commit, or is left as it is.
        """
        self.versions_before.setdefault(table.full_name, self.version(table))
        if self.exists(table):
            self._add_columns(table)
            return
        from delta.tables import DeltaTable
        from pyspark.sql.types import StructField, StructType

        types = cast("StructType", StructType.fromDDL(table.ddl()))
        columns = [
            StructField(column.name, parsed.dataType, not table.required(column), {"comment": column.comment})
            for column, parsed in zip(table.columns, types.fields, strict=True)
        ]  # for one call: column by column a lake's tables cost 2 s of CPU
        builder = DeltaTable.createIfNotExists(self.spark).location(self.path(table)).comment(table.comment).addColumns(columns)
        for name, condition in table.constraints().items():
            builder = builder.property(f"delta.constraints.{name}", condition)
        builder = builder.property("delta.logRetentionDuration", "interval 90 days")
        if table.partition_by:
            builder = builder.partitionedBy(*table.partition_by)
        made = self.version(table) is None
        self._retried(table, builder.execute)
        self._known.add(table.full_name)
        if made:
            self._made.add(table.full_name)

    def read(self, table: Table) -> DataFrame:
        """The table as it stands, columns that were added to its spec since as nulls. ContractError names table and columns when its
        schema is not the spec's."""
        if not self.exists(table):
            return self.spark.createDataFrame([], table.ddl())
        frame = self.spark.read.format("delta").load(self.path(table))
        if missing := table.lacking(frame.dtypes):
            from pyspark.sql import functions as F

            frame = frame.withColumns({column.name: F.lit(None).cast(column.type) for column in missing})
        return frame

    def append(self, table: Table, rows: DataFrame, n_rows: int) -> None:
        """One commit of `rows` (columns by name, in spec order), `n_rows` of them as the caller has counted."""
        self.create(table)
        frame = rows.select(*table.column_names)
        self._retried(table, lambda: self._writer(frame).mode("append").save(self.path(table)))
        self._count(table, n_rows)

    def replace(self, table: Table, rows: DataFrame, n_rows: int, **where: str) -> None:
        """One commit that puts `rows` in place of all rows that equal `where` (values of name pattern only); none where neither are any."""
        self.create(table)
        if not n_rows and self._vacant(table, where):
            self.skip(table, 0)
            return
        frame = rows.select(*table.column_names)
        condition = " AND ".join(f"{name} = {_literal(value)}" for name, value in where.items()) or "true"

        def commit() -> None:
            before, vacant = self.version(table), self._vacant(table, where)
            if vacant or before == 0:  # taken once by Delta: a run that has lost its lease meanwhile adds no rows beside another's
                name = f"first rows of {table.full_name}" + ("" if before == 0 else f", {condition}")
                writer = self._writer(frame).option("txnAppId", name).option("txnVersion", 0)
                if vacant:  # an append costs a quarter of a replaceWhere
                    writer.mode("append").save(self.path(table))
                else:
                    writer.mode("overwrite").option("replaceWhere", condition).save(self.path(table))
                if self.version(table) != before:
                    return  # else taken before, and those rows have been deleted since
            self._writer(frame).mode("overwrite").option("replaceWhere", condition).save(self.path(table))

        self._retried(table, commit)
        self._count(table, n_rows)

    def _vacant(self, table: Table, where: Mapping[str, str]) -> bool:
        """True when no row can be in the place of those that come.

        That is in a table that this run has made and nobody has written, and in one that is partitioned by what is replaced and has no such
        folder. Folders of another kind (an operator can ask Delta for random ones) say nothing.
        """
        if self.is_untouched(table):
            return True
        if not where or list(where) != list(table.partition_by):
            return False
        folders = [name for name in self.storage.names(self.path(table)) if name[0] not in "._"]
        known = all(name.startswith(f"{table.partition_by[0]}=") for name in folders)
        return known and "/".join(f"{name}={value}" for name, value in where.items()) not in folders

    def is_untouched(self, table: Table) -> bool:
        """True for a table that this run has made and nobody has written since: it holds no row."""
        return table.full_name in self._made and self.version(table) == 0

    def settings_id(self, table: Table, dataset: str, settings: Mapping[str, object]) -> str:
        """The hash of a generation's settings; the settings themselves are kept for audit.settings."""
        identity = settings_id(settings)
        self.settings[dataset, table.full_name, identity] = canonical_json(settings)
        return identity

    def skip(self, table: Table, n_rows: int) -> None:
        """Notes rows that were there already."""
        self.counts.setdefault(table.full_name, TableCount()).rows_skipped += n_rows
        self.versions_before.setdefault(table.full_name, self.version(table))

    def reject(self, table: Table, n_rows: int) -> None:
        """Notes rows of this table that ended in a rejected table instead."""
        self.counts.setdefault(table.full_name, TableCount()).rows_rejected += n_rows

    def report(self) -> dict[str, dict[str, Any]]:
        """Per table that this run touched: versions and row counts, for the JSON line and audit.runs."""
        by_name = {}
        for name, count in sorted(self.counts.items()):
            before, after = self.versions_before.get(name), self.versions_after.get(name, self.versions_before.get(name))
            by_name[name] = {"version_before": before, "version_after": after, **vars(count)}
        return by_name

    def allow_nulls(self, table: Table) -> None:
        """Columns that a table made by an earlier version refuses nulls in and the spec allows them in take nulls from now on: one commit
        each, and none where there is nothing to change. Files stay as they are."""
        if not self.exists(table):
            return
        strict = {field.name for field in self.spark.read.format("delta").load(self.path(table)).schema if not field.nullable}
        for column in table.columns:
            if column.name in strict and not table.required(column):
                self._retried(table, partial(self._drop_not_null, table, column.name))

    def renew_checks(self, table: Table) -> None:
        """CHECK constraints of a table made by an earlier version become those of its spec: two commits for each that differs, none where
        none does. Rows that are there are looked at once. A kill in between leaves none, and the next call makes it."""
        if not self.exists(table):
            return
        path = checked_path(self.path(table))
        found = self.spark.sql(f"DESCRIBE DETAIL delta.`{path}`").collect()[0].properties
        for name, condition in table.constraints().items():
            if _unspaced(found.get(f"delta.constraints.{name}", "")) != _unspaced(condition):  # ADD CONSTRAINT spaces it out
                for change in (f"DROP CONSTRAINT IF EXISTS {name}", f"ADD CONSTRAINT {name} CHECK ({condition})"):
                    self._retried(table, partial(self.spark.sql, f"ALTER TABLE delta.`{path}` {change}"))

    def _drop_not_null(self, table: Table, name: str) -> None:
        path = checked_path(self.path(table))
        self.spark.sql(f"ALTER TABLE delta.`{path}` ALTER COLUMN {name} DROP NOT NULL")

    def _add_columns(self, table: Table) -> None:
        """Columns that were added to the spec after the table was made; rows that are there keep a null in them, files stay as they are."""
        if table.full_name in self._grown:
            return
        self._grown.add(table.full_name)
        if not any(column.added for column in table.columns):
            return
        from pyspark.sql import functions as F

        frame = self.spark.read.format("delta").load(self.path(table))
        if missing := table.lacking(frame.dtypes):
            new = (F.lit(None).cast(column.type).alias(column.name, metadata={"comment": column.comment}) for column in missing)
            writer = self._writer(frame.limit(0).select("*", *new)).mode("append").option("mergeSchema", "true")
            self._retried(table, lambda: writer.save(self.path(table)))

    def _refuse_other_columns(self, table: Table) -> None:
        """Raises ContractError, with what to do, when the table on disk has columns that no version of its spec leads to."""
        if not self.exists(table):
            return
        try:
            table.lacking(self.spark.read.format("delta").load(self.path(table)).dtypes)
        except ContractError as error:
            raise ContractError(f"{error}. Move {self.path(table)} away: the next run makes the table again") from error

    def _count(self, table: Table, n_rows: int) -> None:
        self.counts.setdefault(table.full_name, TableCount()).rows_written += n_rows
        self.versions_after[table.full_name] = self.version(table)

    def _writer(self, frame: DataFrame):  # type: ignore[no-untyped-def]  # DataFrameWriter is imported late with pyspark
        metadata = json.dumps({"run_id": self.run_id, "config_sha256": self.config_sha256, "lake_format": FORMAT_VERSION})
        return frame.write.format("delta").option("userMetadata", metadata)

    def _retried(self, table: Table, commit: Callable[[], T]) -> T:
        """Runs a commit again after a conflict with another writer (OPTIMIZE, VACUUM, a second run), at most five times."""
        from pyspark.errors import AnalysisException

        conflicts = _conflicts()
        for attempt in range(1, CONFLICT_ATTEMPTS + 1):
            try:
                self.before_commit()
                return commit()
            except conflicts as conflict:
                if attempt == CONFLICT_ATTEMPTS:
                    raise ConflictError(
                        f"{table.full_name}: {attempt} commits in a row met another writer's; try again later"
                    ) from conflict
                time.sleep(0.2 * 2**attempt)
            except AnalysisException:
                self._refuse_other_columns(table)
                raise
        raise AssertionError("unreachable")


def _conflicts() -> tuple[type[Exception], ...]:
    """Every way in which Delta says that another writer was first. The classes of its Python client share no base of their own."""
    from delta import exceptions

    return tuple(getattr(exceptions, name) for name in exceptions.__all__)


class ConflictError(RuntimeError):
    """Other writers won every attempt to commit. Temporary: run again."""


def _unspaced(condition: str) -> str:
    return "".join(condition.split())


def _literal(value: str) -> str:
    if "'" in value or "\\" in value:
        raise ContractError(f"a value in a replace condition may not hold a quote or backslash: {value!r}")
    return f"'{value}'"
