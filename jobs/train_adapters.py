"""spark-submit entry point: trains the adapters of a configuration that do not exist yet. Same arguments as `assay train`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # our rooms before any of the same name

from pipelines.__main__ import add_train_arguments
from pipelines.command import train
from pipelines.exits import guarded

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="train_adapters.py", description=__doc__)
    add_train_arguments(parser)
    options = parser.parse_args()
    options.command = "train"
    sys.exit(guarded(lambda: train(options)))
