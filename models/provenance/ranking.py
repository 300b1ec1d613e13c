"""Which k of very many training examples have the largest linear score, exactly, and what share of the softmax over all of them?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from models.provenance.slots import NOBODY, Positions

ROWS, COLUMNS = 1024, 20_000  # scores that are held at once
Closed = NDArray[np.bool_]


@dataclass(frozen=True)
class Ranking:
    """The k likeliest training examples per row, most likely first. `positions` int64[n, k] in the training set, NOBODY where fewer are
    open; `probability` float64[n, k] in [0, 1], 0 there."""

    positions: Positions
    probability: NDArray[np.float64]


def top_linear(queries: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, k: int, closed: Closed | None = None) -> Ranking:
    """Per row of `queries` [n, d] the k largest of q w_i + b_i over the N rows of `weight` [N, d], ties by position, with softmax
    probabilities over all N. `closed` bool[N] or [n, N]: masked, with probability 0. No more than ROWS x COLUMNS scores are held."""
    parts = [_of_rows(queries, weight, bias, k, closed, start) for start in range(0, max(len(queries), 1), ROWS)]
    positions, share = (torch.cat(one).cpu().numpy() for one in zip(*parts, strict=True))
    found = np.full((len(queries), k), NOBODY, dtype=np.int64), np.zeros((len(queries), k))
    wide = min(k, positions.shape[1])
    found[0][:, :wide] = positions[:, :wide]
    found[1][:, :wide] = share[:, :wide]
    return Ranking(*found)


def _of_rows(
    queries: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, k: int, closed: Closed | None, start: int
) -> tuple[torch.Tensor, torch.Tensor]:
    mine, places, values, normaliser = queries[start : start + ROWS], [], [], []
    for first in range(0, len(weight), COLUMNS):
        scores = functional.linear(mine, weight[first : first + COLUMNS], None if bias is None else bias[first : first + COLUMNS])
        if closed is not None:
            part = closed[..., first : first + COLUMNS]
            shut = torch.from_numpy(part if part.ndim == 1 else part[start : start + ROWS]).to(scores.device)
            scores = scores.masked_fill(shut, -torch.inf)
        normaliser.append(torch.logsumexp(scores, dim=1))
        best, place = _stable_top(scores, k)
        values.append(best)
        places.append(place + first)
    total = torch.logsumexp(torch.stack(normaliser), dim=0)
    best, order = torch.sort(torch.cat(values, dim=1), dim=1, descending=True, stable=True)
    shut = torch.isneginf(best)  # not: of probability 0, which an open one far behind the first has too
    share = torch.where(shut, 0.0, torch.exp((best - total[:, None]).double()))
    return torch.cat(places, dim=1).gather(1, order).masked_fill(shut, NOBODY)[:, :k], share[:, :k]


def _stable_top(scores: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The first k of a stable sort, at the cost of topk, which leaves open which of equal scores it takes."""
    values, places = torch.topk(scores, min(k, scores.shape[1]), dim=1)
    border = values[:, -1:]
    tied = (scores >= border).sum(dim=1) > values.shape[1]
    places, order = torch.sort(places, dim=1)
    values, order = torch.sort(values.gather(1, order), dim=1, descending=True, stable=True)
    places = places.gather(1, order)
    if bool(tied.any()):
        whole = torch.sort(scores[tied], dim=1, descending=True, stable=True)
        values[tied], places[tied] = whole[0][:, : values.shape[1]], whole[1][:, : values.shape[1]]
    return values, places
