"""What does an engine give back for a query: an answer that is computed while it is read, or a reason for people?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lake.catalog import plan
from lake.errors import MissingInputError
from lake.spec import Table
from pipelines.sql.text import advice, unknown_names
from pipelines.tables import TABLES, VIEWS

Exists = Callable[[Table], bool]


class QueryError(ValueError):
    """The engine cannot answer this query; the message is for people, without a stack."""


@dataclass(frozen=True)
class Answer:
    """Column names and rows. Reading the rows may raise QueryError."""

    names: Sequence[str]
    rows: Iterator[Sequence[Any]]


def require_lake(root: str, exists: Exists) -> None:
    """Raises MissingInputError when not one table is there."""
    if not any(exists(table) for table in TABLES):
        raise MissingInputError(f"{root} must be a lake, but holds none of its tables; check --lake, or make one with `assay run`")


def explained(message: str, text: str, registered: Sequence[str], exists: Exists) -> QueryError:
    """The engine's message about an unknown table, with near names and those there are."""
    unknown = unknown_names(text, registered)
    specified = {table.full_name for table in TABLES} | {view.full_name for view in VIEWS}
    return QueryError(f"{cleaned(message)}\n{advice(unknown, plan(TABLES, VIEWS, None, exists).names, specified)}")


def cleaned(message: str) -> str:
    """The message without colours, stack and query plan: they do not belong into a terminal or log."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", message.split("JVM stacktrace:")[0])
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip() and not re.match(r"\s*('|\+-|:)", line))
