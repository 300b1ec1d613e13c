"""How does DuckDB answer a query? From the tables that deltalake opened, after its own look at the parsed statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from pipelines.sql.answer import Answer, QueryError, cleaned, explained, require_lake
from pipelines.sql.duck import connect, exists
from pipelines.sql.text import wanted

BATCH = 1000


def ask(root: str, text: str, as_of: str | None = None) -> Answer:
    """The answer of DuckDB, from the tables as they stood `as_of` then.

    Raises QueryError where it has none, MissingInputError and ContractError for the lake itself.
    """
    require_lake(root, lambda table: exists(root, table))
    connection, found = connect(root, wanted(text), as_of)
    try:
        statements = connection.extract_statements(text)
        if len(statements) != 1:
            raise QueryError(f"one statement is answered at a time, found {len(statements)}")
        if statements[0].type != duckdb.StatementType.SELECT:  # WITH may lead an INSERT
            raise QueryError(f"a query must only read, found {statements[0].type.name}")
        result = connection.execute(statements[0])
    except duckdb.CatalogException as error:
        raise explained(str(error), text, found.names, lambda table: exists(root, table)) from error
    except duckdb.Error as error:
        raise QueryError(cleaned(str(error))) from error
    return Answer([column[0] for column in result.description or ()], _rows(connection))


def _rows(connection: duckdb.DuckDBPyConnection) -> Iterator[Sequence[Any]]:
    try:
        while batch := connection.fetchmany(BATCH):
            yield from batch
    except duckdb.Error as error:
        raise QueryError(cleaned(str(error))) from error
    finally:
        connection.close()
