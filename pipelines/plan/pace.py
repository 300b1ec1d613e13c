"""What does a text cost in a verb, when only so many seconds may be spent on finding out?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.buckets import bucket_of
from pipelines.plan.forwards import padded

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


def refilled(pace: Pace, lengths: NDArray[np.int64], buckets: Sequence[int], batch_size: int) -> Pace:
    """The pace on the first `n` texts turned into that of all (`lengths`: tokens of each), which fill batches better. For work whose
    forwards are of whole texts: masked ones fill batches however few texts there are."""
    few = padded_tokens(lengths[: pace.n], buckets, batch_size) / pace.n
    return Pace(pace.seconds * padded_tokens(lengths, buckets, batch_size) / len(lengths) / few, pace.n)


def padded_tokens(lengths: NDArray[np.int64], buckets: Sequence[int], batch_size: int) -> int:
    """Tokens that go through the model when texts of these lengths are scored together: each in its bucket, each batch filled up."""
    sizes, counts = np.unique(bucket_of(lengths, buckets), return_counts=True)
    return int(sum(size * padded(n, batch_size) for size, n in zip(sizes.tolist(), counts.tolist(), strict=True)))
