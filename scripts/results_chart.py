"""How does a table of figures look as a picture? A heat map in SVG, written by hand: no plotting library is needed."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

CELL, HEIGHT, LEFT, RIGHT, BOTTOM = 52, 26, 170, 110, 46
SHORT = 6  # letters that fit over a cell without being turned
LETTER = 8  # pixels that a letter of the title takes at most
FONT = "font-family='Helvetica, Arial, sans-serif'"
# One hue from near white to dark: readable in print and without colour vision.
PALE, DEEP = (247, 251, 255), (8, 48, 107)
MISSING = "#e6e6e6"


def heatmap(
    title: str, note: str, rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float | None]], top: float
) -> str:
    """The text of an SVG file: one cell per value, its number in it, darker for larger; None is grey and says nothing.

    `top`: the value of the darkest colour; larger ones have it too. Raises ValueError when the values do not fill rows x columns.
    """
    if len(values) != len(rows) or any(len(line) != len(columns) for line in values):
        raise ValueError(f"values must be {len(rows)} x {len(columns)}, found {len(values)} x {sorted({len(line) for line in values})}")
    turned = any(len(name) > SHORT for name in columns)
    width = max(LEFT + CELL * len(columns) + RIGHT, 24 + LETTER * max(len(title), len(note)))
    first = 130 if turned else 64
    height = first + HEIGHT * len(rows) + BOTTOM
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' role='img'>",
        f"<title>{escape(title)}</title>",
        f"<rect width='{width}' height='{height}' fill='#ffffff'/>",
        f"<text x='12' y='22' {FONT} font-size='14' font-weight='bold' fill='#111111'>{escape(title)}</text>",
        *(_column(LEFT + CELL * place + CELL // 2, first - 8, name, turned) for place, name in enumerate(columns)),
    ]
    for line, (name, found) in enumerate(zip(rows, values, strict=True)):
        y = first + HEIGHT * line
        parts.append(_text(LEFT - 8, y + 17, name, "end", "#111111"))
        parts += [_cell(LEFT + CELL * place, y, value, top) for place, value in enumerate(found)]
    parts += [_text(12, height - 16, note, "start", "#444444"), "</svg>"]
    return "\n".join(parts) + "\n"


def _column(x: int, y: int, name: str, turned: bool) -> str:
    turn, anchor = (f"transform='rotate(-35 {x} {y})'", "start") if turned else ("", "middle")
    return f"<text x='{x}' y='{y}' {turn} {FONT} font-size='11' text-anchor='{anchor}' fill='#111111'>{escape(name)}</text>"


def _cell(x: int, y: int, value: float | None, top: float) -> str:
    box = f"<rect x='{x}' y='{y}' width='{CELL - 2}' height='{HEIGHT - 2}' fill='{MISSING if value is None else _colour(value, top)}'/>"
    if value is None:
        return box
    ink = "#ffffff" if value / top > 0.5 else "#111111"
    return box + _text(x + CELL // 2 - 1, y + 17, f"{round(value)}", "middle", ink)


def _colour(value: float, top: float) -> str:
    share = min(1.0, max(0.0, value / top))
    return "#" + "".join(f"{round(low + (high - low) * share):02x}" for low, high in zip(PALE, DEEP, strict=True))


def _text(x: int, y: int, text: str, anchor: str, ink: str) -> str:
    return f"<text x='{x}' y='{y}' {FONT} font-size='11' text-anchor='{anchor}' fill='{ink}'>{escape(text)}</text>"
