"""Does the code keep the house rules? All of lint, format, suppressions, import rules and types, whatever failed before."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"

CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("lint", (str(BIN / "ruff"), "check", "--quiet", ".")),
    ("format", (str(BIN / "ruff"), "format", "--quiet", "--check", ".")),
    ("suppressions", (str(BIN / "python"), "scripts/reasons.py")),
    ("imports", (str(BIN / "lint-imports"), "--no-logo")),
    ("types", (str(BIN / "mypy"), "--no-error-summary")),
)


def main() -> int:
    """0 when every check passes, else 1; one line per check on stdout, the output of those that failed above it."""
    failed = []
    for name, command in CHECKS:
        started = time.monotonic()
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        passed = answer.returncode == 0
        if not passed:
            failed.append(name)
            sys.stdout.write(answer.stdout + answer.stderr)
        sys.stdout.write(f"check {name:13s} {'ok' if passed else 'FAILED'}  {time.monotonic() - started:.1f} s\n")
        sys.stdout.flush()
    if failed:
        sys.stdout.write(
            f"check: {', '.join(failed)} failed; `.venv/bin/ruff format .` and `.venv/bin/ruff check --fix .` mend what can be mended\n"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
