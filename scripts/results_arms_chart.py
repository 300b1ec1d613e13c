"""How do the arms of one dataset look side by side? Accuracy with its interval in SVG, on a white card, readable on dark pages too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from results_arms import Arm
from scipy import stats

from gold.steering.recipes import LOGISTIC

LEFT, WIDTH, RIGHT, LINE, TOP, HEAD, BOTTOM = 330, 420, 70, 20, 44, 40, 58
LEVEL = 0.95
FONT = "font-family='Helvetica, Arial, sans-serif'"
INK, GREY, PALE, BLUE, ORANGE = "#111111", "#444444", "#d0d0d0", "#08519c", "#b34700"


class Bar(NamedTuple):
    """One arm: its mean in [0, 1] and the ends of its interval, None below two trainings."""

    title: str
    mean: float
    low: float | None
    high: float | None
    n: int


def bar_of(arm: Arm) -> Bar | None:
    """Accuracy of an arm with Student's t interval over trainings (95 %), cut to [0, 1]; None without a figure."""
    mean, error, n = arm.value("mean"), arm.value("standard_error"), int(arm.value("n_seeds") or 0)
    if mean is None:
        return None
    title = arm.title if arm.prior_settings == "–" else f"{arm.title}, {arm.prior_settings}"
    if error is None or n < 2:
        return Bar(title, mean, None, None, n)
    half = float(stats.t.ppf(0.5 + LEVEL / 2, n - 1)) * error
    return Bar(title, mean, max(0.0, mean - half), min(1.0, mean + half), n)


def arms_chart(title: str, note: str, arms: Sequence[Arm]) -> str:
    """The text of an SVG file: a block per setting, a line per arm; logistic regression is a dashed line through its block."""
    blocks = {}
    for setting in dict.fromkeys(arm.setting for arm in arms):
        mine = [arm for arm in arms if arm.setting == setting]
        bars = [bar for arm in mine if arm.priors != LOGISTIC and (bar := bar_of(arm)) is not None]
        blocks[setting] = (bars, [bar for arm in mine if arm.priors == LOGISTIC and (bar := bar_of(arm)) is not None])
    low, high = _ends([bar for bars, linear in blocks.values() for bar in (*bars, *linear)])
    height = TOP + sum(HEAD + LINE * len(bars) for bars, _ in blocks.values()) + BOTTOM
    width = LEFT + WIDTH + RIGHT
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' role='img'>",
        f"<title>{escape(title)}</title>",
        f"<rect x='0.5' y='0.5' width='{width - 1}' height='{height - 1}' fill='#ffffff' stroke='{PALE}'/>",
        _text(12, 24, title, "start", INK, "font-size='14' font-weight='bold'"),
    ]
    y = TOP
    for setting, (bars, linear) in blocks.items():
        parts += _block(setting, bars, linear, y, low, high)
        y += HEAD + LINE * len(bars)
    parts += [*_axis(y, low, high), _text(12, height - 12, note, "start", GREY), "</svg>"]
    return "\n".join(parts) + "\n"


def _ends(bars: Sequence[Bar]) -> tuple[float, float]:
    """Tenths around everything that is drawn."""
    values = [value for bar in bars for value in (bar.mean, bar.low, bar.high) if value is not None]
    if not values:
        return 0.0, 1.0
    low, high = math.floor(10 * min(values) + 1e-9) / 10, math.ceil(10 * max(values) - 1e-9) / 10
    return (low, high) if high > low else (low, low + 0.1)


def _x(value: float, low: float, high: float) -> float:
    return round(LEFT + WIDTH * (value - low) / (high - low), 1)


def _block(setting: str, bars: Sequence[Bar], linear: Sequence[Bar], y: int, low: float, high: float) -> list[str]:
    parts = [_text(12, y + 26, setting, "start", INK, "font-size='12' font-weight='bold'")]
    bottom = y + HEAD + LINE * len(bars) - 4
    for one in linear:
        x = _x(one.mean, low, high)
        parts.append(f"<line x1='{x}' x2='{x}' y1='{y + 30}' y2='{bottom}' stroke='{ORANGE}' stroke-width='1.5' stroke-dasharray='4 3'/>")
        parts.append(_text(x, y + 26, f"logistic regression {one.mean:.3f}", "middle", ORANGE))
    for place, bar in enumerate(bars):
        parts += _bar(bar, y + HEAD + LINE * place + LINE // 2, low, high)
    return parts


def _bar(bar: Bar, y: int, low: float, high: float) -> list[str]:
    x = _x(bar.mean, low, high)
    line = []
    if bar.low is not None and bar.high is not None:
        ends = f"x1='{_x(bar.low, low, high)}' x2='{_x(bar.high, low, high)}' y1='{y}' y2='{y}'"
        line.append(f"<line {ends} stroke='{BLUE}' stroke-width='2.5' stroke-opacity='0.45'/>")
    name = f"{bar.title} ({bar.n})"
    figure = _text(LEFT + WIDTH + RIGHT - 12, y + 4, f"{bar.mean:.3f}", "end", INK)
    return [_text(LEFT - 12, y + 4, name, "end", INK), *line, f"<circle cx='{x}' cy='{y}' r='4' fill='{BLUE}'/>", figure]


def _axis(y: int, low: float, high: float) -> list[str]:
    steps = round(10 * (high - low))
    parts = [f"<line x1='{LEFT}' x2='{LEFT + WIDTH}' y1='{y}' y2='{y}' stroke='{PALE}'/>"]
    for step in range(steps + 1):
        value = low + step / 10
        x = _x(value, low, high)
        parts += [f"<line x1='{x}' x2='{x}' y1='{y}' y2='{y + 4}' stroke='{GREY}'/>", _text(x, y + 17, f"{value:.1f}", "middle", GREY)]
    return parts


def _text(x: float, y: int, text: str, anchor: str, ink: str, size: str = "font-size='11'") -> str:
    return f"<text x='{x}' y='{y}' {FONT} {size} text-anchor='{anchor}' fill='{ink}'>{escape(text)}</text>"
