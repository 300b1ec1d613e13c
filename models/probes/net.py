"""What does a small net answer, and what do its gradients and its attention say? Batches in, numpy out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from models.probes.probe import Included, Inputs, Outputs, PerUnit, Targets


@dataclass(frozen=True)
class NetProbe:
    """A trained net in eval mode, on the CPU: `net(inputs[b, units, width], included[b, units])` gives scores [b, outputs]; with one output
    it is a regression. Rows stand alone: no layer mixes examples."""

    net: nn.Module
    batch_size: int = 4096

    def outputs(self, inputs: Inputs, included: Included) -> Outputs:
        """Softmax of the scores, or the one answer: float32[examples, outputs]."""
        with torch.inference_mode():
            found = [_answers(self.net(*batch)) for batch in self._batches(inputs, included)]
        return np.asarray(torch.cat(found).numpy())

    def integrated(self, inputs: Inputs, included: Included, targets: Targets, baseline: Inputs, steps: int) -> PerUnit:
        """Integrated gradients of the target's score from `baseline` [units, width] to the input, midpoint rule, summed over each unit's
        features: they sum to score(input) - score(baseline), up to the rule's error."""
        start = torch.from_numpy(np.asarray(baseline, dtype=np.float32))
        found = []
        for (batch, inside), target in self._with_targets(inputs, included, targets):
            path = (torch.arange(steps, dtype=torch.float32) + 0.5) / steps
            points = (start + path.view(-1, 1, 1, 1) * (batch - start)).flatten(0, 1).requires_grad_()
            score = self.net(points, inside.repeat(steps, 1)).gather(1, target.repeat(steps).unsqueeze(1)).sum()
            (gradient,) = torch.autograd.grad(score, points)
            found.append(((batch - start) * gradient.view(steps, *batch.shape).mean(dim=0)).sum(dim=-1))
        return np.asarray(torch.cat(found).numpy())

    def attention(self, inputs: Inputs, included: Included) -> tuple[PerUnit, list[Inputs]]:
        """The last layer's CLS row by head [examples, heads, tokens], and the attention of every layer, mean over heads, [examples, tokens,
        tokens]; CLS is the first token, units follow. For nets that have `attentions(inputs, included)`."""
        rows, layers = [], []
        with torch.inference_mode():
            for batch in self._batches(inputs, included):
                found = _method(self.net, "attentions")(*batch)
                rows.append(found[-1][:, :, 0])
                layers.append(torch.stack([one.mean(dim=1) for one in found]))
        every = torch.cat(layers, dim=1).numpy()
        return np.asarray(torch.cat(rows).numpy()), list(every)

    def grad_cam_parts(self, inputs: Inputs, included: Included, targets: Targets) -> tuple[Inputs, Inputs]:
        """Activations of the last convolution and the target score's gradient by them, [examples, channels, places] each. For nets that
        have `last_map(inputs)` and `of_map(map)`."""
        maps, gradients = [], []
        for (batch, _), target in self._with_targets(inputs, included, targets):
            made = _method(self.net, "last_map")(batch).detach().requires_grad_()
            score = _method(self.net, "of_map")(made).gather(1, target.unsqueeze(1)).sum()
            (gradient,) = torch.autograd.grad(score, made)
            maps.append(made.detach().flatten(2))
            gradients.append(gradient.flatten(2))
        return np.asarray(torch.cat(maps).numpy()), np.asarray(torch.cat(gradients).numpy())

    def _batches(self, inputs: Inputs, included: Included) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for start in range(0, len(inputs), self.batch_size):
            part = slice(start, start + self.batch_size)
            yield torch.from_numpy(np.asarray(inputs[part], dtype=np.float32)), torch.from_numpy(np.asarray(included[part]))

    def _with_targets(
        self, inputs: Inputs, included: Included, targets: Targets
    ) -> Iterator[tuple[tuple[torch.Tensor, torch.Tensor], torch.Tensor]]:
        asked = torch.from_numpy(np.asarray(targets, dtype=np.int64))
        parts = torch.split(asked, self.batch_size)
        yield from zip(self._batches(inputs, included), parts, strict=True)


def _answers(scores: torch.Tensor) -> torch.Tensor:
    return scores if scores.shape[1] == 1 else functional.softmax(scores, dim=1)


def _method(net: nn.Module, name: str) -> Callable[..., torch.Tensor]:
    found = getattr(net, name, None)
    if not callable(found):
        raise ValueError(f"{type(net).__name__} has no {name}: ask a net that has it, or leave the method out")
    return found  # type: ignore[no-any-return]  # nn.Module's attributes have no type
