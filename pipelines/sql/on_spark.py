"""How does Spark answer a query? It registers the tables the query names in its own catalog, and looks at the parsed statement."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from typing import TYPE_CHECKING, Any

from lake.catalog import checked_path, has_log, plan, register
from lake.format import FILE, known_format
from lake.session import open_session
from lake.spec import Table
from lake.storage import Storage
from pipelines.sql.answer import Answer, Exists, QueryError, cleaned, explained, require_lake
from pipelines.sql.as_of import Commit, commit, pinned
from pipelines.sql.text import first_word, wanted
from pipelines.tables import TABLES, VIEWS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

WRITES = ("InsertIntoStatement", "MergeIntoTable", "UpdateTable", "DeleteFromTable")


def ask(root: str, text: str, as_of: str | None = None) -> Answer:
    """The answer of Spark, from the tables as they stood `as_of` then.

    Raises QueryError where it has none, MissingInputError and ContractError for the lake itself.
    """
    from pyspark.errors import AnalysisException, PySparkException

    spark = open_session()
    storage, exists = open_lake(spark, root)
    names = wanted(text)
    versions = None if as_of is None else _pinned(storage, as_of, names, exists)
    registered = register(spark, root, TABLES, VIEWS, names, versions)
    try:
        with _quiet():
            _require_reading(spark, text)
            frame = spark.sql(text)
    except AnalysisException as error:
        if "NOT_FOUND" in (error.getCondition() or ""):
            raise explained(str(error), text, registered, exists) from error
        raise QueryError(cleaned(str(error))) from error
    except PySparkException as error:
        raise QueryError(cleaned(str(error))) from error
    return Answer(frame.columns, _rows(frame))


def open_lake(spark: SparkSession, root: str) -> tuple[Storage, Exists]:
    """The lake's folder, and whether a table is there. Raises MissingInputError for no lake, ContractError for one of a newer format."""
    storage = Storage(spark, checked_path(root))

    def exists(table: Table) -> bool:
        return has_log(storage, f"{storage.root}/{table.layer}/{table.name}")

    require_lake(root, exists)
    if mark := storage.read_text(f"{storage.root}/{FILE}"):
        known_format(mark, f"{storage.root}/{FILE}")
    return storage, exists


def _pinned(storage: Storage, as_of: str, names: Collection[str] | None, exists: Exists) -> dict[str, int]:
    return pinned(as_of, plan(TABLES, VIEWS, names, exists).tables, lambda table: _commits(storage, table), names is not None)


def _commits(storage: Storage, table: Table) -> list[Commit]:
    """As deltalake's history says it, for places that only Spark can read."""
    log = f"{storage.root}/{table.layer}/{table.name}/_delta_log"
    names = (name for name in storage.names(log) if re.fullmatch(r"\d{20}\.json", name))
    return [commit(int(name[:20]), _commit_info(storage.read_text(f"{log}/{name}") or "")) for name in names]


def _commit_info(text: str) -> dict[str, object]:
    lines = (json.loads(line) for line in text.splitlines() if '"commitInfo"' in line)
    return next((line["commitInfo"] for line in lines if "commitInfo" in line), {})


@contextmanager
def _quiet() -> Iterator[None]:
    """PySpark logs each failed statement with its Java stack to stderr; here the message alone is for the user."""
    from pyspark.logger import PySparkLogger

    loggers = [PySparkLogger.getLogger(f"{kind}QueryContextLogger") for kind in ("SQL", "DataFrame")]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled


def _require_reading(spark: SparkSession, text: str) -> None:
    """Looks at the parsed statement: WITH may lead an INSERT, and only the parser knows for certain. ParseException for two statements."""
    parsed = spark._jsparkSession.sessionState().sqlParser().parsePlan(text)
    if first_word(text) in ("SELECT", "WITH") and (found := _writing(parsed)):
        raise QueryError(f"a query must only read, found {found}")


def _writing(node: Any) -> str | None:
    """Simple class name of the first command or write in a parsed plan of Spark, or None."""
    name = str(node.getClass().getSimpleName())
    interfaces = [kind.getSimpleName() for kind in _ancestors(node.getClass())]
    if "Command" in interfaces or name in WRITES:
        return name
    children = node.children()
    return next((found for i in range(children.size()) if (found := _writing(children.apply(i)))), None)


def _ancestors(kind: Any) -> Iterator[Any]:
    while kind is not None:
        yield from kind.getInterfaces()
        kind = kind.getSuperclass()


def _rows(frame: DataFrame) -> Iterator[Sequence[Any]]:
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException
    from pyspark.sql.types import TimestampType

    instants = [isinstance(field.dataType, TimestampType) for field in frame.schema.fields]
    try:
        with _quiet():
            for row in frame.toLocalIterator():  # PySpark gives instants as local wall clock
                yield [v.astimezone(UTC) if instant and v is not None else v for v, instant in zip(row, instants, strict=True)]
    except PySparkException as error:
        raise QueryError(cleaned(str(error))) from error
    except Py4JJavaError as error:
        raise QueryError(cleaned(_root_message(error.java_exception))) from error


def _root_message(error: Any) -> str:
    """What the innermost cause of a Java exception says; those around it only say that a job was aborted."""
    while error.getCause() is not None:
        error = error.getCause()
    return str(error.getMessage() or error.getClass().getName())
