"""Where on a drawing does a value stand, and which round values are written beside it?"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Scale:
    """Values `low` to `high` along pixels `start` to `end`; the pixels may run backwards."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The place of a value, to a tenth of a pixel; values outside stand at the nearer end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + (self.end - self.start) * share, 1)

    def ticks(self, most: int = 5) -> list[float]:
        """Round values inside, at most so many (two at least)."""
        step = _step((self.high - self.low) / max(1, most - 1))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(step * place, 10) for place in range(first, last + 1)]


def around(values: Iterable[float | None], least: float, bounds: tuple[float, float] | None = None) -> tuple[float, float]:
    """Round ends around all values, at least `least` apart, inside the bounds if there are any. Without values: the bounds, or 0 to 1."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    low_bound, high_bound = bounds or (-math.inf, math.inf)
    if not known:
        return bounds or (0.0, 1.0)
    low, high = min(known), max(known)
    missing = max(0.0, least - (high - low)) / 2
    low, high = max(low_bound, low - missing), min(high_bound, high + missing)
    step = _step((high - low) / 4) if high > low else least or 1.0
    low, high = max(low_bound, step * math.floor(low / step + 1e-9)), min(high_bound, step * math.ceil(high / step - 1e-9))
    return (round(low, 10), round(high, 10)) if high > low else (low, low + (least or 1.0))


def label(value: float, unit: str = "") -> str:
    """A tick's text: percent where the unit says so, else as short as it goes."""
    if unit == "%":
        return f"{round(100 * value, 6):g}".replace("-", "\u2212")
    return f"{value:g}".replace("-", "\u2212")


def _step(least: float) -> float:
    """The smallest round step that is not below `least`."""
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in STEPS if step * power >= least * (1 - 1e-9))
