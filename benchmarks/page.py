"""What does docs/benchmarks.md say? Written from the files in benchmarks/results alone: `python -m benchmarks.page`."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import book, table
from benchmarks.row import Row

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = "docs/benchmarks.md"
INTRODUCTION = """\
# Benchmarks

What `make bench` measured on the CPU (a GPU is hidden from every row but those of modules `gpu…`, measured where named),
written from `benchmarks/results/*.json` by `python -m benchmarks.page`. Sizes are DINOv2-base at 224 px with random weights unless a row
says otherwise; pictures are made by `benchmarks/material.py`. Label scorers are asked with Banking77's prompt where its files are to be
had, else with one made for the row. Compared ways of doing one thing are measured in turns within one process; the load average, this
machine's GEMM peak and the versions stand beside each module, because all of them move.
"""


def document(results: Path) -> str:
    """The page for all machines whose results are there."""
    machines = [_machine(book.read(path, book.stored_machine(path))) for path in sorted(results.glob("*.json"))]
    return "\n".join([INTRODUCTION, *(machines or ["No machine has been measured yet.\n"])])


def heading(found: book.Book) -> str:
    """One line about the machine."""
    facts = found.machine
    gpu = f", {facts['gpu']}" if "gpu" in facts else ""
    return f"{facts['cpu']}, {facts['cores']} cores, {facts['memory_gib']} GiB, {facts['flags']}{gpu}\n"


def write(root: Path) -> None:
    """Brings docs/benchmarks.md up to date."""
    (root / DOCUMENT).write_text(document(root / "benchmarks" / "results"), encoding="utf-8")


def _machine(found: book.Book) -> str:
    rows = [row for entry in found.entries.values() for row in entry.rows]
    gpu = f", {found.machine['gpu']}" if "gpu" in found.machine else ""
    lines = [f"## {found.machine['cpu']}, {found.machine['cores']} cores{gpu}\n", heading(found), table.markdown(rows)]
    for name, entry in found.entries.items():
        lines.append(f"### {name}\n")
        lines.append(_circumstances(entry))
        lines += [_explained(row) for row in entry.rows]
    return "\n".join(lines)


def _circumstances(entry: book.Entry) -> str:
    peaks = ", ".join(f"{name} {table.number(value)} GFLOP/s" for name, value in entry.gemm.items())
    small = " Small twin (`--quick`): it proves the code, not the speed." if entry.quick else ""
    state = f" No rows: {entry.failure}." if entry.failure else ""
    versions = ", ".join(f"{name} {version}" for name, version in entry.versions.items())
    return (
        f"{entry.date}, commit {entry.commit}, code {entry.code}, {entry.seconds:.0f} s, "
        f"load {entry.load_before:g} before and {entry.load_after:g} after; "
        f"GEMM {peaks}; {versions}.{small}{state}\n"
    )


def _explained(row: Row) -> str:
    limited = f" {row.limited_by}" if row.limited_by else ""
    return (
        f"- **{row.what}: {row.figure} {table.number(row.value)} {row.unit}** ({table.STATES[row.met]}). {table.details(row)}.{limited}\n"
    )


if __name__ == "__main__":
    write(ROOT)
    sys.exit(0)
