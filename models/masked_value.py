"""What is p(target) when just these patches are visible? The value function under every perturbation method, in batches across pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from models.buckets import batches, filled
from models.families.family import kept_tokens

Shares = NDArray[np.float32]


@dataclass(frozen=True)
class MaskedValue:
    """v(keep) for the pictures it was made for. The tokens of picture and baseline were computed once; a mask chooses between them.

    `removed` None is the baseline `drop`: removed tokens leave the sequence, so masks are batched by how many they keep.
    `blank`: where nothing visible is the same input for every picture, the classes' probabilities for it, once known (one entry).
    """

    shares: Callable[[torch.Tensor], torch.Tensor]  # sequences [m,n,d] -> probabilities float32 [m,labels]
    tokens: torch.Tensor  # [b,n_prefix+N,d], positions in
    removed: torch.Tensor | None  # the same of the baseline's pictures
    n_prefix: int
    targets: NDArray[np.int64]  # [b]
    batch_size: int
    blank: list[Shares] | None

    def __call__(self, rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> NDArray[np.float32]:
        """p(target) in [0, 1] of picture `rows[i]` (int[m]) with the patches where `keep[i]` (bool[m,N]) is True: float32[m].

        Bit-equal whatever the other masks are. NaN where the logits are not finite. ValueError on other shapes or unknown rows.
        """
        rows, keep = np.asarray(rows), np.asarray(keep, dtype=bool)
        self.check(rows, keep)
        values = np.empty(len(rows), dtype=np.float32)
        nothing = np.zeros(len(rows), dtype=bool) if self.blank is None else ~keep.any(axis=1)
        if nothing.any():
            values[nothing] = self._nothing(rows[nothing], keep[nothing])
        asked = np.flatnonzero(~nothing)
        for _, places in batches(self.sizes(keep[asked]), self.batch_size):
            chosen = asked[places]
            padded = filled(chosen, self.batch_size)
            shares = self._shares(rows[padded], keep[padded])[: len(chosen)]
            values[chosen] = shares[np.arange(len(chosen)), self.targets[rows[chosen]]]
        return values

    def sizes(self, keep: NDArray[np.bool_]) -> NDArray[np.int64]:
        """int[m]: masks of one size go through the model together; all are of one where no token leaves the sequence."""
        return keep.sum(axis=1, dtype=np.int64) if self.removed is None else np.zeros(len(keep), dtype=np.int64)

    def check(self, rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> None:
        """Raises ValueError unless `keep` fits the patches and `rows` are pictures that there are."""
        n_units = self.tokens.shape[1] - self.n_prefix
        if rows.ndim != 1 or keep.shape != (len(rows), n_units):
            raise ValueError(f"rows must be int[m] and keep bool[m,{n_units}], found {rows.shape} and {keep.shape}.")
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self.tokens):
            raise ValueError(f"rows must be in 0..{len(self.tokens) - 1}, found {rows.min()}..{rows.max()}.")

    def _nothing(self, rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> NDArray[np.float32]:
        """p(target) with no patch visible, under a baseline that shows the same in every picture: one forward per scorer."""
        known = [] if self.blank is None else self.blank
        if not known:
            first = np.zeros(self.batch_size, dtype=np.int64)
            known.append(self._shares(rows[first], keep[first])[0])
        return known[0][self.targets[rows]]

    @torch.inference_mode()
    def _shares(self, rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> Shares:
        return self.shares_of(self.tokens[torch.from_numpy(rows.astype(np.int64)).to(self.tokens.device)], rows, keep)

    @torch.inference_mode()
    def shares_of(self, tokens: torch.Tensor, rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> Shares:
        """The classes' probabilities of one full batch of tokens [m, n_prefix + N, d], hidden ones as those of picture `rows[i]` are."""
        prefix = np.ones((len(keep), self.n_prefix), dtype=bool)
        visible = torch.from_numpy(np.concatenate([prefix, keep], axis=1)).to(self.tokens.device)
        if self.removed is None:
            shown = kept_tokens(tokens, visible)
        else:
            index = torch.from_numpy(rows.astype(np.int64)).to(tokens.device)
            shown = torch.where(visible.unsqueeze(-1), tokens, self.removed[index])
        result: Shares = self.shares(shown).cpu().numpy()
        return result
