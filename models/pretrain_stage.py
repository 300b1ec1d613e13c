"""How does one stage of pre-training run: epochs of varied batches under a one-cycle learning rate, resumed where it was killed?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from models.distil_settings import Variation
from models.errors import ArtifactError
from models.hashing import seed_of
from models.images import Preprocessing
from models.pretrain_checkpoint import Checkpoint
from models.pretrain_variation import draw_variations, mixed, vary

NO_LABEL = -1  # a picture seen without its label
# Varied pictures and their labels (-1 for none, as of mixed pictures) -> the loss of the batch.
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
INNER = ".encoder.layer."  # matrices of a transformer's layers: Muon's (docs/decisions/0008)
BETAS = (0.9, 0.98)  # short memory of squares: runs are a few thousand steps long


@dataclass(frozen=True)
class Stage:
    """What is trained and how: AdamW (no decay on vectors), Muon (Jordan et al. 2024) at `inner_learning_rate` for the matrices of a
    transformer's layers; learning rates up in `warm_share` of the steps and down along a cosine."""

    name: str
    module: nn.Module
    epochs: int
    batch_size: int
    learning_rate: float
    inner_learning_rate: float
    weight_decay: float
    warm_share: float
    clip_norm: float
    precision: torch.dtype
    variation: Variation
    preprocessing: Preprocessing
    seed: int
    views: int = 0  # after so many epochs the same batches come again, to the bit; 0: never


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
    optimisers = _optimisers(stage)
    done = checkpoint.load(stage.module, optimisers)
    for _ in range(done):
        on_epoch()
    for epoch in range(done, stage.epochs):
        _run_epoch(stage, epoch, optimisers, images, labels, loss_of)
        checkpoint.save(stage.module, optimisers, epoch + 1, last=epoch + 1 == stage.epochs)
        on_epoch()
    stage.module.eval()


def _run_epoch(
    stage: Stage, epoch: int, optimisers: tuple[torch.optim.Optimizer, ...], images: torch.Tensor, labels: torch.Tensor, loss_of: Loss
) -> None:
    stage.module.train()
    view = epoch % stage.views if stage.views else epoch
    generator = torch.Generator().manual_seed(seed_of("pretrain", stage.seed, stage.name, view))
    draws = draw_variations(len(labels), generator)
    order = torch.randperm(len(labels), generator=generator)
    size = min(stage.batch_size, len(labels))
    per_epoch = len(labels) // size
    loss = torch.zeros(())
    for step in range(per_epoch):
        batch = order[step * size : (step + 1) * size]
        rate = learning_rate_at((epoch * per_epoch + step) / (stage.epochs * per_epoch), stage.warm_share)
        for group in (group for optimiser in optimisers for group in optimiser.param_groups):
            group["lr"] = group["peak"] * rate
        pixels, torn = mixed(
            vary(images[batch], draws[batch], stage.variation, stage.preprocessing), draws[batch], stage.variation.mixed_share
        )
        with torch.autocast("cpu", torch.bfloat16, enabled=stage.precision == torch.bfloat16):
            loss = loss_of(pixels, labels[batch].masked_fill(torn, NO_LABEL))
        stage.module.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        nn.utils.clip_grad_norm_(stage.module.parameters(), stage.clip_norm)
        for optimiser in optimisers:
            optimiser.step()
    if not torch.isfinite(loss):
        found = f"found {loss.item()} in epoch {epoch + 1}"
        raise ArtifactError("nonfinite", f"pretraining, {stage.name}: the loss must stay finite, {found}: lower learning_rate")


def learning_rate_at(share: float, warm_share: float) -> float:
    """Factor of the peak learning rate at a share of all steps in [0, 1]: linear from 1/25 to 1, then half a cosine to 0."""
    if share < warm_share:
        return 0.04 + 0.96 * share / warm_share
    return 0.5 + 0.5 * math.cos(math.pi * (share - warm_share) / (1 - warm_share))


def decay_groups(parameters: Iterable[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Groups for AdamW: matrices decay, vectors (biases, gains) do not."""
    own = list(parameters)
    matrices, vectors = [p for p in own if p.ndim > 1], [p for p in own if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def _optimisers(stage: Stage) -> tuple[torch.optim.Optimizer, ...]:
    """AdamW, and Muon for the matrices of a transformer's layers. Each group carries its peak learning rate."""
    named = [(name, parameter) for name, parameter in stage.module.named_parameters() if parameter.requires_grad]
    inner = [parameter for name, parameter in named if INNER in name and parameter.ndim == 2]
    rest = [parameter for name, parameter in named if not (INNER in name and parameter.ndim == 2)]
    adam = torch.optim.AdamW(decay_groups(rest, stage.weight_decay), lr=stage.learning_rate, betas=BETAS, fused=True)
    found: tuple[torch.optim.Optimizer, ...] = (adam,)
    if inner:
        found += (torch.optim.Muon(inner, lr=stage.inner_learning_rate, weight_decay=stage.weight_decay, adjust_lr_fn="match_rms_adamw"),)
    for optimiser in found:
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return found
