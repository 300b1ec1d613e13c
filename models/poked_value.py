"""What is p(target) of a poked input when just these units are visible? The masked values of models, with noise on what is shown.

The baseline is that of the input itself, poked or not: what stands for nothing does not move with a poke.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from numpy.typing import NDArray

from models.buckets import batches, bucket_of, filled
from models.masked_value import MaskedValue
from models.poked_texts import TokenNoise, placed
from models.pokes import UNPOKED, Noise
from models.text_masked_value import Attended, Ids, Shares, TextMaskedValue, sized

Rows = NDArray[np.int64]
Kept = NDArray[np.bool_]


@dataclass(frozen=True)
class PokedPictureValue:
    """v(keep) of pictures and their pokes; `plain` answers for the pictures themselves. A poked picture's tokens are made anew for each
    batch: a convolution is little beside the layers, and the tokens of all pokes would not fit."""

    plain: MaskedValue
    tokens: Callable[[Rows, Rows], torch.Tensor]  # (rows, pokes) of one full batch -> tokens [m, n_prefix + N, d]

    def __call__(self, rows: Rows, pokes: Rows, keep: Kept) -> Float32[NDArray[np.float32], " triples"]:
        """p(target) in [0, 1] of picture `rows[i]` under its poke `pokes[i]` (-1: unpoked) with the patches where `keep[i]` is True.

        Bit-equal whatever is asked beside it. NaN where the logits are not finite. ValueError as `plain` raises it.
        """
        rows, pokes, keep = np.asarray(rows), np.asarray(pokes), np.asarray(keep, dtype=bool)
        values = np.empty(len(rows), dtype=np.float32)
        itself = pokes == UNPOKED
        values[itself] = self.plain(rows[itself], keep[itself])
        self.plain.check(rows, keep)
        asked = np.flatnonzero(~itself)
        for _, places in batches(self.plain.sizes(keep[asked]), self.plain.batch_size):
            chosen = asked[places]
            padded = filled(chosen, self.plain.batch_size)
            shares = self.plain.shares_of(self.tokens(rows[padded], pokes[padded]), rows[padded], keep[padded])
            values[chosen] = shares[np.arange(len(chosen)), self.plain.targets[rows[chosen]]]
        return values


@dataclass(frozen=True)
class PokedTextValue:
    """v(keep) of texts and their pokes. Noise goes with its token: away where the word is hidden, and along where others are dropped."""

    plain: TextMaskedValue
    shares: Callable[[Ids, Attended, TokenNoise], Shares]  # one full batch of one bucket -> probabilities
    noise: Noise

    def __call__(self, rows: Rows, pokes: Rows, keep: Kept) -> Float32[NDArray[np.float32], " triples"]:
        """p(target) in [0, 1] of text `rows[i]` under its poke `pokes[i]` (-1: unpoked) with the words where `keep[i]` is True. Else as
        above."""
        rows, pokes, keep = np.asarray(rows), np.asarray(pokes), np.asarray(keep, dtype=bool)
        values = np.empty(len(rows), dtype=np.float32)
        itself = pokes == UNPOKED
        values[itself] = self.plain(rows[itself], keep[itself])
        self.plain.check(rows, keep)
        asked = np.flatnonzero(~itself)
        lengths = self.plain.lengths(rows[asked], keep[asked])
        for size, places in batches(bucket_of(lengths, self.plain.buckets), self.plain.batch_size):
            chosen = asked[places]
            padded = filled(chosen, self.plain.batch_size)
            shown = self.plain.shown(rows[padded], keep[padded])
            ids, attended = sized(shown.ids, shown.attended, size, self.plain.texts.pad_id)
            shares = self.shares(ids, attended, placed(self.noise(rows[padded], pokes[padded]), shown.source, size))
            values[chosen] = shares[np.arange(len(chosen)), self.plain.targets[rows[chosen]]]
        return values
