"""Which rows are measured, one module after the other, and where do they go?

`python -m benchmarks [--only NAME ...] [--quick] [--out FILE] [--resume]`. Every module runs in a process of its own: none
inherits another's threads, memory or session, and one that fails leaves the others standing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import book, machine, page, table
from benchmarks.own_process import failure_of
from benchmarks.row import Row
from benchmarks.single import rows_of

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
SCRATCH = ROOT / "build" / "bench"  # pictures and models made here; made once, used by later runs
LIMIT_SECONDS = 2400.0  # of one module: one that hangs must not hold the rest; the longest takes a third of it
LONG = {"retrieval": 4 * 3600.0}  # indexes over a million vectors, each built within half an hour or not at all

# In the order of the table. Each has `measure(folder, quick) -> list[Row]`.
MODULES = (
    "embeddings",
    "engine",
    "forward",
    "sharing",
    "new_adapter",
    "memory",
    "cold",
    "dry_run",
    "label_scorer",
    "forecast",
    "forecast_regime",
    "forecast_claims",
    "arrival",
    "poking",
)
ON_A_GPU = ("gpu", "gpu_texts", "gpu_pictures")  # measured only where they are named
NAMED = ("retrieval", "index_training")  # so are these: an hour or more, and libraries that are no dependency


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table, writes the file after every module; 0 when every module gave rows, else 1."""
    options = _parser().parse_args(arguments)
    facts = machine.facts()
    out = options.out or (SCRATCH / "quick.json" if options.quick else RESULTS / f"{machine.slug(facts)}.json")
    kept = book.read(out, facts) if options.only or options.resume else book.Book(facts)
    known = machine.code(ROOT) if options.resume else None
    bring(kept, options.only or MODULES, out, known, options.quick, lambda name: _measured(name, options.quick))
    sys.stdout.write(page.heading(kept) + table.text([row for entry in kept.entries.values() for row in entry.rows]))
    return 1 if any(entry.failure for entry in kept.entries.values()) else 0


def bring(kept: book.Book, names: Sequence[str], out: Path, known: str | None, quick: bool, measure: Callable[[str], book.Entry]) -> None:
    """Measures these modules into the book; book and page are written after each. Left out: those done for the code `known`."""
    for name in names:
        if known is not None and kept.done(name, known, quick):
            _say(f"{name}: done for this code")
            continue
        _say(f"{name}: …")
        kept.entries[name] = entry = measure(name)
        kept.entries = {
            module: kept.entries[module] for module in (*MODULES, *NAMED, *ON_A_GPU) if module in kept.entries
        }  # in the order of the table
        book.write(out, kept)
        if out.parent == RESULTS:
            page.write(ROOT)
        _say(f"{name}: {entry.failure or 'done'} in {entry.seconds:.0f} s")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Speed of the hot paths, beside this machine's own peak.")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=(*MODULES, *NAMED, *ON_A_GPU),
        metavar="NAME",
        help=f"measure these and keep the rest: {', '.join((*MODULES, *NAMED, *ON_A_GPU))}",
    )
    parser.add_argument("--quick", action="store_true", help="a small twin of every row, to try the bench itself")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="results as JSON (default: benchmarks/results/<machine>.json, with --quick build/bench/quick.json)",
    )
    parser.add_argument("--resume", action="store_true", help="leave out what was measured with the very code that is here")
    return parser


def _measured(name: str, quick: bool) -> book.Entry:
    commit, code, versions = machine.commit(ROOT), machine.code(ROOT), machine.versions()
    before, peaks, date = machine.load(), machine.gemm_peaks(), datetime.now(UTC).isoformat(timespec="seconds")
    started = time.monotonic()
    rows, failure = _in_own_process(name, quick)
    seconds = round(time.monotonic() - started, 1)
    return book.Entry(rows, failure, commit, code, versions, date, quick, seconds, before, machine.load(), peaks)


def _in_own_process(name: str, quick: bool) -> tuple[tuple[Row, ...], str]:
    """Rows of one module, and why there are none where it failed; what it says goes to stderr."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "rows.json"
        SCRATCH.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "benchmarks.single", name, str(SCRATCH), str(answer), *(["--quick"] if quick else [])]
        failure = failure_of(command, ROOT, LONG.get(name, LIMIT_SECONDS), gpu=name in ON_A_GPU)
        return ((), failure) if failure else (rows_of(answer), "")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
