"""Are the generated documents what the code says? Writes docs/tables.md, docs/config.md and docs/names.md.

`--check` writes nothing and exits 1 when one of them is stale.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import docs_config  # the rooms that these import are found from here
import docs_names
import docs_tables

# file -> its whole text, from the root of the checkout
DOCUMENTS: dict[str, Callable[[Path], str]] = {
    "docs/tables.md": docs_tables.document,
    "docs/config.md": docs_config.document,
    "docs/names.md": docs_names.document,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every file is, or was made, what the code says; 1 when `--check` found a stale one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is stale")
    options = parser.parse_args(arguments)
    stale = [(name, text) for name, write in DOCUMENTS.items() if _on_disk(name) != (text := write(ROOT))]
    for name, text in stale:
        if options.check:
            sys.stderr.write(f"{name} is stale: run `.venv/bin/python scripts/docs.py`\n")
        else:
            (ROOT / name).parent.mkdir(exist_ok=True)
            (ROOT / name).write_text(text, encoding="utf-8")
    return 1 if stale and options.check else 0


def _on_disk(name: str) -> str | None:
    path = ROOT / name
    return path.read_text(encoding="utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
