"""spark-submit entry point: brings a lake up to date with a configuration. Same arguments as `assay run`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # our rooms before any of the same name

from pipelines.__main__ import add_run_arguments
from pipelines.command import run
from pipelines.exits import guarded

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="run_pipeline.py", description=__doc__)
    add_run_arguments(parser)
    options = parser.parse_args()
    options.command = "run"
    sys.exit(guarded(lambda: run(options)))
