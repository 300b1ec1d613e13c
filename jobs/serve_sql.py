"""spark-submit entry point: serves a lake to JDBC and ODBC clients. Same arguments as `assay serve-sql`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # our rooms before any of the same name

from pipelines.__main__ import add_serve_sql_arguments
from pipelines.exits import guarded
from pipelines.serve_sql import serve

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="serve_sql.py", description=__doc__)
    add_serve_sql_arguments(parser)
    options = parser.parse_args()
    sys.exit(guarded(lambda: serve(options.lake, options.host, options.port, sys.stdout)))
