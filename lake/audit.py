"""How does the lake describe itself? Tables, columns, runs, cells of work done, and rows that could not be computed."""

from __future__ import annotations

from lake.spec import ADAPTER, DATASET, SETTINGS, Column, Table

TABLE_NAME = Column("table_name", "string", "layer.table")

META_TABLES = Table(
    "meta",
    "tables",
    "Every table of this lake.",
    ("name",),
    (
        Column("name", "string", "layer.table"),
        Column("type", "string", "table or view", allowed=("table", "view"), nullable=False),
        Column("comment", "string", "what one row is", nullable=False),
        Column("key", "array<string>", "columns that identify a row; empty for views", nullable=False),
        Column("partitioned_by", "array<string>", "partition columns", nullable=False),
    ),
)

META_COLUMNS = Table(
    "meta",
    "columns",
    "Every column of every table of this lake.",
    ("table_name", "name"),
    (
        TABLE_NAME,
        Column("name", "string", "column name"),
        Column("position", "int", "position in the table, from 0", low=0, nullable=False),
        Column("type", "string", "Spark SQL type", nullable=False),
        Column("comment", "string", "meaning", nullable=False),
        Column("unit", "string", "unit of measure, empty for none", nullable=False),
        Column("range", "string", "condition every non-null value obeys, empty for none", nullable=False),
        Column("is_key", "boolean", "part of the key", nullable=False),
        Column("is_volatile", "boolean", "may differ between equal runs", nullable=False),
    ),
)

RUNS = Table(
    "audit",
    "runs",
    "What ran: settings, versions, outcome. A run that found nothing to do leaves no row.",
    ("run_id",),
    (
        Column("run_id", "string", "identity of the run", volatile=True),
        Column("command", "string", "what was asked for", nullable=False),
        Column("dataset", "string", "dataset of the configuration", nullable=False),
        Column("config_sha256", "string", "hash of the resolved configuration", nullable=False),
        Column("config", "string", "the resolved configuration as JSON, secrets redacted", nullable=False),
        Column("versions", "map<string,string>", "package versions", nullable=False, volatile=True),
        Column("verdict", "string", "how it ended", nullable=False),
        Column("seconds", "double", "wall time", unit="s", low=0.0, volatile=True),
        Column("started_at", "timestamp", "wall clock at the start, informational: order by table version", volatile=True),
        Column("tables", "string", "per table versions and row counts as JSON", volatile=True),
    ),
)

QUALITY = Table(
    "audit",
    "quality",
    "Checks made before each commit and their results.",
    ("run_id", "table_name", "chunk", "check_name"),
    (
        Column("run_id", "string", "run that checked", volatile=True),
        TABLE_NAME,
        Column("chunk", "int", "chunk of work within the run, from 0", low=0),
        Column("check_name", "string", "what was checked"),
        Column("expected", "bigint", "rows the law demands", unit="rows"),
        Column("found", "bigint", "rows found", unit="rows"),
        Column("passed", "boolean", "whether the law held", nullable=False),
    ),
)

REJECTED = Table(
    "audit",
    "rejected",
    "Rows of a model stage that could not be computed; with the table's own rows they make up the law's product.",
    ("dataset", "table_name", "key", "settings_id"),
    (
        DATASET,
        TABLE_NAME,
        Column("key", "string", "the row's key columns as canonical JSON (without dataset and settings_id)"),
        SETTINGS,
        Column("error_code", "string", "short reason", nullable=False),
        Column("message", "string", "what was found, for a person"),
        Column("run_id", "string", "run that found it", volatile=True),
    ),
)

CELLS = Table(
    "audit",
    "cells",
    "The ledger of work: how much of each cell is done. Planning reads this, and it can be rebuilt by counting.",
    ("dataset", "table_name", "adapter_id", "corruption", "severity", "settings_id"),
    (
        DATASET,
        TABLE_NAME,
        Column("adapter_id", "string", ADAPTER.comment + "; * where the table has none"),
        Column(
            "corruption",
            "string",
            "* where the table has none; of texts the attack; or the part of a table that has generations of its own",
        ),
        Column("severity", "int", "0 where the table has none", low=0),
        SETTINGS,
        Column("inputs_sha256", "string", "hash of what the cell was computed from", nullable=False),
        Column("n_expected", "bigint", "rows the row-count law demands", unit="rows", low=0, nullable=False),
        Column("n_done", "bigint", "rows in the table plus rejected ones", unit="rows", low=0, nullable=False),
        Column("generation", "bigint", "grows with every write of the ledger: newest is largest", volatile=True, nullable=False),
    ),
    ("dataset",),
)

SETTINGS_OF = Table(
    "audit",
    "settings",
    "What stands behind each settings_id: all that defines its rows, precision and batch shape included.",
    ("dataset", "table_name", "settings_id"),
    (
        DATASET,
        TABLE_NAME,
        SETTINGS,
        Column("settings", "string", "the settings as canonical JSON; settings_id is its hash", nullable=False),
    ),
)

TABLES = (META_TABLES, META_COLUMNS, RUNS, QUALITY, REJECTED, CELLS, SETTINGS_OF)
