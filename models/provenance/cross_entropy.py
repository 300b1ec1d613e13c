"""Cross-entropy of a linear layer over very many outputs, without holding all of its logits."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

MATERIALISED = 20_000  # outputs up to which all logits of a batch are held at once
Chunks = list[tuple[torch.Tensor, torch.Tensor]]


def linear_cross_entropy(
    inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, targets: torch.Tensor, smoothing: float, chunk: int = MATERIALISED
) -> torch.Tensor:
    """Per row -sum_k q_k log p_k, [b], where p = softmax(inputs [b, d] weight [K, d]' + bias [K]) and q is 1 - smoothing on the target
    (int64[b]) plus smoothing / K on every output: 0 where K = 1. Exact for any K; of more than `chunk` outputs no more are held at once,
    forward and backward, and the backward pass computes them anew."""
    outputs = len(weight)
    if outputs > chunk:
        normaliser: torch.Tensor = _LogSumExp.apply(inputs, weight, bias, chunk)  # type: ignore[no-untyped-call]  # torch's own
        hit = (inputs * weight[targets]).sum(dim=1) + bias[targets]
        everywhere = inputs @ weight.mean(dim=0) + bias.mean()  # the mean of all logits, of which none is needed for it
        return normaliser - (1.0 - smoothing) * hit - smoothing * everywhere
    return functional.cross_entropy(functional.linear(inputs, weight, bias), targets, reduction="none", label_smoothing=smoothing)


class _LogSumExp(torch.autograd.Function):
    """log sum_k exp(x w_k + b_k) per row, in chunks of outputs."""

    @staticmethod
    def forward(ctx: Any, inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, chunk: int) -> torch.Tensor:
        parts = [torch.logsumexp(functional.linear(inputs, w, b), dim=1) for w, b in _chunks(weight, bias, chunk)]
        total = torch.logsumexp(torch.stack(parts), dim=0)
        ctx.save_for_backward(inputs, weight, bias, total)
        ctx.chunk = chunk
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        inputs, weight, bias, total = ctx.saved_tensors
        (gradient,) = gradients
        of_inputs, of_weight, of_bias = torch.zeros_like(inputs), torch.empty_like(weight), torch.empty_like(bias)
        start = 0
        for w, b in _chunks(weight, bias, ctx.chunk):
            p = torch.exp(functional.linear(inputs, w, b) - total[:, None]) * gradient[:, None]
            of_inputs += p @ w
            of_weight[start : start + len(w)] = p.T @ inputs
            of_bias[start : start + len(w)] = p.sum(dim=0)
            start += len(w)
        return of_inputs, of_weight, of_bias, None


def _chunks(weight: torch.Tensor, bias: torch.Tensor, chunk: int) -> Chunks:
    return list(zip(torch.split(weight, chunk), torch.split(bias, chunk), strict=True))
