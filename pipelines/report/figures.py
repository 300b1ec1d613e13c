"""How are numbers written for people? A missing one is a dash, never an invention."""

from __future__ import annotations

import math
from collections.abc import Iterable

NONE = "–"
MINUS = "\u2212"


def known(value: float | None) -> bool:
    """A number that can be shown."""
    return value is not None and math.isfinite(value)


def number(value: float | None, digits: int = 3) -> str:
    """With so many decimals and a real minus."""
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{value:.{digits}f}"
    text = text.lstrip("-") if float(text) == 0 else text
    return text.replace("-", MINUS)


def signed(value: float | None, digits: int = 3) -> str:
    """With its sign, also where it is positive."""
    text = number(value, digits)
    return text if value is None or text == NONE or text.startswith(MINUS) or float(text) == 0 else f"+{text}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share in percent."""
    return NONE if value is None or not math.isfinite(value) else f"{number(100 * value, digits)} %"


def count(value: float | None) -> str:
    """A whole number, thousands apart."""
    return NONE if value is None or not math.isfinite(value) else f"{int(value):,}"


def short(value: float | None) -> str:
    """As few characters as tell it apart: 4, 11.3, 0.25."""
    return NONE if value is None or not math.isfinite(value) else f"{value:.3g}".replace("-", MINUS)


def within(low: float | None, high: float | None, digits: int = 3) -> str:
    """An interval, or a dash where it is withheld."""
    return f"{number(low, digits)} to {number(high, digits)}" if known(low) and known(high) else NONE


def percent_within(low: float | None, high: float | None, digits: int = 1) -> str:
    """An interval of shares in percent."""
    return f"{number(100 * low, digits)} to {number(100 * high, digits)} %" if low is not None and high is not None else NONE


def count_range(values: Iterable[float | None]) -> str:
    """The smallest and the largest count, once where they are one; a dash without any."""
    known = [value for value in values if value is not None]
    ends = sorted({min(known), max(known)}) if known else []
    return " to ".join(count(value) for value in ends) or NONE


def plural(n: int, one: str, many: str | None = None) -> str:
    """A count with its noun."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
