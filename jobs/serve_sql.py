"""spark-submit entry point: serves a lake to JDBC and ODBC clients. Same arguments as `assay serve-sql`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if (ROOT / "pipelines").is_dir():
    sys.path.insert(0, str(ROOT))  # in a checkout: our rooms before any of the same name; elsewhere they come by --py-files

from pipelines.__main__ import add_serve_sql_arguments
from pipelines.exits import guarded
from pipelines.sql.serve import serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the job; gives the exit code of `assay serve-sql`."""
    parser = argparse.ArgumentParser(prog="serve_sql.py", description=__doc__)
    add_serve_sql_arguments(parser)
    options = parser.parse_args(arguments)
    return guarded(lambda: serve(options.lake, options.host, options.port, sys.stdout))


if __name__ == "__main__":
    sys.exit(main())
