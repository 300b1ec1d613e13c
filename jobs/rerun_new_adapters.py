"""spark-submit entry point for a schedule: brings adapters that are not yet in the lake through silver, ood and gold.

Same arguments as `assay run`, other layers: bronze is left alone. Exits 0 with `nothing_to_do` when no adapter has come, and 78 when the
source holds pictures that bronze has not read, for that is a decision and no rerun.
"""

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
    parser = argparse.ArgumentParser(prog="rerun_new_adapters.py", description=__doc__)
    add_run_arguments(parser)
    parser.set_defaults(layers="silver,ood,gold")
    options = parser.parse_args(arguments)
    options.command = "run"
    return guarded(lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
