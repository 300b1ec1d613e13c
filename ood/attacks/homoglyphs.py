"""Does the model survive letters that only look the same?"""

from __future__ import annotations

import numpy as np

from ood.attacks._characters import PARAMETER, SHARES, misspelt
from ood.attacks.record import IMPACT, METHODS_6, Attack, Attacked, Preserves
from ood.keywords import Keywords

# Latin letters and the Cyrillic ones drawn alike (Unicode's confusables.txt lists each pair).
LOOK_ALIKES = dict(zip("aceijopsxyABCEHIJKMOPSTXY", "асеіјорѕхуАВСЕНІЈКМОРЅТХУ", strict=True))


def homoglyphs(
    text: str, label: str, severity: int, rng: np.random.Generator, keywords: Keywords, preserves: Preserves | None = None
) -> Attacked:
    """`text` with one Latin letter in 10, 20 or 40 % of its words replaced by the Cyrillic one that looks the same.

    A reader sees no difference; the number of characters stays, the bytes and the tokens change. Severity 1 to 3, at least that many words;
    `label` and `keywords` play no part. Raises ValueError for other severities. Source: METHODS 6.
    """
    return misspelt(text, severity, rng, preserves, disguised, lambda word: any(letter in LOOK_ALIKES for letter in word))


def disguised(word: str, rng: np.random.Generator) -> str:
    """`word` with one of the letters that have a look-alike replaced by it; never the same word."""
    able = [at for at, letter in enumerate(word) if letter in LOOK_ALIKES]
    at = able[int(rng.integers(len(able)))]
    return word[:at] + LOOK_ALIKES[word[at]] + word[at + 1 :]


RECORD = Attack("homoglyphs", homoglyphs, "character", PARAMETER, SHARES, IMPACT, METHODS_6)
