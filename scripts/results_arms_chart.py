"""How do the arms of one dataset look side by side? Accuracy with its interval in SVG, on a white card, readable on dark pages too."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from types import MappingProxyType
from typing import NamedTuple

from results_arms import Arm
from scipy import stats

from gold.steering.recipes import LOGISTIC
from pipelines.report.charts.scale import Scale

LEFT, WIDTH, RIGHT, LINE, TOP, HEAD, BOTTOM = 160, 420, 70, 20, 44, 40, 58
LETTER = 6.3  # pixels of a letter of a name, on the mean
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


def bar_of(arm: Arm, recipe: str = "") -> Bar | None:
    """Accuracy of an arm with Student's t interval over trainings (95 %), cut to [0, 1]; None without a figure."""
    mean, error, n = arm.value("mean"), arm.value("standard_error"), int(arm.value("n_seeds") or 0)
    if mean is None:
        return None
    title = ", ".join(part for part in (arm.title, arm.prior_settings, recipe) if part not in ("", "–"))
    if error is None or n < 2:
        return Bar(title, mean, None, None, n)
    half = float(stats.t.ppf(0.5 + LEVEL / 2, n - 1)) * error
    return Bar(title, mean, max(0.0, mean - half), min(1.0, mean + half), n)


def arms_chart(title: str, note: str, arms: Sequence[Arm], recipes: Mapping[str, str] = MappingProxyType({})) -> str:
    """The text of an SVG file: a block per setting, a line per arm; logistic regression is a dashed line through its block.

    `recipes`: variant -> what tells it apart from others, where there are several.
    """
    blocks = {}
    for setting in dict.fromkeys(arm.setting for arm in arms):
        mine = [arm for arm in arms if arm.setting == setting]
        found = [bar_of(arm, recipes.get(str(arm.about["variant"]), "")) for arm in mine if arm.priors != LOGISTIC]
        bars = [bar for bar in found if bar is not None]
        blocks[setting] = (bars, [bar for arm in mine if arm.priors == LOGISTIC and (bar := bar_of(arm)) is not None])
    drawn = [bar for bars, linear in blocks.values() for bar in (*bars, *linear)]
    left = max([LEFT, *(round(24 + LETTER * len(_name(bar))) for bar in drawn)])
    scale = Scale(*_ends(drawn), left, left + WIDTH)
    height = TOP + sum(HEAD + LINE * len(bars) for bars, _ in blocks.values()) + BOTTOM
    width = left + WIDTH + RIGHT
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' role='img'>",
        f"<title>{escape(title)}</title>",
        f"<rect x='0.5' y='0.5' width='{width - 1}' height='{height - 1}' fill='#ffffff' stroke='{PALE}'/>",
        _text(12, 24, title, "start", INK, "font-size='14' font-weight='bold'"),
    ]
    y = TOP
    for setting, (bars, linear) in blocks.items():
        parts += _block(setting, bars, linear, y, scale)
        y += HEAD + LINE * len(bars)
    parts += [*_axis(y, scale), _text(12, height - 12, note, "start", GREY), "</svg>"]
    return "\n".join(parts) + "\n"


def _ends(bars: Sequence[Bar]) -> tuple[float, float]:
    """Tenths around everything that is drawn."""
    values = [value for bar in bars for value in (bar.mean, bar.low, bar.high) if value is not None]
    if not values:
        return 0.0, 1.0
    low, high = math.floor(10 * min(values) + 1e-9) / 10, math.ceil(10 * max(values) - 1e-9) / 10
    return (low, high) if high > low else (low, low + 0.1)


def _name(bar: Bar) -> str:
    return f"{bar.title} ({bar.n})"


def _block(setting: str, bars: Sequence[Bar], linear: Sequence[Bar], y: int, scale: Scale) -> list[str]:
    parts = [_text(12, y + 26, setting, "start", INK, "font-size='12' font-weight='bold'")]
    bottom = y + HEAD + LINE * len(bars) - 4
    for one in linear:
        x = scale.at(one.mean)
        parts.append(f"<line x1='{x}' x2='{x}' y1='{y + 30}' y2='{bottom}' stroke='{ORANGE}' stroke-width='1.5' stroke-dasharray='4 3'/>")
        parts.append(_text(x, y + 26, f"logistic regression {one.mean:.3f}", "middle", ORANGE))
    for place, bar in enumerate(bars):
        parts += _bar(bar, y + HEAD + LINE * place + LINE // 2, scale)
    return parts


def _bar(bar: Bar, y: int, scale: Scale) -> list[str]:
    x = scale.at(bar.mean)
    line = []
    if bar.low is not None and bar.high is not None:
        ends = f"x1='{scale.at(bar.low)}' x2='{scale.at(bar.high)}' y1='{y}' y2='{y}'"
        line.append(f"<line {ends} stroke='{BLUE}' stroke-width='2.5' stroke-opacity='0.45'/>")
    figure = _text(scale.start + WIDTH + RIGHT - 12, y + 4, f"{bar.mean:.3f}", "end", INK)
    return [_text(scale.start - 12, y + 4, _name(bar), "end", INK), *line, f"<circle cx='{x}' cy='{y}' r='4' fill='{BLUE}'/>", figure]


def _axis(y: int, scale: Scale) -> list[str]:
    steps = round(10 * (scale.high - scale.low))
    parts = [f"<line x1='{scale.start}' x2='{scale.start + WIDTH}' y1='{y}' y2='{y}' stroke='{PALE}'/>"]
    for step in range(steps + 1):
        value = scale.low + step / 10
        x = scale.at(value)
        parts += [f"<line x1='{x}' x2='{x}' y1='{y}' y2='{y + 4}' stroke='{GREY}'/>", _text(x, y + 17, f"{value:.1f}", "middle", GREY)]
    return parts


def _text(x: float, y: int, text: str, anchor: str, ink: str, size: str = "font-size='11'") -> str:
    return f"<text x='{x}' y='{y}' {FONT} {size} text-anchor='{anchor}' fill='{ink}'>{escape(text)}</text>"
