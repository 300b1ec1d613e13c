"""How does a table stand on the page? With a caption, headed columns, and a scroll of its own where the screen is narrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.report.markup import Content, Markup, joined, tag

LONG = 40  # rows; the rest is folded
MOST = 120  # rows; the rest is for SQL


@dataclass(frozen=True)
class Column:
    """A column's heading; `kind` is a class of the style sheet: num (to the right), plot (holds a drawing), or nothing."""

    head: Content
    kind: str | None = None


def html_table(caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Content]], most: int = MOST) -> Markup:
    """A table whose first column heads its rows. Rows beyond `LONG` are folded, rows beyond `most` are left out, and it says so."""
    shown = rows[:most]
    parts = [_table(caption, columns, shown[:LONG])]
    if len(shown) > LONG:
        parts.append(folded(f"{len(shown) - LONG:,} more rows", _table(f"{caption}, continued", columns, shown[LONG:])))
    if len(rows) > most:
        left_out = f"{len(rows) - most:,} further rows are left out here; `assay sql` has them."
        parts.append(tag("p", {"class": "note"}, left_out))
    return joined(parts)


def folded(summary: str, *content: Content) -> Markup:
    """What is there for those who ask: closed on the screen, a click opens it."""
    return tag("details", None, tag("summary", None, summary), *content)


def _table(caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Content]]) -> Markup:
    head = tag("tr", None, *(tag("th", {"scope": "col", "class": column.kind}, column.head) for column in columns))
    body = [tag("tr", None, *(_cell(place, columns[place], cell) for place, cell in enumerate(row))) for row in rows]
    inside = tag("table", None, tag("caption", None, tag("span", None, caption, ".")), tag("thead", None, head), tag("tbody", None, *body))
    return tag("div", {"class": "scroll", "tabindex": 0, "role": "region", "aria-label": caption}, inside)


def _cell(place: int, column: Column, content: Content) -> Markup:
    if place == 0:
        return tag("th", {"scope": "row", "class": column.kind}, content)
    return tag("td", {"class": column.kind}, content)
