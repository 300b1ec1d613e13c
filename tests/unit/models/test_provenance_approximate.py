"""Is what an approximate index finds what exact search finds, and does it say plainly what it needs and what it does not know?"""

from __future__ import annotations

import sys

import numpy as np
import pytest

from models.errors import ArtifactError
from models.provenance.approximate import ApproximateNeighbours
from models.provenance.neighbours import Vectors, nearest
from models.provenance.slots import NOBODY

N, DIM = 900, 12
ALL = 30  # sqrt(900) lists


def vectors(n: int = N, seed: int = 0) -> Vectors:
    """In 20 clusters, of any length."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(7).standard_normal((20, DIM))
    made = centres[rng.integers(20, size=n)] + 0.3 * rng.standard_normal((n, DIM))
    return np.asarray(made * rng.uniform(0.1, 10, (n, 1)), dtype=np.float32)


def test_without_the_library_it_names_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)  # what Python itself does with a name that must not be found
    with pytest.raises(ArtifactError, match=r"faiss-cpu.*assay\[neighbours\]"):
        ApproximateNeighbours.of(vectors())


def test_of_all_lists_the_answer_is_exact() -> None:
    pytest.importorskip("faiss", reason="extra `neighbours`")
    found = ApproximateNeighbours.of(vectors()).nearest(vectors(40, 1), 5, visited=ALL)
    assert found.positions.tolist() == nearest(vectors(40, 1), vectors(), 5).positions.tolist()


def test_of_few_lists_most_of_the_nearest_are_found_and_those_found_are_in_order() -> None:
    pytest.importorskip("faiss", reason="extra `neighbours`")
    queries, train = vectors(200, 1), vectors()
    found, exact = ApproximateNeighbours.of(train).nearest(queries, 5, visited=2), nearest(queries, train, 5)
    recall = np.mean([len(set(mine) & set(all_)) / 5 for mine, all_ in zip(found.positions, exact.positions, strict=True)])
    assert 0.5 < recall < 1.0  # two of 30 lists: far more than the 2 in 30 of chance
    assert (np.diff(found.probability, axis=1) <= 0).all()


def test_probability_is_the_softmax_of_the_cosine_over_the_retrieved_alone() -> None:
    pytest.importorskip("faiss", reason="extra `neighbours`")
    train = np.array([[2, 0], [0, 5], [-1, 0], [0, -1]], dtype=np.float32)
    found = ApproximateNeighbours.of(train).nearest(np.array([[3, 0]], dtype=np.float32), 3, visited=2)  # 2 lists are all
    assert found.positions.tolist() == [[0, 1, 3]]  # cosines 1, 0 and 0, the earlier first
    share = np.exp([0.0, -1.0, -1.0])
    assert found.probability[0] == pytest.approx(share / share.sum(), rel=1e-6)


def test_closed_examples_are_left_out_and_where_fewer_are_open_the_rest_is_nobody() -> None:
    pytest.importorskip("faiss", reason="extra `neighbours`")
    train, queries = vectors(), vectors(30, 2)
    closed = np.random.default_rng(3).random(N) < 0.7
    found = ApproximateNeighbours.of(train).nearest(queries, 5, closed, visited=ALL)
    assert found.positions.tolist() == nearest(queries, train, 5, closed).positions.tolist()
    two = np.ones(N, dtype=bool)
    two[[11, 500]] = False
    few = ApproximateNeighbours.of(train).nearest(queries, 4, two, visited=ALL)
    assert {tuple(sorted(row[:2])) for row in few.positions.tolist()} == {(11, 500)} and (few.positions[:, 2:] == NOBODY).all()
    assert (few.probability[:, 2:] == 0.0).all() and few.probability.sum(axis=1) == pytest.approx(1.0)
    none = ApproximateNeighbours.of(train).nearest(queries, 4, np.ones(N, dtype=bool))
    assert (none.positions == NOBODY).all() and (none.probability == 0.0).all()


def test_closed_examples_of_single_queries_and_an_empty_training_set_are_refused() -> None:
    pytest.importorskip("faiss", reason="extra `neighbours`")
    with pytest.raises(ValueError, match=r"closed bool\[900\], found \(3, 900\)"):
        ApproximateNeighbours.of(vectors()).nearest(vectors(3), 5, np.zeros((3, N), dtype=bool))
    with pytest.raises(ValueError, match="found none"):
        ApproximateNeighbours.of(np.zeros((0, 3), dtype=np.float32))


def test_the_same_seed_gives_the_same_answer_and_the_librarys_threads_are_as_before() -> None:
    faiss = pytest.importorskip("faiss", reason="extra `neighbours`")
    faiss.omp_set_num_threads(2)
    first, second = (ApproximateNeighbours.of(vectors(), seed=4).nearest(vectors(50, 5), 5, visited=1) for _ in range(2))
    assert (first.positions == second.positions).all() and (first.probability == second.probability).all()
    other = ApproximateNeighbours.of(vectors(), seed=5).nearest(vectors(50, 5), 5, visited=1)
    assert (first.positions != other.positions).any()  # other lists
    assert faiss.omp_get_max_threads() == 2


@pytest.mark.parametrize("n", [1, 2, 7])
def test_a_handful_of_training_examples_is_enough(n: int) -> None:
    pytest.importorskip("faiss", reason="extra `neighbours`")
    found = ApproximateNeighbours.of(vectors(n)).nearest(vectors(n), 3, visited=10)
    assert found.positions[:, 0].tolist() == list(range(n)) and found.positions.shape == (n, 3)
    assert (found.positions == NOBODY).sum() == n * max(0, 3 - n)
