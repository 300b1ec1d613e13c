"""Which words did the adapter lean on, and which did the attack touch?"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from models.words import word_spans
from pipelines.report.failures.details import Failure
from pipelines.report.markup import Content, Markup, data, joined, safe, tag
from pipelines.report.source import Reading, Row
from pipelines.report.style import SHADES

WORDS = 60  # of a long text, around what was touched
BEFORE = 20
LONGEST = 40  # characters of a word
ATTACKED = """
SELECT edited, original, rule, positions FROM ood.attacked_texts_current
WHERE dataset = ? AND example_id = ? AND attack = ? AND severity = ?
"""


def attacked(reading: Reading, failure: Failure) -> Row | None:
    """The text that the adapter met, and what was done to it."""
    found = reading.rows(ATTACKED, reading.dataset, failure.example_id, failure.corruption, failure.severity)
    return found[0] if found else None


def before_and_after(failure: Failure, change: Row) -> Markup:
    """The clean text, words coloured by attribution; the attacked text, touched words framed; the rule in words."""
    edited, original = (words_of(change[name]) for name in ("edited", "original"))
    touched = frozenset(change["positions"] or ())
    deleted = touched if len(edited) < len(original) else frozenset()  # positions then count in the original
    clean = failure.words or original
    values = failure.values if len(failure.values) == len(clean) else ()
    start = max(0, min(touched, default=0) - BEFORE)
    return joined(
        [
            tag("p", {"class": "text"}, coloured(clean, values, deleted, start)),
            tag("p", {"class": "text"}, coloured(edited, (), frozenset() if deleted else touched, start, "mark")),
            tag("p", {"class": "soft"}, data(change["rule"], 140)),
        ]
    )


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text."""
    return tuple(text[start:end] for start, end in word_spans(text))


def coloured(words: Sequence[str], values: Sequence[float], touched: Collection[int], start: int = 0, frame: str = "del") -> Markup:
    """Words from `start` on, `WORDS` at most: a shade for what each gives to the answer, a frame where it was touched."""
    shades = shade_classes(values) if values else [""] * len(words)
    parts: list[Content] = ["… " if start else None]
    for place in range(start, min(len(words), start + WORDS)):
        about = {"class": shades[place] or None, "title": f"{values[place]:+.3f}" if values else None}
        word = safe(words[place])
        inside = data(word, LONGEST)
        parts += [tag(frame if place in touched else "span", about, inside), " "]
    left = len(words) - start - WORDS
    parts.append(f"… ({left:,} more words)" if left > 0 else None)
    return joined(parts)


def shade_classes(values: Sequence[float]) -> list[str]:
    """p1 to p5 for what speaks for the answer, n1 to n5 for what speaks against it, by the share of the largest; nothing for none."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    made = []
    for value in values:
        shade = math.ceil(SHADES * abs(value) / largest - 1e-9) if largest > 0 and math.isfinite(value) else 0
        made.append("" if shade < 1 else f"{'p' if value > 0 else 'n'}{shade}")
    return made
