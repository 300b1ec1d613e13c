"""What does the lake say? One reading query over `layer.table`, answered by DuckDB (no JVM) or by Spark."""

from __future__ import annotations

import shutil
import sys
from typing import Literal, TextIO

from pipelines.exits import USAGE
from pipelines.sql.answer import QueryError
from pipelines.sql.output import Format, write
from pipelines.sql.text import percent_coded, refusal

Engine = Literal["spark", "duckdb"]


def query(lake_root: str, text: str, engine: Engine | None, output: Format, stream: TextIO, as_of: str | None = None) -> int:
    """Answers one SELECT, WITH, SHOW or DESCRIBE on `stream`. Gives 0, or 2 with the reason on stderr when it cannot be answered.

    `engine` None is DuckDB for lakes in a folder and Spark for others. Only the tables that the query names are opened, `as_of` an earlier
    version, time or run where it is given (see sql_as_of). Raises
    MissingInputError when there is no lake, ContractError when a table is damaged or the lake's format is newer.
    """
    if reason := refusal(text):
        sys.stderr.write(f"{reason}\n")
        return USAGE
    if (engine or default_engine(lake_root)) == "duckdb":
        from pipelines.sql.on_duckdb import ask
    else:
        from pipelines.sql.on_spark import ask
    try:
        answer = ask(lake_root, text, as_of)
        write(output, answer.names, answer.rows, stream, shutil.get_terminal_size().columns if stream.isatty() else None)
    except QueryError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    return 0


def default_engine(lake_root: str) -> Engine:
    """DuckDB wherever it can read: a folder whose path deltalake understands. Object stores need Spark's own settings."""
    return "spark" if "://" in lake_root or percent_coded(lake_root) else "duckdb"
