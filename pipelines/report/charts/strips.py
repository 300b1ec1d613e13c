"""How does a figure stand beside others of its column? A strip in each row of a table, one scale for all, its ticks in the heading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.report.charts.scale import Scale, label
from pipelines.report.charts.svg import dot, drawing, line, text
from pipelines.report.markup import Markup

WIDTH, HEIGHT, MARGIN = 166, 18, 12
MIDDLE = HEIGHT / 2


@dataclass(frozen=True)
class Point:
    """A value with the ends of its interval where it has one.

    `kind`: a colour of the style sheet, or `hollow` for a ring. `lift`: pixels above the middle, for points that would hide each other.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    kind: str = "a"
    lift: float = 0.0


@dataclass(frozen=True)
class Strip:
    """One column of drawings: its scale, its unit, and the values at which lines are drawn through all rows."""

    low: float
    high: float
    unit: str = ""
    marks: tuple[float, ...] = ()
    width: int = WIDTH

    @property
    def scale(self) -> Scale:
        return Scale(self.low, self.high, MARGIN, self.width - MARGIN)

    def head(self, title: str) -> Markup:
        """The heading of the column: what is drawn, and the ticks."""
        most = 3 if self.width < WIDTH else 5
        ticks = [text(self.scale.at(value), 27, label(value, self.unit), "tick", "middle") for value in self.scale.ticks(most)]
        return drawing(self.width, 30, f"scale: {title}", text(self.width / 2, 11, title, "axis", "middle"), *ticks, kind="strip")

    def cell(self, title: str, points: Sequence[Point]) -> Markup:
        """The points of one row over the grid. `title` says in words what is drawn."""
        inside = [stroke for point in points for stroke in self._point(point)]
        return drawing(self.width, HEIGHT, title, *self._grid(), *inside, kind="strip")

    def box(self, title: str, quantiles: Sequence[float | None]) -> Markup:
        """Five quantiles of one row: a line from the first to the last, a box over the middle half, a bar at the median."""
        inside: list[Markup] = []
        if all(value is not None for value in quantiles):
            first, lower, median, upper, last = (self.scale.at(value) for value in quantiles if value is not None)
            inside = [
                line(first, MIDDLE, last, MIDDLE, "span"),
                line(lower, MIDDLE, max(upper, lower + 0.5), MIDDLE, "half"),
                line(median, MIDDLE - 6, median, MIDDLE + 6, "median"),
            ]
        return drawing(self.width, HEIGHT, title, *self._grid(), *inside, kind="strip")

    def _grid(self) -> list[Markup]:
        most = 3 if self.width < WIDTH else 5
        thin = [line(self.scale.at(value), 0, self.scale.at(value), HEIGHT, "grid") for value in self.scale.ticks(most)]
        marks = [value for value in self.marks if self.low <= value <= self.high]
        return thin + [line(self.scale.at(value), 0, self.scale.at(value), HEIGHT, "mark") for value in marks]

    def _point(self, point: Point) -> list[Markup]:
        if point.value is None:
            return []
        made, y = [], MIDDLE - point.lift
        if point.low is not None and point.high is not None:
            made.append(line(self.scale.at(point.low), y, self.scale.at(point.high), y, f"interval {point.kind}"))
        return [*made, dot(self.scale.at(point.value), y, 3 if point.lift else 4, f"dot {point.kind}")]
