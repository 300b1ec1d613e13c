"""How is a small net of a probe world trained? The same from the same seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from models.private_state import private_state

Batch = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class ProbeTraining:
    """`epochs` over all rows in batches of `batch_size`, AdamW with a cosine rate from `learning_rate` down."""

    epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 3e-3


def train_probe(
    make: Callable[[], nn.Module], batch_of: Callable[[nn.Module, torch.Tensor], Batch], labels: torch.Tensor, seed: int, how: ProbeTraining
) -> nn.Module:
    """The trained net in eval mode. `make` draws its weights, `batch_of(net, rows)` are the inputs and included units of these rows.

    Cross-entropy for whole-numbered labels, mean squared error for real ones. The process's random state is left as it was.
    """
    with private_state(seed, threads=1):
        net = make()
        optimiser = torch.optim.AdamW(net.parameters(), lr=how.learning_rate, weight_decay=1e-4)
        steps = how.epochs * -(-len(labels) // how.batch_size)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(steps, 1))
        for _ in range(how.epochs):
            for rows in torch.split(torch.randperm(len(labels)), how.batch_size):
                scores = net(*batch_of(net, rows))
                loss = _loss(scores, labels[rows])
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # torch's own
                optimiser.step()
                schedule.step()
    return net.eval().requires_grad_(False)


def _loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    if labels.dtype == torch.int64:
        return functional.cross_entropy(scores, labels)
    return functional.mse_loss(scores[:, 0], labels)
