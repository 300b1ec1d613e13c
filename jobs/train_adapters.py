"""spark-submit entry point: trains the adapters of a configuration that do not exist yet. Same arguments as `assay train`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if (ROOT / "pipelines").is_dir():
    sys.path.insert(0, str(ROOT))  # in a checkout: our rooms before any of the same name; elsewhere they come by --py-files

from pipelines.__main__ import add_train_arguments
from pipelines.command import train
from pipelines.exits import guarded


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the job; gives the exit code of `assay train`."""
    parser = argparse.ArgumentParser(prog="train_adapters.py", description=__doc__)
    add_train_arguments(parser)
    options = parser.parse_args(arguments)
    options.command = "train"
    return guarded(lambda: train(options))


if __name__ == "__main__":
    sys.exit(main())
