"""What does a trained provenance network say of inputs?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from models.provenance.network import ProvenanceNetwork
from models.provenance.ranking import Closed, Ranking
from models.provenance.slots import Positions

BATCH = 512


def class_logits(network: ProvenanceNetwork, inputs: torch.Tensor) -> NDArray[np.float32]:
    """float32[n, classes], in float32 arithmetic."""
    with torch.inference_mode():
        return np.concatenate([network(part).float().cpu().numpy() for part in _parts(network, inputs)])


def features(network: ProvenanceNetwork, inputs: torch.Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What the class head and the index head take, float32[n, width] each."""
    with torch.inference_mode():
        found = [[one.float().cpu().numpy() for one in network.branches(part)] for part in _parts(network, inputs)]
    return np.concatenate([one[0] for one in found]), np.concatenate([one[1] for one in found])


def ranked(
    network: ProvenanceNetwork,
    inputs: torch.Tensor,
    k: int,
    classes: Positions | None = None,
    closed: Closed | None = None,
) -> Ranking:
    """The `k` likeliest training examples per input, exactly. `classes` int64[n]: what a class-conditional head is told; None: the
    predicted class. `closed` bool[N] or [n, N]: slots that are masked (see `IndexHead.top`). Raises ValueError without an index head."""
    head = network.index_head
    if head is None:
        raise ValueError("a plain classifier names no training examples: ask a network with an index head")
    found = []
    with torch.inference_mode():
        start = 0
        for part in _parts(network, inputs):
            told, indexed = network.branches(part)
            own = slice(start, start + len(part))
            given = network.class_head(told).argmax(dim=1) if classes is None else torch.from_numpy(classes[own]).to(indexed.device)
            found.append(head.top(indexed, given, k, closed if closed is None or closed.ndim == 1 else closed[own]))
            start += len(part)
    return Ranking(np.concatenate([one.positions for one in found]), np.concatenate([one.probability for one in found]))


def _parts(network: ProvenanceNetwork, inputs: torch.Tensor) -> Iterator[torch.Tensor]:
    device = next(network.parameters()).device
    for part in torch.split(inputs, BATCH):
        yield part.to(device)
