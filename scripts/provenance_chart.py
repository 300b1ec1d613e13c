"""How do class and index accuracy grow over the epochs? Lines in panels, as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT, LEFT, TOP, GAP, FOOT = 380, 240, 64, 94, 76, 64
FONT = "font-family='Helvetica, Arial, sans-serif'"
INKS = ("#000000", "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7")
DASHES = ("", "7 3", "2 3", "", "9 3 2 3", "4 4")
STEP = 0.05


class Line(NamedTuple):
    """A name and its values, from epoch 1 on, in 0..1."""

    name: str
    values: tuple[float, ...]


class Panel(NamedTuple):
    """A title and its lines."""

    title: str
    lines: tuple[Line, ...]


def curves(title: str, note: str, panels: Sequence[Panel]) -> str:
    """The text of an SVG file: two panels in a row, epochs to the right, shares upwards; a name has one ink everywhere. A panel's scale
    ends at 1 and begins at the lowest value after the first quarter of the epochs.

    Raises ValueError for a value outside 0..1, and where there is no line.
    """
    names = list(dict.fromkeys(line.name for panel in panels for line in panel.lines))
    if not names or any(not 0 <= value <= 1 for panel in panels for line in panel.lines for value in line.values):
        raise ValueError("there must be a line, with shares in 0..1, in a panel")
    rows = math.ceil(len(panels) / 2)
    width, height = LEFT + 2 * WIDTH + GAP + 20, TOP + rows * (HEIGHT + GAP) - GAP + FOOT
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' role='img'>",
        f"<title>{escape(title)}</title>",
        f"<rect width='{width}' height='{height}' fill='#ffffff'/>",
        _text(12, 26, title, "start", "#111111", 15, bold=True),
        *(_key(place, name) for place, name in enumerate(names)),
        *(part for place, panel in enumerate(panels) for part in _panel(place, panel, names)),
        _text(12, height - 10, note, "start", "#444444", 11),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def low_end(panel: Panel) -> float:
    """Where a panel's scale begins: the lowest value after the first quarter of the epochs, rounded down; at most 0.95."""
    later = [value for line in panel.lines for value in line.values[len(line.values) // 4 :]]
    return min(1.0 - STEP, math.floor(min(later) / STEP + 1e-9) * STEP)


def corner(place: int) -> tuple[float, float]:
    """Upper left corner of a panel."""
    return LEFT + (place % 2) * (WIDTH + GAP), TOP + (place // 2) * (HEIGHT + GAP)


def position(place: int, low: float, epoch: int, epochs: int, value: float) -> tuple[float, float]:
    """Where a value of an epoch, from 1 on, lies."""
    x, y = corner(place)
    return x + WIDTH * (epoch - 1) / max(1, epochs - 1), y + HEIGHT * (1 - (value - low) / (1 - low))


def _panel(place: int, panel: Panel, names: Sequence[str]) -> list[str]:
    x, y = corner(place)
    low, epochs = low_end(panel), max(len(line.values) for line in panel.lines)
    ticks = (low, (low + 1) / 2, 1.0)
    parts = [
        f"<clipPath id='inside{place}'><rect x='{x}' y='{y - 2}' width='{WIDTH}' height='{HEIGHT + 4}'/></clipPath>",
        f"<rect x='{x}' y='{y}' width='{WIDTH}' height='{HEIGHT}' fill='none' stroke='#888888'/>",
        _text(x, y - 8, panel.title, "start", "#111111", 12, bold=True),
        *(_text(x - 6, position(place, low, 1, epochs, tick)[1] + 4, f"{tick:.3g}", "end", "#444444", 11) for tick in ticks),
        _text(x, y + HEIGHT + 16, "1", "middle", "#444444", 11),
        _text(x + WIDTH, y + HEIGHT + 16, f"{epochs}", "middle", "#444444", 11),
        _text(x + WIDTH / 2, y + HEIGHT + 16, "epoch", "middle", "#444444", 11),
    ]
    for line in panel.lines:
        at = [position(place, low, epoch, epochs, value) for epoch, value in enumerate(line.values, start=1)]
        points = " ".join(f"{left:.1f},{top:.1f}" for left, top in at)
        style = f"fill='none' stroke-width='1.8' clip-path='url(#inside{place})' {_ink(names.index(line.name))}"
        parts.append(f"<polyline points='{points}' {style}/>")
    return parts


def _key(place: int, name: str) -> str:
    """The names stand in rows of three under the title."""
    x, y = LEFT + (place % 3) * 270, 40 + 14 * (place // 3)
    return f"<line x1='{x}' y1='{y}' x2='{x + 26}' y2='{y}' stroke-width='1.8' {_ink(place)}/>" + _text(
        x + 32, y + 4, name, "start", "#111111", 11
    )


def _ink(place: int) -> str:
    dash = DASHES[place % len(DASHES)]
    return f"stroke='{INKS[place % len(INKS)]}'" + (f" stroke-dasharray='{dash}'" if dash else "")


def _text(x: float, y: float, text: str, anchor: str, ink: str, size: int, *, bold: bool = False) -> str:
    weight = " font-weight='bold'" if bold else ""
    return f"<text x='{x:.1f}' y='{y:.1f}' {FONT} font-size='{size}'{weight} text-anchor='{anchor}' fill='{ink}'>{escape(text)}</text>"
