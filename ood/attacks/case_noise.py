"""Does the model survive shouting and odd capitals?"""

from __future__ import annotations

import numpy as np

from ood.attacks._characters import PARAMETER, SHARES, misspelt
from ood.attacks.record import IMPACT, METHODS_6, Attack, Attacked, Preserves
from ood.keywords import Keywords


def case_noise(
    text: str, label: str, severity: int, rng: np.random.Generator, keywords: Keywords, preserves: Preserves | None = None
) -> Attacked:
    """`text` with the case of letters changed in 10, 20 or 40 % of its words: the first one, all of them, or each by a coin.

    The words stay the same when casefolded: letters whose other case is another word (such as the German sharp s) are left alone.
    Severity 1 to 3, at least that many words; `label` and `keywords` play no part. Raises ValueError for other severities. Source:
    METHODS 6.
    """
    return misspelt(text, severity, rng, preserves, recased, lambda word: any(map(_has_case, word)))


def recased(word: str, rng: np.random.Generator) -> str:
    """`word`, which has a cased letter, with one, all or some of them in the other case; never the same word."""
    cased = [at for at, letter in enumerate(word) if _has_case(letter)]
    coins = rng.random(len(cased)) < 0.5
    some = [at for at, heads in zip(cased, coins, strict=True) if heads] or cased
    chosen = (cased[:1], cased, some)[int(rng.integers(3))]
    return "".join(letter.swapcase() if at in chosen else letter for at, letter in enumerate(word))


def _has_case(letter: str) -> bool:
    other = letter.swapcase()
    return other != letter and len(other) == 1 and other.casefold() == letter.casefold()


RECORD = Attack("case_noise", case_noise, "character", PARAMETER, SHARES, IMPACT, METHODS_6)
