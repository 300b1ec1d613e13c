"""What is p(target) when just these words are visible? The value function under every perturbation method, in batches across texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int64
from numpy.typing import NDArray

from models.buckets import batches, bucket_of, filled
from models.texts import NO_WORD, Texts

TEXT_BASELINES = ("mask", "drop")
Ids = Int64[NDArray[np.int64], "batch tokens"]
Attended = Bool[NDArray[np.bool_], "batch tokens"]
Shares = Float32[NDArray[np.float32], "batch labels"]


class Shown(NamedTuple):
    """What a mask shows of texts. `source`: which token of the text each is, -1 where it is none of its own."""

    ids: Ids
    attended: Attended
    source: Int64[NDArray[np.int64], "batch tokens"]


@dataclass(frozen=True)
class TextMaskedValue:
    """v(keep) for the texts it was made for.

    `mask`: every token of a hidden word becomes one mask token, so that length and positions stay. `drop`: the tokens of hidden words
    leave the sequence and those behind them move up, as in a text written without these words. Specials stay always.
    """

    shares: Callable[[Ids, Attended], Shares]  # one full batch of one bucket -> probabilities
    texts: Texts
    targets: Int64[NDArray[np.int64], " texts"]
    baseline: Literal["mask", "drop"]
    batch_size: int
    buckets: tuple[int, ...]

    def __call__(self, rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> NDArray[np.float32]:
        """p(target) in [0, 1] of text `rows[i]` (int[m]) with the words where `keep[i]` (bool[m,W]) is True: float32[m].

        Bit-equal whatever the other masks are. Places that are no words change nothing. NaN where the logits are not finite. ValueError on
        other shapes or unknown rows.
        """
        rows, keep = np.asarray(rows), np.asarray(keep, dtype=bool)
        self.check(rows, keep)
        values = np.empty(len(rows), dtype=np.float32)
        for size, places in batches(bucket_of(self.lengths(rows, keep), self.buckets), self.batch_size):
            chosen = filled(places, self.batch_size)
            shown = self.shown(rows[chosen], keep[chosen])
            shares = self.shares(*sized(shown.ids, shown.attended, size, self.texts.pad_id))
            values[places] = shares[np.arange(len(places)), self.targets[rows[places]]]
        return values

    def check(self, rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> None:
        """Raises ValueError unless `keep` fits the words and `rows` are texts that there are."""
        n_texts, n_words = self.texts.included.shape
        if rows.ndim != 1 or keep.shape != (len(rows), n_words):
            raise ValueError(f"rows must be int[m] and keep bool[m,{n_words}], found {rows.shape} and {keep.shape}.")
        if len(rows) and not 0 <= rows.min() <= rows.max() < n_texts:
            raise ValueError(f"rows must be in 0..{n_texts - 1}, found {rows.min()}..{rows.max()}.")

    def lengths(self, rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Tokens of each text under its mask, specials included."""
        if self.baseline == "mask":
            return self.texts.lengths[rows]
        per_word = self.texts.tokens_per_word
        always = self.texts.lengths - per_word.sum(axis=1)
        return np.asarray(always[rows] + (per_word[rows] * keep).sum(axis=1), dtype=np.int64)

    def shown(self, rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> Shown:
        """The tokens that stand there under each mask, and where each came from."""
        ids, attended, word_of = self.texts.ids[rows], self.texts.attended[rows], self.texts.word_of[rows]
        visible = (word_of == NO_WORD) | np.take_along_axis(keep, np.maximum(word_of, 0), axis=1)
        if self.baseline == "mask":
            return Shown(np.where(visible, ids, self.texts.mask_id), attended, np.where(visible, np.arange(ids.shape[1]), -1))
        stays = visible & attended
        order = np.argsort(~stays, axis=1, kind="stable")
        kept = np.take_along_axis(stays, order, axis=1)
        return Shown(np.take_along_axis(ids, order, axis=1), kept, np.where(kept, order, -1))


def sized(ids: Ids, attended: Attended, size: int, pad_id: int) -> tuple[Ids, Attended]:
    """The first `size` tokens, padded up to `size`: nothing that is attended may stand behind them."""
    width = min(size, ids.shape[1])
    out = np.full((len(ids), size), pad_id, dtype=np.int64)
    seen = np.zeros((len(ids), size), dtype=bool)
    out[:, :width], seen[:, :width] = ids[:, :width], attended[:, :width]
    out[~seen] = pad_id
    return out, seen
