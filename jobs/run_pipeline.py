"""spark-submit entry point: brings a lake up to date with a configuration. Same arguments as `assay run`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if (ROOT / "pipelines").is_dir():
    sys.path.insert(0, str(ROOT))  # in a checkout: our rooms before any of the same name; elsewhere they come by --py-files

from pipelines.__main__ import add_run_arguments
from pipelines.command import run
from pipelines.exits import guarded


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the job; gives the exit code of `assay run`."""
    parser = argparse.ArgumentParser(prog="run_pipeline.py", description=__doc__)
    add_run_arguments(parser)
    options = parser.parse_args(arguments)
    options.command = "run"
    return guarded(lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
