"""How does one stage of pre-training run: epochs of varied batches under a one-cycle learning rate, resumed where it was killed?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from models.distil_settings import Variation
from models.errors import ArtifactError
from models.hashing import seed_of
from models.images import Preprocessing
from models.pretrain_checkpoint import Checkpoint
from models.pretrain_variation import draw_variations, vary

# Varied pictures and their labels -> the loss of the batch.
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
BETAS = (0.9, 0.98)  # short memory of squares: runs are a few thousand steps long


@dataclass(frozen=True)
class Stage:
    """What is trained and how: AdamW (no decay on vectors), learning rate up in `warm_share` of the steps and down along a cosine."""

    name: str
    module: nn.Module
    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    warm_share: float
    clip_norm: float
    precision: torch.dtype
    variation: Variation
    preprocessing: Preprocessing
    seed: int


def run_stage(
    stage: Stage, images: torch.Tensor, labels: torch.Tensor, loss_of: Loss, checkpoint: Checkpoint, on_epoch: Callable[[], None]
) -> None:
    """Train `stage.module` in place on uint8[n, s, s, 3] and int64[n], from the checkpoint where there is one.

    Order and variations are keyed by (seed, stage, epoch), so that a resumed run equals one that never stopped. A last batch that is
    not full is left out (batch statistics need company); fewer pictures than a batch are one batch. Raises ArtifactError `nonfinite`
    when the loss diverges, ValueError for fewer than two pictures.
    """
    if len(labels) < 2:
        raise ValueError(f"pretraining, {stage.name}: at least 2 pictures are needed, found {len(labels)}: give it more classes")
    optimiser = _optimiser(stage)
    done = checkpoint.load(stage.module, optimiser)
    for _ in range(done):
        on_epoch()
    for epoch in range(done, stage.epochs):
        _run_epoch(stage, epoch, optimiser, images, labels, loss_of)
        checkpoint.save(stage.module, optimiser, epoch + 1, last=epoch + 1 == stage.epochs)
        on_epoch()
    stage.module.eval()


def _run_epoch(
    stage: Stage, epoch: int, optimiser: torch.optim.Optimizer, images: torch.Tensor, labels: torch.Tensor, loss_of: Loss
) -> None:
    stage.module.train()
    generator = torch.Generator().manual_seed(seed_of("pretrain", stage.seed, stage.name, epoch))
    draws = draw_variations(len(labels), generator)
    order = torch.randperm(len(labels), generator=generator)
    size = min(stage.batch_size, len(labels))
    per_epoch = len(labels) // size
    loss = torch.zeros(())
    for step in range(per_epoch):
        batch = order[step * size : (step + 1) * size]
        rate = learning_rate_at((epoch * per_epoch + step) / (stage.epochs * per_epoch), stage.warm_share)
        for group in optimiser.param_groups:
            group["lr"] = stage.learning_rate * rate
        pixels = vary(images[batch], draws[batch], stage.variation, stage.preprocessing)
        with torch.autocast("cpu", torch.bfloat16, enabled=stage.precision == torch.bfloat16):
            loss = loss_of(pixels, labels[batch])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        nn.utils.clip_grad_norm_(stage.module.parameters(), stage.clip_norm)
        optimiser.step()
    if not torch.isfinite(loss):
        found = f"found {loss.item()} in epoch {epoch + 1}"
        raise ArtifactError("nonfinite", f"pretraining, {stage.name}: the loss must stay finite, {found}: lower learning_rate")


def learning_rate_at(share: float, warm_share: float) -> float:
    """Factor of the peak learning rate at a share of all steps in [0, 1]: linear from 1/25 to 1, then half a cosine to 0."""
    if share < warm_share:
        return 0.04 + 0.96 * share / warm_share
    return 0.5 + 0.5 * math.cos(math.pi * (share - warm_share) / (1 - warm_share))


def _optimiser(stage: Stage) -> torch.optim.Optimizer:
    parameters = [parameter for parameter in stage.module.parameters() if parameter.requires_grad]
    groups = [
        {"params": [parameter for parameter in parameters if parameter.ndim > 1], "weight_decay": stage.weight_decay},
        {"params": [parameter for parameter in parameters if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=stage.learning_rate, betas=BETAS, fused=True)
