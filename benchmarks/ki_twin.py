"""How does the KI study's own way of explaining compute entropy, Gini, deletion and insertion? The naive twin of the engine.

float32, the adapter unmerged in peft, eager attention, pictures edited in pixel space, and a forward for every step of every picture
(of a batch, or alone): written from the study's description, sharing no code with the engine.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Figures = dict[str, list[float]]


@torch.inference_mode()
def study(model: Any, pixels: NDArray[np.float32], patch: int) -> Figures:
    """The four figures of each picture float32 [n, 3, s, s], all `n` in one batch: entropy, sparsity, deletion (over p intact), insertion;
    and `target`, the class that they explain.

    25 forwards per picture at 256 patches: one that is explained, and twelve points on each curve.
    """
    pictures = torch.from_numpy(pixels).to(next(model.parameters()).device)
    answer = model(pixel_values=pictures, output_attentions=True)
    targets = answer.logits.argmax(dim=1)
    attention = answer.attentions[-1].mean(dim=1)[:, 0, 1:]
    attention = attention / attention.sum(dim=1, keepdim=True)
    removed, revealed = _curves(model, pictures, targets, attention, patch)
    deletion = [_area(points) / points[0] for points in removed]
    return {
        "entropy": [_entropy(row) for row in attention.double().cpu().numpy()],
        "sparsity": [_gini(row) for row in attention.double().cpu().numpy()],
        "deletion": deletion,
        "insertion": [_area(points) for points in revealed],
        "target": [float(target) for target in targets],
    }


def _curves(
    model: Any, pictures: torch.Tensor, targets: torch.Tensor, attention: torch.Tensor, patch: int
) -> tuple[list[list[float]], list[list[float]]]:
    """p(target) of each picture while patches are filled with its mean, and while they are shown on black; most attended first."""
    units = attention.shape[1]
    step, order = max(1, units // 10), attention.argsort(dim=1, descending=True, stable=True)
    mean, removed, revealed = pictures.mean(dim=(2, 3)), pictures.clone(), torch.zeros_like(pictures)
    down, up = [_p(model, removed, targets)], [_p(model, revealed, targets)]
    side = pictures.shape[-1] // patch
    for start in range(0, units, step):
        for row in range(len(pictures)):
            for unit in order[row, start : start + step].tolist():
                y, x = unit // side * patch, unit % side * patch
                removed[row, :, y : y + patch, x : x + patch] = mean[row, :, None, None]
                revealed[row, :, y : y + patch, x : x + patch] = pictures[row, :, y : y + patch, x : x + patch]
        down.append(_p(model, removed, targets))
        up.append(_p(model, revealed, targets))
    return torch.stack(down, dim=1).tolist(), torch.stack(up, dim=1).tolist()


def _p(model: Any, pictures: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    shares: torch.Tensor = model(pixel_values=pictures).logits.softmax(dim=1)
    return shares.gather(1, targets[:, None]).squeeze(1)


def _area(points: list[float]) -> float:
    """Trapezoids over points evenly spaced on 0 to 1."""
    return (sum(points) - (points[0] + points[-1]) / 2) / (len(points) - 1)


def _entropy(shares: NDArray[np.float64]) -> float:
    return float(-sum(share * math.log2(share + 1e-10) for share in shares) / math.log2(len(shares)))


def _gini(shares: NDArray[np.float64]) -> float:
    n = len(shares)
    return float(1 - 2 / n * sum((n - i + 0.5) * share for i, share in enumerate(sorted(shares), start=1)))
