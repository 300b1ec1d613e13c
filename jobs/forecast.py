"""spark-submit entry point: the failure forecast of one new adapter, from its clean answers. Same arguments as `assay forecast`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if (ROOT / "pipelines").is_dir():
    sys.path.insert(0, str(ROOT))  # in a checkout: our rooms before any of the same name; elsewhere they come by --py-files

from pipelines.__main__ import add_forecast_arguments
from pipelines.command import forecast
from pipelines.exits import guarded


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the job; gives the exit code of `assay forecast`."""
    parser = argparse.ArgumentParser(prog="forecast.py", description=__doc__)
    add_forecast_arguments(parser)
    options = parser.parse_args(arguments)
    options.command = "forecast"
    return guarded(lambda: forecast(options))


if __name__ == "__main__":
    sys.exit(main())
