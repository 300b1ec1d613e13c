"""Which words does a text model have to guess in one epoch of pre-training, and what is shown in their place?"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Int64

from models.text_vocabulary import MASK, SPECIALS
from models.texts import NO_WORD

SHOWN_AS_MASK, SHOWN_AS_OTHER = 0.8, 0.1  # of the words to guess; the last tenth stays (Devlin et al., 1810.04805)

Ids = Int64[torch.Tensor, "texts tokens"]


class MaskedWords(NamedTuple):
    """What the model is shown, and which tokens it must guess."""

    shown: Ids
    asked: Bool[torch.Tensor, "texts tokens"]


def mask_words(
    ids: Ids, word_of: Ids, n_words: Int64[torch.Tensor, " texts"], share: float, size: int, generator: torch.Generator
) -> MaskedWords:
    """Hide `share` of the words of every text, and at least one, whole: all tokens of a word are asked together.

    Whole words because the baseline `mask` hides whole words later: what v(keep) then shows the model is what it was trained on. Of the
    words asked 80 % become mask tokens, 10 % random tokens of the `size` in the vocabulary, 10 % stay. Drawn from `generator` alone.
    """
    widest = int(n_words.max())
    ranks = torch.rand(len(ids), widest, generator=generator)
    ranks[torch.arange(widest) >= n_words.unsqueeze(1)] = 2.0  # behind every word
    wanted = (share * n_words).round().clamp(min=1).long()
    chosen = ranks.argsort(dim=1).argsort(dim=1) < wanted.unsqueeze(1)
    asked = chosen.gather(1, word_of.clamp(min=0)) & (word_of != NO_WORD)
    fate = torch.rand(len(ids), widest, generator=generator).gather(1, word_of.clamp(min=0))
    others = torch.randint(len(SPECIALS), size, ids.shape, generator=generator)
    replaced = torch.where(fate < SHOWN_AS_MASK, MASK, torch.where(fate < SHOWN_AS_MASK + SHOWN_AS_OTHER, others, ids))
    return MaskedWords(torch.where(asked, replaced, ids), asked)
