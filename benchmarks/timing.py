"""How long does each way of doing one thing take, measured in turns, so that a disturbance meets all of them?"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def seconds_of(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def in_turns(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each way per round: A B C, A B C, … (nothing is warmed up here)."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, work in ways.items():
            found[name].append(seconds_of(work))
    return found


def ratio(slow: list[float], fast: list[float]) -> float:
    """Median over the rounds of slow / fast: each round's pair was disturbed alike."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))


def spread(values: list[float]) -> float:
    """(largest - smallest) / median, 0 for one value."""
    return (max(values) - min(values)) / statistics.median(values)
