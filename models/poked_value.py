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
    """v(keep) of pictures and their pokes; `plain` answers for the pictures themselves. A poked picture's tokens are made once for all the
    masks that a call asks of it, for as many pokes at a time as a batch holds: those of all pokes would not fit."""

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
        distinct, which = np.unique(np.stack([rows[asked], pokes[asked]], axis=1), axis=0, return_inverse=True)
        for start in range(0, len(distinct), self.plain.batch_size):
            some = distinct[filled(np.arange(start, min(start + self.plain.batch_size, len(distinct))), self.plain.batch_size)]
            tokens = self.tokens(some[:, 0], some[:, 1])
            mine = (which >= start) & (which < start + self.plain.batch_size)
            self._of_tokens(tokens, asked[mine], which[mine] - start, rows, keep, values)
        return values

    def _of_tokens(
        self, tokens: torch.Tensor, asked: Rows, which: Rows, rows: Rows, keep: Kept, values: Float32[NDArray[np.float32], " triples"]
    ) -> None:
        """Puts the values of the triples `asked`, whose poked pictures' tokens are `tokens[which]`, into `values`."""
        for _, places in batches(self.plain.sizes(keep[asked]), self.plain.batch_size):
            padded = filled(places, self.plain.batch_size)
            index = torch.from_numpy(which[padded]).to(tokens.device)
            shares = self.plain.shares_of(tokens[index], rows[asked[padded]], keep[asked[padded]])[: len(places)]
            chosen = asked[places]
            values[chosen] = shares[np.arange(len(chosen)), self.plain.targets[rows[chosen]]]


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
