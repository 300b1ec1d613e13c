"""What does the lake say? One reading query over `layer.table`, answered by DuckDB (no JVM) or by Spark."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TextIO

from lake.errors import MissingInputError
from lake.spec import Table
from pipelines.exits import USAGE
from pipelines.sql_output import Format, write
from pipelines.sql_text import advice, refusal, unknown_names, wanted
from pipelines.tables import TABLES, VIEWS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Engine = Literal["spark", "duckdb"]
Exists = Callable[[Table], bool]
BATCH = 1000


class QueryError(ValueError):
    """The engine cannot answer this query. `missing`: because a table has no such name."""

    def __init__(self, message: str, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing


@dataclass(frozen=True)
class Answer:
    """Column names and rows, which are computed while they are read."""

    names: Sequence[str]
    rows: Iterator[Sequence[Any]]


def query(lake_root: str, text: str, engine: Engine | None, output: Format, stream: TextIO) -> int:
    """Answers one SELECT, WITH, SHOW or DESCRIBE on `stream`. Gives 0, or 2 with the reason on stderr when it cannot be answered.

    `engine` None is DuckDB for lakes in a folder and Spark for others. Only the tables that the query names are opened. Raises
    MissingInputError when there is no lake, ContractError when a table is damaged.
    """
    if reason := refusal(text):
        sys.stderr.write(f"{reason}\n")
        return USAGE
    ask = {"duckdb": _ask_duckdb, "spark": _ask_spark}[engine or default_engine(lake_root)]
    try:
        answer = ask(lake_root, text)
        write(output, answer.names, answer.rows, stream)
    except QueryError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    return 0


def default_engine(lake_root: str) -> Engine:
    """DuckDB wherever it can read: a folder whose path deltalake understands. Object stores need Spark's own settings."""
    return "spark" if "://" in lake_root or re.search(r"%[0-9A-Fa-f]{2}", lake_root) else "duckdb"


def _ask_duckdb(root: str, text: str) -> Answer:
    import duckdb

    from pipelines.duck import connect, exists

    _require_lake(root, lambda table: exists(root, table))
    connection, found = connect(root, wanted(text))
    try:
        statements = connection.extract_statements(text)
        if len(statements) != 1:
            raise QueryError(f"one statement is answered at a time, found {len(statements)}")
        if statements[0].type != duckdb.StatementType.SELECT:  # WITH may lead an INSERT
            raise QueryError(f"a query must only read, found {statements[0].type.name}")
        result = connection.execute(statements[0])
    except duckdb.CatalogException as error:
        raise QueryError(_explained(str(error), text, found.names, lambda table: exists(root, table))) from error
    except duckdb.Error as error:
        raise QueryError(_clean(str(error))) from error
    return Answer([column[0] for column in result.description or ()], _duckdb_rows(connection))


def _duckdb_rows(connection: Any) -> Iterator[Sequence[Any]]:
    import duckdb

    try:
        while batch := connection.fetchmany(BATCH):
            yield from batch
    except duckdb.Error as error:
        raise QueryError(_clean(str(error))) from error
    finally:
        connection.close()


def _ask_spark(root: str, text: str) -> Answer:
    from pyspark.errors import AnalysisException, PySparkException

    from lake.catalog import checked_path, has_log, register
    from lake.format import FILE, known_format
    from lake.session import open_session
    from lake.storage import Storage

    spark = open_session()
    storage = Storage(spark, checked_path(root))

    def exists(table: Table) -> bool:
        return has_log(storage, f"{storage.root}/{table.layer}/{table.name}")

    _require_lake(root, exists)
    if mark := storage.read_text(f"{storage.root}/{FILE}"):
        known_format(mark, f"{storage.root}/{FILE}")
    registered = register(spark, root, TABLES, VIEWS, wanted(text))
    try:
        _require_reading(spark, text)
        frame = spark.sql(text)
    except AnalysisException as error:
        missing = "NOT_FOUND" in (error.getCondition() or "")
        raise QueryError(_explained(_message(error), text, registered, exists) if missing else _message(error)) from error
    except PySparkException as error:
        raise QueryError(_message(error)) from error
    return Answer(frame.columns, _spark_rows(frame))


def _require_reading(spark: SparkSession, text: str) -> None:
    """Looks at the parsed statement: WITH may lead an INSERT, and only the parser knows for certain. ParseException for two statements."""
    from pipelines.sql_text import first_word

    parsed = spark._jsparkSession.sessionState().sqlParser().parsePlan(text)
    if first_word(text) in ("SELECT", "WITH") and (found := _writing(parsed)):
        raise QueryError(f"a query must only read, found {found}")


def _writing(node: Any) -> str | None:
    """Simple class name of the first command or write in a parsed plan of Spark, or None."""
    name = str(node.getClass().getSimpleName())
    interfaces = [kind.getSimpleName() for kind in _ancestors(node.getClass())]
    if "Command" in interfaces or name in ("InsertIntoStatement", "MergeIntoTable", "UpdateTable", "DeleteFromTable"):
        return name
    children = node.children()
    return next((found for i in range(children.size()) if (found := _writing(children.apply(i)))), None)


def _ancestors(kind: Any) -> Iterator[Any]:
    while kind is not None:
        yield from kind.getInterfaces()
        kind = kind.getSuperclass()


def _spark_rows(frame: DataFrame) -> Iterator[Sequence[Any]]:
    from datetime import UTC

    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException
    from pyspark.sql.types import TimestampType

    instants = [isinstance(field.dataType, TimestampType) for field in frame.schema.fields]
    try:
        for row in frame.toLocalIterator():  # PySpark gives instants as local wall clock
            yield [v.astimezone(UTC) if instant and v is not None else v for v, instant in zip(row, instants, strict=True)]
    except PySparkException as error:
        raise QueryError(_message(error)) from error
    except Py4JJavaError as error:
        raise QueryError(_clean(str(error.java_exception.getMessage()))) from error


def _require_lake(root: str, exists: Exists) -> None:
    if not any(exists(table) for table in TABLES):
        raise MissingInputError(f"{root} must be a lake, but holds none of its tables; check --lake, or make one with `assay run`")


def _explained(message: str, text: str, registered: Sequence[str], exists: Exists) -> str:
    """The engine's message about an unknown table, with near names and those there are."""
    from lake.catalog import plan

    unknown = unknown_names(text, registered)
    specified = {item.full_name for item in (*TABLES, *VIEWS)}
    return f"{_clean(message)}\n{advice(unknown, plan(TABLES, VIEWS, None, exists).names, specified)}"


def _message(error: Any) -> str:
    """What Spark says for people: no plan and no stack."""
    return _clean(str(error).split("JVM stacktrace:")[0])


def _clean(message: str) -> str:
    # Engines colour their messages and append their plans: neither belongs into a log.
    text = re.sub(r"\x1b\[[0-9;]*m", "", message)
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip() and not re.match(r"\s*('|\+-|:-)", line))
