"""Why is the inversion score never read alone? A plane of R and F with the score as distance from a corner, in SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

SIDE, LEFT, TOP, RIGHT, BOTTOM = 420, 70, 60, 250, 76
NEAR = 30  # pixels within which dots share a label
FONT = "font-family='Helvetica, Arial, sans-serif'"
LEVELS = (0.2, 0.4, 0.6, 0.707, 0.8)
INKS = {"method": "#08519c", "control": "#a63603"}


class Point(NamedTuple):
    """One explanation: what it is called, its kind (method or control), R, F, and IS."""

    name: str
    kind: str
    reliance: float
    faithfulness: float
    score: float


def plane(title: str, note: str, points: Sequence[Point]) -> str:
    """The text of an SVG file: R to the right, F upwards, arcs of equal score around the corner R = 0, F = 1 (p = 2), and the points,
    numbered, with their scores beside. Raises ValueError for a figure outside 0 to 1."""
    if bad := [point for point in points if not (0 <= point.reliance <= 1 and 0 <= point.faithfulness <= 1)]:
        raise ValueError(f"R and F must lie between 0 and 1, found {bad}")
    width, height = LEFT + SIDE + RIGHT, TOP + SIDE + BOTTOM
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' role='img'>",
        f"<title>{escape(title)}</title>",
        f"<clipPath id='inside'><rect x='{LEFT}' y='{TOP}' width='{SIDE}' height='{SIDE}'/></clipPath>",
        f"<rect width='{width}' height='{height}' fill='#ffffff'/>",
        _text(12, 26, title, "start", "#111111", 15, bold=True),
        f"<rect x='{LEFT}' y='{TOP}' width='{SIDE}' height='{SIDE}' fill='none' stroke='#888888'/>",
        *(_arc(level) for level in LEVELS),
        *(_tick(value) for value in (0.0, 0.5, 1.0)),
        _text(LEFT + SIDE / 2, TOP + SIDE + 40, "R: the explanation moves with the output", "middle", "#111111"),
        _upright(22, TOP + SIDE / 2, "F: it names the units whose removal moves the output"),
        *_dots(points),
        _text(12, height - 8, note, "start", "#444444", 11),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _arc(level: float) -> str:
    """Where IS = level: R^2 + (1 - F)^2 = 2 level^2, a circle around the upper left corner."""
    radius = math.sqrt(2) * level * SIDE
    angle = math.radians(52)
    x, y = LEFT + radius * math.cos(angle), TOP + radius * math.sin(angle)
    label = _text(x, y, f"IS {level:g}", "middle", "#666666", 11) if x < LEFT + SIDE - 20 and y < TOP + SIDE - 8 else ""
    style = "fill='none' stroke='#bbbbbb' stroke-dasharray='4 4' clip-path='url(#inside)'"
    return f"<circle cx='{LEFT}' cy='{TOP}' r='{radius:.1f}' {style}/>{label}"


def _tick(value: float) -> str:
    x, y = LEFT + value * SIDE, TOP + (1 - value) * SIDE
    return _text(x, TOP + SIDE + 18, f"{value:g}", "middle", "#444444", 11) + _text(LEFT - 8, y + 4, f"{value:g}", "end", "#444444", 11)


def _dots(points: Sequence[Point]) -> list[str]:
    """Dots, the numbers of those that lie together in one row below them, and the list of names."""
    parts: list[str] = []
    together: list[tuple[float, float, list[int]]] = []
    for place, point in enumerate(points, start=1):
        x, y, ink = LEFT + point.reliance * SIDE, TOP + (1 - point.faithfulness) * SIDE, INKS[point.kind]
        near = next((numbers for left, top, numbers in together if math.hypot(x - left, y - top) < NEAR), None)
        if near is None:
            together.append((x, y, [place]))
        else:
            near.append(place)
        parts.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4' fill='{ink}'/>")
        parts.append(_text(LEFT + SIDE + 18, TOP + 14 + 20 * (place - 1), f"{place}  {point.name}: IS {point.score:.3f}", "start", ink))
    for x, y, numbers in together:
        row = ", ".join(map(str, numbers))
        parts.append(_text(x - 8, y + (22 if y < TOP + SIDE / 2 else -10), row, "end", "#111111", bold=True))
    return parts


def _upright(x: float, y: float, text: str) -> str:
    turned = f"transform='translate({x} {y}) rotate(-90)'"
    return f"<text {turned} text-anchor='middle' {FONT} font-size='12' fill='#111111'>{escape(text)}</text>"


def _text(x: float, y: float, text: str, anchor: str, ink: str, size: int = 12, *, bold: bool = False) -> str:
    weight = " font-weight='bold'" if bold else ""
    return f"<text x='{x:.1f}' y='{y:.1f}' {FONT} font-size='{size}'{weight} text-anchor='{anchor}' fill='{ink}'>{escape(text)}</text>"
