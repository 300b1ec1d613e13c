"""Are the k largest of very many linear scores found exactly, in blocks, with ties by position?"""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from models.provenance import neighbours, ranking
from models.provenance.neighbours import nearest, unit
from models.provenance.ranking import Ranking, top_linear
from models.provenance.slots import NOBODY

N, D, ROWS = 53, 4, 17


def whole(generator: np.random.Generator, *shape: int) -> torch.Tensor:
    """Small whole numbers: sums of products are exact in float32, whatever the order, and ties are many."""
    return torch.from_numpy(generator.integers(-2, 3, shape).astype(np.float32))


def naive(queries: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, k: int, closed: np.ndarray | None) -> Ranking:
    scores = (queries.double() @ weight.double().T + (0.0 if bias is None else bias.double())).numpy()
    if closed is not None:
        scores = np.where(closed, -np.inf, scores)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    share = np.exp(scores - scores.max(axis=1, keepdims=True))
    share = np.take_along_axis(share / share.sum(axis=1, keepdims=True), order, axis=1)
    return Ranking(np.where(share > 0, order, NOBODY), share)


# Blocks of one, of some that divide neither number, that end just at, before and behind the last, and one block for all.
@pytest.mark.parametrize("rows", [1, 5, 16, 17, 1024])
@pytest.mark.parametrize("columns", [1, 3, 10, 52, 53, 54, 20_000])
@pytest.mark.parametrize("closing", ["none", "of all rows", "per row"])
def test_the_first_k_are_those_of_a_stable_sort_of_everything(
    rows: int, columns: int, closing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "ROWS", rows)
    monkeypatch.setattr(ranking, "COLUMNS", columns)
    generator = np.random.default_rng(rows * columns)
    queries, weight, bias = whole(generator, ROWS, D), whole(generator, N, D), whole(generator, N)
    drawn = generator.random((ROWS, N)) < 0.5
    closed = {"none": None, "of all rows": drawn[0], "per row": drawn}[closing]
    found, expected = top_linear(queries, weight, bias, 5, closed), naive(queries, weight, bias, 5, closed)
    assert found.positions.tolist() == expected.positions.tolist()
    np.testing.assert_allclose(found.probability, expected.probability, rtol=2e-6)  # logsumexp in float32


@pytest.mark.parametrize("columns", [2, 3, 20_000])
def test_of_equal_scores_the_earlier_comes_first(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "COLUMNS", columns)
    weight = torch.tensor([[1.0], [2.0], [1.0], [2.0], [1.0], [1.0], [2.0]])
    assert top_linear(torch.ones(1, 1), weight, None, 5).positions.tolist() == [[1, 3, 6, 0, 2]]
    assert top_linear(torch.zeros(1, 1), weight, None, 5).positions.tolist() == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize("columns", [2, 20_000])
def test_where_there_are_fewer_than_k_the_rest_is_nobody(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "COLUMNS", columns)
    weight, closed = torch.zeros(4, 1), np.array([[True, False, True, False], [True] * 4])
    found = top_linear(torch.ones(2, 1), weight, None, 6, closed)
    assert found.positions.tolist() == [[1, 3] + [NOBODY] * 4, [NOBODY] * 6]
    assert found.probability[0, :2].tolist() == pytest.approx([0.5, 0.5], rel=1e-7)  # logsumexp in float32
    assert found.probability[0, 2:].tolist() == [0.0] * 4 and found.probability[1].tolist() == [0.0] * 6


def test_an_open_example_is_named_however_small_its_probability() -> None:
    bias = torch.tensor([0.0, -2000.0, -1000.0])  # e^-1000 is 0 in float64
    found = top_linear(torch.zeros(1, 1), torch.zeros(3, 1), bias, 3, np.array([False, False, False]))
    assert found.positions.tolist() == [[0, 2, 1]] and found.probability.tolist() == [[1.0, 0.0, 0.0]]


def test_no_question_has_no_answer() -> None:
    found = top_linear(torch.zeros(0, 2), torch.zeros(3, 2), None, 5)
    assert found.positions.shape == found.probability.shape == (0, 5)


def test_the_nearest_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    train, queries = (generator.standard_normal((n, 16)).astype(np.float32) * 10 ** generator.uniform(-3, 3, (n, 1)) for n in (200, 30))
    train, queries = train.astype(np.float32), queries.astype(np.float32)
    found = nearest(queries, train, 7)
    distance, positions = NearestNeighbors(n_neighbors=7, metric="cosine", algorithm="brute").fit(train).kneighbors(queries)
    assert found.positions.tolist() == positions.tolist()
    cosines = 1 - NearestNeighbors(n_neighbors=200, metric="cosine", algorithm="brute").fit(train).kneighbors(queries)[0].astype(np.float64)
    expected = np.exp(1 - distance) / np.exp(cosines).sum(axis=1, keepdims=True)  # softmax of the cosine over all 200
    np.testing.assert_allclose(found.probability, expected, rtol=1e-5)


def test_a_vector_of_length_zero_has_cosine_zero_with_all() -> None:
    train = np.array([[-1, 0], [0, 0], [2, 0], [0, 3]], dtype=np.float32)  # cosines with (5, 0): -1, 0, 1, 0
    found = nearest(np.array([[5, 0], [0, 0]], dtype=np.float32), train, 4)
    assert found.positions.tolist() == [[2, 1, 3, 0], [0, 1, 2, 3]]
    total = np.exp(-1.0) + 2 + np.e
    np.testing.assert_allclose(found.probability[0], np.array([np.e, 1, 1, np.exp(-1.0)]) / total, rtol=1e-6)
    assert found.probability[1].tolist() == pytest.approx([0.25] * 4, rel=1e-6)


def test_vectors_are_brought_to_length_one_without_editing_them() -> None:
    given = np.array([[3, 4], [0, 0], [1e-30, 0], [1e30, 1e30]], dtype=np.float32)  # squares of the last two leave float32
    before = given.copy()
    assert unit(given) == pytest.approx(np.array([[0.6, 0.8], [0, 0], [1, 0], [0.5**0.5, 0.5**0.5]]), rel=1e-6)
    assert (given == before).all() and unit(given).dtype == np.float32


def test_vectors_are_scaled_block_after_block(monkeypatch: pytest.MonkeyPatch) -> None:
    given = np.random.default_rng(2).standard_normal((1000, 64)).astype(np.float32)
    whole = unit(given)
    monkeypatch.setattr(neighbours, "BLOCK", 7)
    tracemalloc.start()
    parts = unit(given)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert parts.tobytes() == whole.tobytes()
    assert given.nbytes <= peak < 1.5 * given.nbytes  # the answer and a little; all in float64 are 3 times as much


def test_the_input_itself_is_left_out_where_it_is_closed() -> None:
    train = np.random.default_rng(1).standard_normal((20, 5)).astype(np.float32)
    assert nearest(train, train, 1).positions.ravel().tolist() == list(range(20))
    found = nearest(train, train, 19, np.eye(20, dtype=bool))
    assert all(sorted(row) == [one for one in range(20) if one != own] for own, row in enumerate(found.positions.tolist()))
    assert found.probability.sum(axis=1) == pytest.approx(1.0, abs=1e-6)
