"""What is a table of this lake? Key, columns, types, units, ranges and comments, as plain records without Spark."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from lake.errors import ContractError

NAME = re.compile(r"^[a-z][a-z0-9_]{0,63}$")
LAYERS = ("bronze", "silver", "ood", "gold", "meta", "audit")

_SCALARS = {
    "string": pa.string(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "binary": pa.binary(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


def arrow_type(type_name: str) -> pa.DataType:
    """The Arrow type of a Spark SQL type name used in specs: scalars, array<…> and map<string,…>."""
    if type_name in _SCALARS:
        return _SCALARS[type_name]
    if match := re.fullmatch(r"array<(.+)>", type_name):
        return pa.list_(arrow_type(match[1]))
    if match := re.fullmatch(r"map<string,(.+)>", type_name):
        return pa.map_(pa.string(), arrow_type(match[1]))
    raise ContractError(f"type {type_name!r} is not one of {', '.join(_SCALARS)}, array<…>, map<string,…>")


@dataclass(frozen=True)
class Column:
    """One column. `low`/`high` bound the values inclusively, `allowed` lists them; both become CHECK constraints.

    `volatile`: may differ between equal runs (times, run ids), so comparisons leave it out. Key columns are NOT NULL.
    `added`: tables made by an earlier version lack it: they are read with nulls in its place, and gain it with their next rows.
    """

    name: str
    type: str
    comment: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    allowed: tuple[str, ...] = ()
    nullable: bool = True
    volatile: bool = False
    added: bool = False

    def check(self) -> str | None:
        """The SQL condition that every non-null value obeys, or None."""
        if self.allowed:
            return f"{self.name} IN ({', '.join(_quoted(value) for value in self.allowed)})"
        bounds = [f"{self.name} {op} {bound!r}" for op, bound in ((">=", self.low), ("<=", self.high)) if bound is not None]
        return " AND ".join(bounds) or None


def _quoted(text: str) -> str:
    if "'" in text or "\\" in text:
        raise ContractError(f"an allowed value may not hold a quote or backslash: {text!r}")
    return f"'{text}'"


@dataclass(frozen=True)
class Table:
    """One table: `layer`.`name`, its key, its columns in order, what it is partitioned by."""

    layer: str
    name: str
    comment: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    partition_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = self.column_names
        for name in (self.name, *names):
            if not NAME.match(name):
                raise ContractError(f"{self.layer}.{self.name}: name {name!r} must match {NAME.pattern}")
        if self.layer not in LAYERS:
            raise ContractError(f"layer {self.layer!r} must be one of {', '.join(LAYERS)}")
        if len(set(names)) != len(names):
            raise ContractError(f"{self.full_name}: a column name stands twice")
        if lacking := [name for name in (*self.key, *self.partition_by) if name not in names]:
            raise ContractError(f"{self.full_name}: key or partition names no column: {', '.join(lacking)}")
        flags = [column.added for column in self.columns]
        if flags != sorted(flags) or any(column.added and (self.required(column) or column.check()) for column in self.columns):
            # Delta adds a column behind the others, and a range only in a second commit that a killed run would not reach.
            raise ContractError(f"{self.full_name}: added columns must stand last, be nullable and have no range")

    @property
    def full_name(self) -> str:
        return f"{self.layer}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def stable_columns(self) -> tuple[str, ...]:
        """The columns that equal runs must write equally."""
        return tuple(column.name for column in self.columns if not column.volatile)

    def lacking(self, found: Sequence[tuple[str, str]]) -> tuple[Column, ...]:
        """The added columns that a table with these columns (name, type) was made without.

        ContractError, naming the difference, when it is no table of this spec in this or an earlier version.
        """
        expected = [(column.name, column.type) for column in self.columns]
        missing = self.columns[len(found) :]
        if list(found) != expected[: len(found)] or not all(column.added for column in missing):
            changed = sorted(set(found).symmetric_difference(expected))
            raise ContractError(f"{self.full_name}: the columns on disk are not those of this version of Assay; they differ in {changed}")
        return missing

    def required(self, column: Column) -> bool:
        """True where a null is refused: key columns and those declared so."""
        return column.name in self.key or not column.nullable

    def arrow_schema(self, extra: Iterable[tuple[str, str]] = ()) -> pa.Schema:
        """The schema that verbs emit, with `extra` (name, type) columns behind (staging adds error columns)."""
        fields = [pa.field(column.name, arrow_type(column.type)) for column in self.columns]
        return pa.schema(fields + [pa.field(name, arrow_type(type_name)) for name, type_name in extra])

    def ddl(self, extra: Iterable[tuple[str, str]] = ()) -> str:
        """The same schema as Spark SQL text, for mapInArrow and createDataFrame."""
        pairs = [(column.name, column.type) for column in self.columns] + list(extra)
        return ", ".join(f"`{name}` {type_name}" for name, type_name in pairs)

    def constraints(self) -> dict[str, str]:
        """Constraint name -> SQL condition, one per column that has a range or a value list.

        Delta refuses a row whose condition is null, so columns that may be null say so.
        """
        conditions = {}
        for column in self.columns:
            if condition := column.check():
                may_be_null = "" if self.required(column) else f"{column.name} IS NULL OR "
                conditions[f"{column.name}_range"] = may_be_null + (f"({condition})" if may_be_null else condition)
        return conditions


SETTINGS = Column("settings_id", "string", "hash of all settings that define this row; changed settings make new rows beside the old")
DATASET = Column("dataset", "string", "name of the dataset, from the configuration")
EXAMPLE = Column("example_id", "string", "content hash of the example (128 bits, hex)")
ADAPTER = Column("adapter_id", "string", "hash of adapter tensors, canonical configuration, backbone and ordered labels")
