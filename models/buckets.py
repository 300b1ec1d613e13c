"""Which fixed shape does a text's forward have? The smallest length bucket that holds its tokens, times a batch that is always full.

Floating-point sums depend on a batch's shape, not on its content: with the shape fixed by the text's own length, its numbers are the same
bits whatever its neighbours are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BUCKETS = (16, 32, 64, 128, 256, 512)


def fitted(buckets: Sequence[int], n_tokens: int) -> tuple[int, ...]:
    """The buckets up to a model's limit of tokens, the limit itself the last where a bucket would pass it. ValueError unless they are
    positive and ascending."""
    if not buckets or buckets[0] < 1 or any(second <= first for first, second in pairwise(buckets)):
        raise ValueError(f"buckets must be positive and ascending, found {tuple(buckets)}.")
    inside = tuple(bucket for bucket in buckets if bucket < n_tokens)
    return inside if len(inside) == len(buckets) else (*inside, n_tokens)


def bucket_of(lengths: NDArray[np.int64], buckets: Sequence[int]) -> NDArray[np.int64]:
    """For each length the smallest bucket that holds it. ValueError for a length beyond the last."""
    if len(lengths) and lengths.max() > buckets[-1]:
        raise ValueError(
            f"a text must have at most {buckets[-1]} tokens here, found {lengths.max()}. Prepare it with this scoring's limit."
        )
    return np.asarray(buckets, dtype=np.int64)[np.searchsorted(buckets, lengths)]


def batches(sizes: NDArray[np.int64], batch_size: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """(bucket, places) of at most `batch_size` inputs of one bucket each, in order of place within a bucket; every place once."""
    for size in np.unique(sizes):
        alike = np.flatnonzero(sizes == size)
        for start in range(0, len(alike), batch_size):
            yield int(size), alike[start : start + batch_size]


def filled(places: NDArray[np.int64], batch_size: int) -> NDArray[np.int64]:
    """The places, the first of them repeated up to a full batch; what the repetitions give is not read."""
    return np.concatenate([places, np.repeat(places[:1], batch_size - len(places))])
