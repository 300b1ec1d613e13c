"""Which libraries find nearest vectors approximately, how is an index of each built, and how well and fast does it answer?

None of them is needed by a run (faiss is an extra): one that is not installed has no row. Their effort is what trades recall for speed
(inverted lists visited, or candidates kept while a graph is walked); how a graph is built is set as its authors advise.
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.apart import memory_mib
from benchmarks.timing import in_turns
from benchmarks.vectors import Vectors
from models.provenance.approximate import ApproximateNeighbours
from models.provenance.ranking import top_linear

LINKS, BUILDING = 32, 128  # of a graph: neighbours per vector, candidates kept while one is added
Found = NDArray[np.int64]


@dataclass(frozen=True)
class Library:
    """`build(vectors, threads)` gives an index, `search(index, queries, k, effort, threads)` the positions int64[n, k] of the largest inner
    products that it found."""

    name: str
    package: str
    distribution: str
    build: Callable[[Vectors, int], Any]
    search: Callable[[Any, Vectors, int, int, int], Found]
    efforts: tuple[int, ...]

    @property
    def installed(self) -> bool:
        return importlib.util.find_spec(self.package) is not None

    @property
    def version(self) -> str:
        return version(self.distribution)


@dataclass(frozen=True)
class Measured:
    """Of one index: seconds of its building, MiB it holds beside the vectors, and per effort recall@k against the exact answer and the
    seconds of a batch, with those of the exact answer in the same rounds."""

    build_seconds: float
    mib: float
    recall: dict[int, float]
    seconds: dict[int, list[float]]
    exact_seconds: list[float]


def measured(number: int, place: Path, queries: Vectors, k: int, threads: int, rounds: int) -> Measured:
    """Builds an index of LIBRARIES[number] over the vectors in a file and asks it; for a process of its own."""
    library, vectors = LIBRARIES[number], mapped(place)
    torch.set_num_threads(threads)
    asked, known = torch.from_numpy(queries), torch.from_numpy(vectors)
    exact = top_linear(asked, known, None, k).positions  # all pages are there now
    importlib.import_module(library.package)
    before, started = memory_mib("RssAnon"), time.perf_counter()
    index = library.build(vectors, threads)
    seconds, held = time.perf_counter() - started, memory_mib("RssAnon") - before
    ways: dict[str, Callable[[], object]] = {"exact": partial(top_linear, asked, known, None, k)}
    ways |= {str(effort): partial(library.search, index, queries, k, effort, threads) for effort in library.efforts}
    recall = {effort: recall_of(library.search(index, queries, k, effort, threads), exact) for effort in library.efforts}
    times = in_turns(ways, rounds)
    return Measured(seconds, held, recall, {effort: times[str(effort)] for effort in library.efforts}, times["exact"])


def mapped(place: Path) -> Vectors:
    """The vectors of a file: its pages are shared by all processes that read it."""
    vectors: Vectors = np.load(place, mmap_mode="c")
    return vectors


def recall_of(found: Found, exact: Found) -> float:
    """Mean share of the exact k that were found, in [0, 1]."""
    return float(np.mean([len(set(mine) & set(theirs)) / len(theirs) for mine, theirs in zip(found.tolist(), exact.tolist(), strict=True)]))


def _faiss_lists(vectors: Vectors, threads: int) -> ApproximateNeighbours:
    """sqrt(N) inverted lists, without compression: our own. faiss's guide says 4 to 16 times as many, which for some thousand questions
    cost more to be learned than they save."""
    return ApproximateNeighbours.of(vectors, threads=threads)


def _ask_lists(index: ApproximateNeighbours, queries: Vectors, k: int, effort: int, threads: int) -> Found:
    return index.nearest(queries, k, visited=effort).positions


def _faiss_graph(vectors: Vectors, threads: int) -> Any:
    faiss: Any = importlib.import_module("faiss")
    faiss.omp_set_num_threads(threads)
    index = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = BUILDING
    index.add(vectors)
    return index


def _ask_faiss_graph(index: Any, queries: Vectors, k: int, effort: int, threads: int) -> Found:
    index.hnsw.efSearch = effort
    return np.asarray(index.search(queries, k)[1], dtype=np.int64)


def _usearch(kind: str, vectors: Vectors, threads: int) -> Any:
    usearch: Any = importlib.import_module("usearch.index")
    index = usearch.Index(ndim=vectors.shape[1], metric="ip", dtype=kind, connectivity=LINKS, expansion_add=BUILDING)
    index.add(np.arange(len(vectors)), vectors, threads=threads)
    return index


def _ask_usearch(index: Any, queries: Vectors, k: int, effort: int, threads: int) -> Found:
    index.expansion_search = effort
    return np.asarray(index.search(queries, k, threads=threads).keys, dtype=np.int64)


GRAPH_EFFORTS = (16, 32, 64, 128, 256)
LIBRARIES = (
    Library("faiss, inverted lists", "faiss", "faiss-cpu", _faiss_lists, _ask_lists, (1, 2, 4, 8, 16, 32)),
    Library("faiss, graph (HNSW)", "faiss", "faiss-cpu", _faiss_graph, _ask_faiss_graph, GRAPH_EFFORTS),
    Library("usearch, graph (HNSW), bf16", "usearch", "usearch", partial(_usearch, "bf16"), _ask_usearch, GRAPH_EFFORTS),
    Library("usearch, graph (HNSW), int8", "usearch", "usearch", partial(_usearch, "i8"), _ask_usearch, GRAPH_EFFORTS),
)
