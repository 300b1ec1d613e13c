"""What does a text model read of n texts, and which tokens are which word's?"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int64
from numpy.typing import NDArray

from models.backbone_record import TextBackbone
from models.tokenizer import tokenizer_of
from models.words import Span, word_spans

if TYPE_CHECKING:
    from tokenizers import Encoding

NO_WORD = -1
Tokens = Int64[NDArray[np.int64], "texts tokens"]
Rows = NDArray[np.int64] | NDArray[np.bool_] | Sequence[int] | slice


@dataclass(frozen=True)
class Texts:
    """n texts as one backbone reads them, T tokens and W words wide, padded at the right.

    `word_of`: the word a token belongs to, -1 for specials, padding and white space behind the last word inside. `spans`: (start, end) of
    every word in code points of `source`, (0, 0) where there is none. `included`: which places are words inside the model's limit; a word
    cut in its middle is inside, with the tokens that are. A word may have no token of its own (characters the tokenizer drops).
    `truncated`: tokens of more than white space were cut off. `backbone`: sha256 of the backbone they were prepared for. `noise`: of poked
    texts (models.poked_texts), what is added to each word embedding, in units of its length over sqrt(width); None: they are as written.
    """

    source: tuple[str, ...]
    ids: Tokens
    attended: Bool[NDArray[np.bool_], "texts tokens"]
    word_of: Tokens
    spans: Int64[NDArray[np.int64], "texts words 2"]
    included: Bool[NDArray[np.bool_], "texts words"]
    truncated: Bool[NDArray[np.bool_], " texts"]
    backbone: str
    pad_id: int
    mask_id: int
    noise: Float32[NDArray[np.float32], "texts tokens width"] | None = None

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, rows: Rows) -> Texts:
        """The texts at these rows (indices, a mask or a slice), in this order; T and W stay, so that arrays of all texts keep fitting."""
        index = np.arange(len(self))[rows if isinstance(rows, slice) else np.asarray(rows, dtype=_index_type(rows))]
        return Texts(
            source=tuple(self.source[row] for row in index),
            ids=self.ids[index],
            attended=self.attended[index],
            word_of=self.word_of[index],
            spans=self.spans[index],
            included=self.included[index],
            truncated=self.truncated[index],
            backbone=self.backbone,
            pad_id=self.pad_id,
            mask_id=self.mask_id,
            noise=None if self.noise is None else self.noise[index],
        )

    @property
    def lengths(self) -> Int64[NDArray[np.int64], " texts"]:
        """Tokens of each text, specials included."""
        lengths: NDArray[np.int64] = self.attended.sum(axis=1, dtype=np.int64)
        return lengths

    @cached_property
    def tokens_per_word(self) -> Int64[NDArray[np.int64], "texts words"]:
        """How many tokens each word has: 0 where there is no word, and for a word whose characters the tokenizer drops."""
        return word_sums(np.ones(self.ids.shape), self.word_of, self.included.shape[1]).astype(np.int64)

    def words(self, row: int) -> tuple[str, ...]:
        """The words of one text inside the model's limit, as they stand in it."""
        text, spans = self.source[row], self.spans[row][self.included[row]]
        return tuple(text[start:end] for start, end in spans.tolist())


def prepare(texts: Sequence[str], backbone: TextBackbone, n_tokens: int | None = None) -> Texts:
    """Tokenise texts for `backbone`, cut at `n_tokens` tokens with specials (None: the model's own limit).

    Raises ValueError for a text without a word (readers reject it as `empty_text`) or of invalid Unicode, and for a limit that the model
    has not.
    """
    tokenizer = tokenizer_of(backbone, backbone.n_tokens if n_tokens is None else n_tokens)
    parts = [_aligned(text, tokenizer.encode(text)) for text in texts]
    width, widest = max((len(part.ids) for part in parts), default=0), max((len(part.spans) for part in parts), default=0)
    ids = np.full((len(parts), width), tokenizer.special_ids["pad"], dtype=np.int64)
    word_of = np.full((len(parts), width), NO_WORD, dtype=np.int64)
    spans = np.zeros((len(parts), widest, 2), dtype=np.int64)
    for row, part in enumerate(parts):
        ids[row, : len(part.ids)], word_of[row, : len(part.ids)] = part.ids, part.word_of
        spans[row, : len(part.spans)] = part.spans
    return Texts(
        source=tuple(texts),
        ids=ids,
        attended=np.arange(width) < np.array([len(part.ids) for part in parts], dtype=np.int64)[:, None],
        word_of=word_of,
        spans=spans,
        included=np.arange(widest) < np.array([len(part.spans) for part in parts], dtype=np.int64)[:, None],
        truncated=np.array([part.truncated for part in parts], dtype=bool),
        backbone=backbone.sha256,
        pad_id=tokenizer.special_ids["pad"],
        mask_id=tokenizer.special_ids["mask"],
    )


@dataclass(frozen=True)
class _Aligned:
    ids: list[int]
    word_of: list[int]
    spans: tuple[Span, ...]
    truncated: bool


def _aligned(text: str, encoding: Encoding) -> _Aligned:
    spans = word_spans(text)
    if not spans:
        raise ValueError(f"a text must hold at least one word, found {text!r:.80}. Reject it as empty_text.")
    starts = [start for start, _ in spans]
    word_of = [NO_WORD if special else word_at(text, starts, span) for span, special in _marks(encoding)]
    # Behind the cut: white space alone is nothing that was lost.
    truncated = any(_is_seen(text, span) and not special for part in encoding.overflowing for span, special in _marks(part))
    if not truncated:  # every word was read, also one without a token at the end
        return _Aligned(encoding.ids, word_of, spans, False)
    # The cut may stand in the white space before a word, whose tokens go with the word: of that word nothing was read.
    read = [word for word, (span, special) in zip(word_of, _marks(encoding), strict=True) if not special and _is_seen(text, span)]
    inside = max(read, default=0) + 1  # a text has a word, also one whose first tokens are all white space
    return _Aligned(encoding.ids, [word if word < inside else NO_WORD for word in word_of], spans[:inside], True)


def _marks(encoding: Encoding) -> Iterable[tuple[Span, int]]:
    """Of each token the span it stands for, and whether it is special."""
    return zip(encoding.offsets, encoding.special_tokens_mask, strict=True)


def _is_seen(text: str, span: Span) -> bool:
    return bool(text[span[0] : span[1]].strip())


def word_at(text: str, starts: Sequence[int], span: Span) -> int:
    """The word of the token that stands for `text[span]`, from the words' starts: that of its first character that is not white space.

    Byte-level BPE puts the space before a word into the word's first token, in some tokenizers into its span too. A token of white space
    alone goes with the word that follows, and behind the last word it is nobody's (-1).
    """
    start = span[0]
    if start < len(text) and not text[start].isspace():
        return bisect_right(starts, start) - 1
    following = bisect_right(starts, start)
    return following if following < len(starts) else NO_WORD


def word_sums(
    values: Float[NDArray[np.floating], "texts tokens"], word_of: Tokens, n_words: int
) -> Float64[NDArray[np.float64], "texts words"]:
    """Token values summed into their words in float64, in the order of the tokens; those of no word are left out."""
    rows, places = np.nonzero(word_of != NO_WORD)
    flat = rows * n_words + word_of[rows, places]
    sums = np.bincount(flat, weights=values[rows, places], minlength=len(values) * n_words)
    return sums.reshape(len(values), n_words).astype(np.float64, copy=False)


def _index_type(rows: Rows) -> type[np.bool_] | type[np.int64]:
    return np.bool_ if np.asarray(rows).dtype == np.bool_ else np.int64
