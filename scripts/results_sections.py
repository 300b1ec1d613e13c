"""Which sections does the page hold already? Lakes are not always at hand: a section stays until its dataset is given again.

Lines of HTML comments say where a section and a summary table begin and end; readers of the page do not see them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lake.errors import ContractError

MODALITIES = ("image", "text")  # in the order of the summary tables
OPENED = re.compile(r"<!-- dataset: (?P<dataset>\w+); (?P<modality>image|text); (?P<lake>.+) -->")
SUMMARY = re.compile(r"<!-- summary: (?P<modality>image|text) -->")
ROW = re.compile(r"\| \[\w+\]\(#(?P<dataset>\w+)\) \|")


@dataclass(frozen=True)
class Section:
    """One dataset on the page. `lake`: as the page may say it; `rows`: its lines of the summary; `text`: all of it, title included."""

    dataset: str
    modality: str
    lake: str
    rows: tuple[str, ...]
    text: str


def found_on(page: Path) -> list[Section]:
    """The sections of a page in their order; none where there is no page. Raises ContractError for a page whose markers do not close, and
    for one with sections but no markers: it would be lost."""
    if not page.is_file():
        return []
    lines = page.read_text(encoding="utf-8").split("\n")
    rows: dict[str, list[str]] = {}
    for start, _ in _openings(lines, SUMMARY):
        for line in lines[start + 1 : _end(lines, start, "<!-- end of summary -->", page)]:
            if row := ROW.match(line):
                rows.setdefault(row["dataset"], []).append(line)
    found = []
    for start, opened in _openings(lines, OPENED):
        end = _end(lines, start, f"<!-- end of {opened['dataset']} -->", page)
        mine = tuple(rows.get(opened["dataset"], ()))
        found.append(Section(opened["dataset"], opened["modality"], opened["lake"], mine, "\n".join(lines[start + 1 : end]) + "\n"))
    if not found and any(line.startswith("## ") for line in lines):
        raise ContractError(f"{page}: sections must stand between markers (<!-- dataset: … -->), found none; move the page away")
    return found


def merged(before: Sequence[Section], now: Sequence[Section]) -> list[Section]:
    """Sections of now in the places of their datasets' old ones, new datasets behind; the others as they were."""
    new = {section.dataset: section for section in now}
    kept = [new.pop(section.dataset, section) for section in before]
    return [*kept, *new.values()]


def page_of(
    head: str, tables: Mapping[str, str], sections: Sequence[Section], orders: Mapping[str, Callable[[str], Any]] | None = None
) -> str:
    """The page. `tables`: modality -> what stands above the rows of its summary, titles included; `orders`: modality -> key by which its
    rows are sorted, those of the page's order where it has none."""
    parts = [head]
    for modality in MODALITIES:
        rows = [row for section in sections if section.modality == modality for row in section.rows]
        if orders and modality in orders:
            rows.sort(key=orders[modality])
        if rows:
            above = tables[modality]
            parts.append(f"<!-- summary: {modality} -->\n{above}" + "".join(f"{row}\n" for row in rows) + "<!-- end of summary -->\n")
    for one in sections:
        opened = f"<!-- dataset: {one.dataset}; {one.modality}; {one.lake} -->"
        parts.append(f"{opened}\n{one.text}<!-- end of {one.dataset} -->\n")
    return "\n".join(parts)


def _openings(lines: Sequence[str], marker: re.Pattern[str]) -> list[tuple[int, re.Match[str]]]:
    return [(at, match) for at, line in enumerate(lines) if (match := marker.fullmatch(line))]


def _end(lines: Sequence[str], start: int, marker: str, page: Path) -> int:
    try:
        return lines.index(marker, start)
    except ValueError as error:
        raise ContractError(f"{page}: line {start + 1} opens a part that {marker!r} must close, found none; move the page away") from error
