"""What does a text cost in a verb, when only so many seconds may be spent on finding out?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

GROWTH = 4


@dataclass(frozen=True)
class Pace:
    """Seconds a text, found on `n` texts."""

    seconds: float
    n: int


def pace_of(work: Callable[[int], float], most: int, budget: float) -> Pace:
    """`work(n)` gives the seconds of the first `n` texts. Tried on 1, 4, 16, … and at last all `most`, each only while the ones before
    say that it fits into what is left of `budget`; one text is tried whatever it takes, twice if that fits: the first call pays for what is
    made at first use."""
    started, n = time.perf_counter(), 1
    seconds = work(n)
    if 2 * seconds < budget:
        seconds = work(n)
    while n < most:
        more = min(most, GROWTH * n)
        if time.perf_counter() - started + seconds / n * more > budget:
            break
        n, seconds = more, work(more)
    return Pace(seconds / n, n)
