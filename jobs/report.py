"""spark-submit entry point: writes the one-file report of a lake. Same arguments as `assay report`; it starts no Spark session."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if (ROOT / "pipelines").is_dir():
    sys.path.insert(0, str(ROOT))  # in a checkout: our rooms before any of the same name; elsewhere they come by --py-files

from pipelines.__main__ import REPORT_EXAMPLES, add_report_arguments
from pipelines.exits import guarded
from pipelines.report.command import report


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the job; gives the exit code of `assay report`."""
    kind = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="report.py", description=__doc__, epilog=REPORT_EXAMPLES, formatter_class=kind)
    add_report_arguments(parser)
    options = parser.parse_args(arguments)
    return guarded(lambda: report(options.lake, options.out, sys.stdout))


if __name__ == "__main__":
    sys.exit(main())
