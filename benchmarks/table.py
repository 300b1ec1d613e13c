"""How does a person read the rows? One aligned line each, with the aim and whether it is met."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.row import Row

HEADER = ("what", "figure", "value", "aim", "met")
STATES = {True: "met", False: "NOT MET", None: "stated"}


def number(value: float) -> str:
    """Three significant digits, and thousands in full."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def cells(row: Row) -> tuple[str, ...]:
    """The row's texts in the order of HEADER."""
    return row.what, row.figure, f"{number(row.value)} {row.unit}".strip(), row.aim, STATES[row.met]


def text(rows: Sequence[Row]) -> str:
    """The table as text; a row's `limited_by` stands below it, indented."""
    lines = [HEADER, *(cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    written = [_aligned(HEADER, widths)]
    for row in rows:
        written.append(_aligned(cells(row), widths))
        written += [f"    {row.limited_by}"] if row.limited_by else []
    return "\n".join(written) + "\n"


def markdown(rows: Sequence[Row]) -> str:
    """The same as a Markdown table with the details and what limits each figure."""
    lines = ["| what | figure | value | aim | met |", "| --- | --- | --- | --- | --- |"]
    lines += ["| " + " | ".join(_escaped(cell) for cell in cells(row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def details(row: Row) -> str:
    """The further figures of a row as `name value` pairs."""
    return ", ".join(
        f"{name.replace('_', ' ')} {number(value) if isinstance(value, float) else value}" for name, value in row.details.items()
    )


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
