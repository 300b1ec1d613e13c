"""What does the demo's lake answer to the questions of docs/sql.md? Writes each answer below its question."""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

DOCUMENT = ROOT / "docs" / "sql.md"
# A heading, then the one ```sql block of its section, then the sentence on reading it, then the ```text block with the answer.
SECTION = re.compile(
    r"^### (?P<title>[^\n]+\?)\n\n```sql\n(?P<sql>[^`]*)```\n\n(?P<reading>(?:(?!```|\n#).)+?)\n\n```text\n(?P<answer>[^`]*)```",
    re.MULTILINE | re.DOTALL,
)


class Question(NamedTuple):
    """One question of the document: its heading, its one SELECT for both engines, how to read the answer, and the answer there."""

    title: str
    sql: str
    reading: str
    answer: str


def questions(text: str) -> list[Question]:
    """The questions of the document, in order."""
    return [Question(match["title"], match["sql"].strip(), match["reading"], match["answer"]) for match in SECTION.finditer(text)]


def answered(text: str, ask: Callable[[str], str]) -> str:
    """The document with each answer replaced by what `ask` says to its SELECT."""

    def replaced(match: re.Match[str]) -> str:
        start, end = match.start("answer") - match.start(), match.end("answer") - match.start()
        return match[0][:start] + ask(match["sql"].strip()) + match[0][end:]

    return SECTION.sub(replaced, text)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when the document was written; the exit code of `assay sql` when a question cannot be answered."""
    from pipelines.exits import guarded
    from pipelines.sql.query import query

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lake", default=str(ROOT / "build" / "demo-lake"), metavar="DIR")
    options = parser.parse_args(arguments)

    def ask(sql: str) -> str:
        stream = io.StringIO()
        if code := query(options.lake, sql, "duckdb", "table", stream):
            raise SystemExit(code)
        return stream.getvalue()

    def write() -> int:
        DOCUMENT.write_text(answered(DOCUMENT.read_text(encoding="utf-8"), ask), encoding="utf-8")
        return 0

    return guarded(write)


if __name__ == "__main__":
    sys.exit(main())
