"""Does the model survive hasty typing?"""

from __future__ import annotations

import numpy as np

from ood.attacks._characters import PARAMETER, SHARES, misspelt
from ood.attacks.record import IMPACT, METHODS_6, Attack, Attacked, Preserves
from ood.keywords import Keywords

LETTERS = 3  # a word of fewer letters is not misspelt: it would become another word, or nothing

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")  # US layout
NEIGHBOURS: dict[str, str] = {letter: row[max(at - 1, 0) : at] + row[at + 1 : at + 2] for row in _ROWS for at, letter in enumerate(row)}


def typos(
    text: str, label: str, severity: int, rng: np.random.Generator, keywords: Keywords, preserves: Preserves | None = None
) -> Attacked:
    """`text` with one slip in 10, 20 or 40 % of its words: two neighbours swapped, a letter dropped, doubled, or hit beside.

    The kind is drawn among those that change the word; its first character stays. Beside: the key to the left or right on a US keyboard,
    for letters a to z. Severity 1 to 3, at least that many words; `label` and `keywords` play no part. Raises ValueError for other
    severities. Source: METHODS 6.
    """
    return misspelt(text, severity, rng, preserves, slip, lambda word: sum(map(str.isalpha, word)) >= LETTERS)


def slip(word: str, rng: np.random.Generator) -> str:
    """`word` of two characters or more with one slip after its first character; never the same word."""
    at = int(rng.integers(1, len(word)))
    kinds = [word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:]]
    if at + 1 < len(word) and word[at] != word[at + 1]:
        kinds.append(word[:at] + word[at + 1] + word[at] + word[at + 2 :])
    keys = NEIGHBOURS.get(word[at].lower(), "")
    if keys:
        key = keys[int(rng.integers(len(keys)))]
        kinds.append(word[:at] + (key.upper() if word[at].isupper() else key) + word[at + 1 :])
    return kinds[int(rng.integers(len(kinds)))]


RECORD = Attack("typos", typos, "character", PARAMETER, SHARES, IMPACT, METHODS_6)
