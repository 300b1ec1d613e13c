"""How do curves and clouds of points stand in a frame with two named axes?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.report.charts.scale import Scale, label
from pipelines.report.charts.svg import dot, drawing, line, path, text
from pipelines.report.markup import Markup

LEFT, TOP, RIGHT, BOTTOM = 30, 38, 30, 34


@dataclass(frozen=True)
class Axis:
    """What is along it, in which unit, between which values, and which of them are written (None: round ones)."""

    title: str
    low: float
    high: float
    unit: str = ""
    values: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Curve:
    """Points (x, y) in order, joined; intervals (x, low, high) as upright lines; `kind`: a colour; `end`: words behind the last point."""

    title: str
    points: Sequence[tuple[float, float]]
    intervals: Sequence[tuple[float, float, float]] = ()
    kind: str = "rest"
    end: str | None = None


@dataclass(frozen=True)
class Panel:
    """One frame. The drawing is `width` x `height` pixels at its natural size, its frame inside the margins."""

    title: str
    x: Axis
    y: Axis
    width: int = 220
    height: int = 190

    def curves(self, about: str, curves: Sequence[Curve], *under: Markup) -> Markup:
        """The curves, the first ones lowest. `about` is the drawing in words."""
        inside = [stroke for curve in curves for stroke in self._curve(curve)]
        ends = self._ends([curve for curve in curves if curve.end and curve.points])
        return drawing(self.width, self.height, about, *self._frame(), *under, *inside, *ends)

    def cloud(self, about: str, points: Sequence[tuple[float, float, str, str]], *under: Markup) -> Markup:
        """Points (x, y, colour, words)."""
        dots = [dot(self.across.at(x), self.up.at(y), 2.6, f"dot many {kind}", title) for x, y, kind, title in points]
        return drawing(self.width, self.height, about, *self._frame(), *under, *dots, kind="chart large")

    def diagonal(self) -> Markup:
        """Where both axes say the same."""
        low, high = max(self.x.low, self.y.low), min(self.x.high, self.y.high)
        return line(self.across.at(low), self.up.at(low), self.across.at(high), self.up.at(high), "mark")

    def spread(self, y: float, low: float, high: float) -> Markup:
        """An interval along x, at a height."""
        return line(self.across.at(low), self.up.at(y), self.across.at(high), self.up.at(y), "interval thin")

    @property
    def across(self) -> Scale:
        return Scale(self.x.low, self.x.high, LEFT, self.width - RIGHT)

    @property
    def up(self) -> Scale:
        return Scale(self.y.low, self.y.high, self.height - BOTTOM, TOP)

    def _frame(self) -> list[Markup]:
        bottom, right = self.height - BOTTOM, self.width - RIGHT
        made = [
            text(0, 11, self.title, "name"),
            text(0, 25, self.y.title, "axis"),
            text(right, self.height - 4, self.x.title, "axis", "end"),
        ]
        for value in self.y.values or self.up.ticks(5):
            made += [line(LEFT, self.up.at(value), right, self.up.at(value), "grid")]
            made += [text(LEFT - 4, self.up.at(value) + 4, label(value, self.y.unit), "tick", "end")]
        for value in self.x.values or self.across.ticks(5):
            made += [text(self.across.at(value), bottom + 14, label(value, self.x.unit), "tick", "middle")]
        return made

    def _curve(self, curve: Curve) -> list[Markup]:
        points = [(self.across.at(x), self.up.at(y)) for x, y in curve.points]
        made = [
            line(self.across.at(x), self.up.at(low), self.across.at(x), self.up.at(high), f"interval {curve.kind}")
            for x, low, high in curve.intervals
        ]
        made.append(path(points, f"curve {curve.kind}", curve.title))
        return made + ([] if curve.kind == "rest" else [dot(x, y, 2.5, f"dot {curve.kind}") for x, y in points])

    def _ends(self, curves: Sequence[Curve]) -> list[Markup]:
        """Words behind the last points, moved apart where they would stand on each other."""
        places = sorted(((self.up.at(curve.points[-1][1]), curve) for curve in curves), key=lambda found: found[0])
        made, least = [], 0.0
        for y, curve in places:
            least = max(y, least)
            made.append(text(self.across.at(curve.points[-1][0]) + 6, least + 4, curve.end or "", f"end {curve.kind}"))
            least += 12
        return made
