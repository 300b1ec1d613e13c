"""Nearly the nearest of very many training examples, without looking at all of them: inverted lists, by faiss (extra `neighbours`).

Exact search (`models.provenance.neighbours`) needs nothing and answers at once; this one is built first, and pays from about a thousand
questions on (benchmarks/retrieval.py). What it gives up: now and then one of the nearest, and the probability over all training examples.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.errors import ArtifactError
from models.provenance.neighbours import BLOCK, Vectors, unit
from models.provenance.ranking import Closed, Ranking
from models.provenance.slots import NOBODY

VISITED = 8  # lists that a question looks at: recall@5 0.97 of 47,000 sentences embedded by MiniLM
LEARNED_FROM = 64  # vectors per list from which its centre is learned


@dataclass(frozen=True)
class ApproximateNeighbours:
    """An index over N training examples, made by `of`, to be asked often."""

    index: Any
    n: int
    threads: int

    @classmethod
    def of(cls, train: Vectors, seed: int = 0, threads: int = 1) -> ApproximateNeighbours:
        """Of float32[N, d] in the order of the training set, in sqrt(N) lists; it holds a copy. The same seed and threads give the same
        index. Raises ArtifactError `not_a_file` without faiss, ValueError without training examples."""
        if len(train) == 0:
            raise ValueError("an index needs training examples, found none")
        faiss = _faiss()
        lists = max(1, int(np.sqrt(len(train))))
        drawn = np.random.default_rng(seed).choice(len(train), min(len(train), LEARNED_FROM * lists), replace=False)
        with _threads(faiss, threads):
            index = faiss.IndexIVFFlat(faiss.IndexFlatIP(train.shape[1]), train.shape[1], lists, faiss.METRIC_INNER_PRODUCT)
            index.cp.seed = seed
            index.cp.min_points_per_centroid = 1  # few are no error: faiss would only say so
            index.train(unit(train[np.sort(drawn)]))
            for start in range(0, len(train), BLOCK):
                index.add(unit(train[start : start + BLOCK]))
        return cls(index, len(train), threads)

    def nearest(self, queries: Vectors, k: int, closed: Closed | None = None, visited: int = VISITED) -> Ranking:
        """The k training examples of largest cosine with each of float32[n, d] in the `visited` lists nearest to it; of equal ones among
        them the earlier first. With as many lists as there are, exact.

        Probability: softmax of the cosine over **the retrieved alone**, so that it sums to 1 over the k: it is not that of
        `neighbours.nearest`. `closed` bool[N]: left out, for all queries."""
        if closed is not None and closed.shape != (self.n,):
            raise ValueError(f"an approximate index leaves out examples for all queries alike, closed bool[{self.n}], found {closed.shape}")
        faiss = _faiss()
        chosen = faiss.SearchParametersIVF(nprobe=visited)
        if closed is not None:
            chosen.sel = faiss.IDSelectorBatch(np.flatnonzero(~closed))
        with _threads(faiss, self.threads):
            cosine, positions = self.index.search(unit(queries), k, params=chosen)
        cosine = np.where(positions == NOBODY, -np.inf, cosine.astype(np.float64))
        order = np.lexsort((positions, -cosine), axis=1)
        cosine, positions = np.take_along_axis(cosine, order, axis=1), np.take_along_axis(positions.astype(np.int64), order, axis=1)
        share = np.exp(np.where(np.isneginf(cosine), -np.inf, cosine - np.maximum(cosine[:, :1], -1.0)))
        return Ranking(positions, share / np.maximum(share.sum(axis=1, keepdims=True), 1e-300))


def _faiss() -> Any:
    try:
        return importlib.import_module("faiss")
    except ModuleNotFoundError as error:
        said = "approximate neighbours need the package faiss-cpu, found it nowhere: install the extra, pip install 'assay[neighbours]'"
        raise ArtifactError("not_a_file", said) from error


@contextmanager
def _threads(faiss: Any, threads: int) -> Iterator[None]:
    """So many threads of faiss, and as many as before afterwards."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(threads)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
