"""Does every suppression of a check name what it silences and say why? `# type: ignore[code]  # why`, `# noqa: CODE  # why`."""

from __future__ import annotations

import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SKIPPED = {".venv", "build", ".git", "dist"}
SUPPRESSION = re.compile(r"#\s*(type:\s*ignore|noqa|mypy:|ruff:)", re.IGNORECASE)
# One or more suppressions, each with its codes, then at least two words: `# why`, `- why` or `(why)`.
EXPLAINED = re.compile(r"^(#\s*(type:\s*ignore\[[\w, -]+\]|noqa:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*)\s*)+[#(-]+\s*\w\S*\s+\S+")


def unexplained(source: str) -> Iterator[tuple[int, str]]:
    """(line, comment) of each suppression without a code or without a reason. Raises SyntaxError or TokenError on broken source."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        comment = token.string
        if token.type == tokenize.COMMENT and SUPPRESSION.search(comment) and not EXPLAINED.match(comment):
            yield token.start[0], comment


def sources(root: Path) -> Iterable[Path]:
    """Every Python file of the checkout, none of the environment's."""
    return (path for path in sorted(root.rglob("*.py")) if not SKIPPED & set(path.relative_to(root).parts))


def main() -> int:
    """0 when all are explained, else 1 with one line per place on stderr."""
    count = 0
    for path in sources(ROOT):
        for line, comment in unexplained(path.read_text(encoding="utf-8")):
            sys.stderr.write(f"{path.relative_to(ROOT)}:{line}: a suppression must name its code and say why, found: {comment}\n")
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
