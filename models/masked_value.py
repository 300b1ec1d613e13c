"""What is p(target) when just these patches are visible? The value function under every perturbation method, in batches across pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.families.family import Family


@dataclass(frozen=True)
class MaskedValue:
    """v(keep) for the pictures it was made for. Patch tokens of picture and baseline were computed once; a mask chooses between them.

    `removed` None is the baseline `drop`: removed tokens leave the sequence, so masks are batched by how many they keep.
    """

    model: nn.Module
    family: Family
    tokens: torch.Tensor  # [b,N,d]
    removed: torch.Tensor | None  # [b,N,d]
    targets: torch.Tensor  # int64[b]
    batch_size: int

    def __call__(self, rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> NDArray[np.float32]:
        """p(target) in [0, 1] of picture `rows[i]` (int[m]) with the patches where `keep[i]` (bool[m,N]) is True: float32[m].

        Bit-equal whatever the other masks are. NaN where the logits are not finite. ValueError on other shapes or unknown rows.
        """
        rows, keep = np.asarray(rows), np.asarray(keep, dtype=bool)
        if rows.ndim != 1 or keep.shape != (len(rows), self.tokens.shape[1]):
            raise ValueError(f"rows must be int[m] and keep bool[m,{self.tokens.shape[1]}], found {rows.shape} and {keep.shape}.")
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self.tokens):
            raise ValueError(f"rows must be in 0..{len(self.tokens) - 1}, found {rows.min()}..{rows.max()}.")
        values = np.empty(len(rows), dtype=np.float32)
        for chosen in self._batches(keep):
            # Padded with its own first mask to the one batch shape; what the padding gives is not read.
            padded = _padded(chosen, self.batch_size)
            values[chosen] = self._forward(rows[padded], keep[padded])[: len(chosen)]
        return values

    def _batches(self, keep: NDArray[np.bool_]) -> Iterator[NDArray[np.int64]]:
        counts = keep.sum(axis=1) if self.removed is None else np.zeros(len(keep))
        for count in np.unique(counts):
            alike = np.flatnonzero(counts == count)
            yield from (alike[start : start + self.batch_size] for start in range(0, len(alike), self.batch_size))

    @torch.inference_mode()
    def _forward(self, rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> NDArray[np.float32]:
        index = torch.from_numpy(rows.astype(np.int64)).to(self.tokens.device)
        visible = torch.from_numpy(keep).to(self.tokens.device)
        if self.removed is None:
            hidden = self.family.encode(self.model, self.tokens[index], visible)
        else:
            mixed = torch.where(visible.unsqueeze(-1), self.tokens[index], self.removed[index])
            hidden = self.family.encode(self.model, mixed, None)
        shares = self.family.head(self.model, hidden).float().softmax(dim=1)
        result: NDArray[np.float32] = shares.gather(1, self.targets[index].unsqueeze(1)).squeeze(1).cpu().numpy()
        return result


def _padded(chosen: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    return np.concatenate([chosen, np.repeat(chosen[:1], size - len(chosen))])
