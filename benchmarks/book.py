"""Where do results stand, so that a bench that was stopped goes on and one row can be measured anew?"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.row import Row, from_json, to_json

FORMAT = 2


@dataclass(frozen=True)
class Entry:
    """What one module gave: its rows, or why there are none, and the circumstances.

    `commit`: for people. `code`: hash of what was measured (machine.code). `versions`: of Python and libraries, at that time.
    `load_before`, `load_after`: load average of a minute. `gemm`: GFLOP/s just before. `seconds`: wall time of the module.
    """

    rows: tuple[Row, ...]
    failure: str
    commit: str
    code: str
    versions: dict[str, str]
    date: str
    quick: bool
    seconds: float
    load_before: float
    load_after: float
    gemm: dict[str, float]


@dataclass
class Book:
    """All entries of one machine, by module, and the machine's facts."""

    machine: dict[str, str | int | float]
    entries: dict[str, Entry] = field(default_factory=dict)

    def done(self, name: str, code: str, quick: bool) -> bool:
        """True when this module has rows of the same code and size."""
        entry = self.entries.get(name)
        return entry is not None and not entry.failure and (entry.code, entry.quick) == (code, quick)


def read(path: Path, machine: dict[str, str | int | float]) -> Book:
    """The book in a file, with today's facts of the machine; an empty one where there is no file.

    ValueError for another format: the file is of another version, move it away.
    """
    if not path.is_file():
        return Book(machine)
    stored = json.loads(path.read_text(encoding="utf-8"))
    if stored.get("format") != FORMAT:
        raise ValueError(f"{path} must have format {FORMAT}, found {stored.get('format')!r}. Move it away.")
    return Book(machine, {name: _entry(values) for name, values in stored["modules"].items()})


def stored_machine(path: Path) -> dict[str, str | int | float]:
    """The facts in a file of results."""
    machine: dict[str, str | int | float] = json.loads(path.read_text(encoding="utf-8"))["machine"]
    return machine


def write(path: Path, book: Book) -> None:
    """The whole book in one step: a reader sees the old or the new file."""
    modules = {name: vars(entry) | {"rows": [to_json(row) for row in entry.rows]} for name, entry in book.entries.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    pending = path.with_name(f"{path.name}.{os.getpid()}.part")
    text = json.dumps({"format": FORMAT, "machine": book.machine, "modules": modules}, indent=1, ensure_ascii=False)
    pending.write_text(text + "\n", encoding="utf-8")
    pending.replace(path)


def _entry(values: dict[str, Any]) -> Entry:
    return Entry(**(values | {"rows": tuple(from_json(row) for row in values["rows"])}))
