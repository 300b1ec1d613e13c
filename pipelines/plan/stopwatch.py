"""How long does one unit of work take, when only so many seconds may be spent on finding out?"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch

MOST_REPEATS = 20
CROWD_SIDE = 512  # a product of this side fits a core's cache as a layer's does, and takes milliseconds
CROWD_SECONDS = 0.3


def seconds_of(work: Callable[[], object], budget: float) -> float:
    """Seconds of one call: of the first where it takes half the budget, else the median of later ones while the budget lasts."""
    started = time.perf_counter()
    work()
    first = time.perf_counter() - started
    times: list[float] = []
    while len(times) < MOST_REPEATS and time.perf_counter() - started + first < budget:
        before = time.perf_counter()
        work()
        times.append(time.perf_counter() - before)
    return statistics.median(times) if times else first


def crowding(workers: int) -> float:
    """By how much one thread's matrix product slows down when `workers` of them compute at once; 1 for none, and for one worker.

    Cores that share a unit or a memory bus, and other programs, make it more. Measured for less than a second.
    """
    if workers < 2:
        return 1.0
    alone = _products_per_second()
    with ThreadPoolExecutor(workers) as pool:
        together = list(pool.map(lambda _: _products_per_second(), range(workers)))
    return max(1.0, alone / statistics.fmean(together))


def _products_per_second() -> float:
    a = torch.ones(CROWD_SIDE, CROWD_SIDE)
    out = torch.empty_like(a)
    started, n = time.perf_counter(), 0
    while (seconds := time.perf_counter() - started) < CROWD_SECONDS:
        torch.mm(a, a, out=out)
        n += 1
    return n / seconds
