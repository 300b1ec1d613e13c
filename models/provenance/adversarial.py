"""Which picture, hardly different from a given one, does a network get wrong? FGSM and PGD against the class logits."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from models.gradients import evaluating
from models.provenance.slots import Positions

BATCH = 512


def fgsm(network: nn.Module, pictures: torch.Tensor, labels: Positions, eps: float) -> torch.Tensor:
    """Every pixel moved by `eps` in the direction in which the cross-entropy of `labels` int64[b] grows, clipped to [0, 1]; a pixel without
    a gradient stays (Goodfellow et al. 2015). See `pgd` for shapes and errors."""
    return pgd(network, pictures, labels, eps, steps=1, step_size=eps, seed=None)


def pgd(
    network: nn.Module, pictures: torch.Tensor, labels: Positions, eps: float, steps: int, step_size: float, seed: int | None
) -> torch.Tensor:
    """`steps` moves of `step_size` per pixel, each along the gradient's sign, kept within `eps` of the picture and within [0, 1] (Madry et
    al. 2018). They start at a point drawn uniformly within `eps` by `seed`, or at the picture itself where it is None.

    `pictures` float[b, 28, 28], or whatever `network` makes logits [b, C] of, in [0, 1]; eps and step_size in the same unit. The same
    shape, type and device comes back. Gradients are those of eval mode; the network's mode and .grad stay as they are. Raises ValueError on
    pixels outside [0, 1], below 0 for eps or step_size, or below one step."""
    if not len(pictures) == len(labels) > 0 or not bool(((pictures >= 0) & (pictures <= 1)).all()):
        raise ValueError(f"an attack needs pictures in [0, 1] and a label for each, found {len(pictures)} pictures, {len(labels)} labels")
    if eps < 0 or step_size < 0 or steps < 1:
        raise ValueError(f"eps and step_size must be at least 0 and steps 1, found {eps}, {step_size} and {steps}")
    device = next(network.parameters()).device
    with evaluating(network), torch.inference_mode(False):
        start = pictures.clone() if seed is None else (pictures + _noise(pictures, eps, seed)).clamp(0, 1)
        parts = zip(*(torch.split(one, BATCH) for one in (pictures, start, torch.from_numpy(labels))), strict=True)
        found = [
            _attacked(network, own.to(device), now.to(device), targets.to(device), eps, steps, step_size).to(pictures.device)
            for own, now, targets in parts
        ]
    return torch.cat(found)


def _attacked(
    network: nn.Module, own: torch.Tensor, now: torch.Tensor, targets: torch.Tensor, eps: float, steps: int, step_size: float
) -> torch.Tensor:
    low, high = (own - eps).clamp(min=0), (own + eps).clamp(max=1)
    for _ in range(steps):
        asked = now.detach().clone().requires_grad_(True)
        with torch.enable_grad():
            loss = functional.cross_entropy(network(asked).float(), targets, reduction="sum")
            (slope,) = torch.autograd.grad(loss, asked)
        now = torch.clamp(asked.detach() + step_size * slope.sign(), low, high)
    return now


def _noise(pictures: torch.Tensor, eps: float, seed: int) -> torch.Tensor:
    """Uniform in [-eps, eps], the same on every device and for every number of pictures behind one."""
    generator = torch.Generator().manual_seed(seed)
    drawn = [torch.rand(pictures.shape[1:], generator=generator, dtype=torch.float64) for _ in range(len(pictures))]
    return ((2 * torch.stack(drawn) - 1) * eps).to(pictures.device, pictures.dtype)
