"""What does one module measure? Run in a process of its own: `python -m benchmarks.single NAME SCRATCH ANSWER [--quick]`."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.row import Row, from_json, to_json


def measured(name: str, folder: Path, quick: bool) -> list[Row]:
    """The rows of `benchmarks.<name>`. `folder`: scratch space that later runs find again."""
    rows: list[Row] = importlib.import_module(f"benchmarks.{name}").measure(folder, quick)
    return rows


def rows_of(answer: Path) -> tuple[Row, ...]:
    """The rows that `main` wrote."""
    return tuple(from_json(values) for values in json.loads(answer.read_text(encoding="utf-8")))


def main(arguments: Sequence[str]) -> int:
    """Writes the rows as JSON into the file ANSWER."""
    name, scratch, answer, *rest = arguments
    rows = measured(name, Path(scratch), "--quick" in rest)
    Path(answer).write_text(json.dumps([to_json(row) for row in rows]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
