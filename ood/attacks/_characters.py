"""How are some words of a text misspelt, each a little, and which?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.words import word_spans
from ood.attacks._edits import Edit, attacked, checked, unedited
from ood.attacks.record import Attacked, Preserves
from ood.words import core

SHARES = (0.1, 0.2, 0.4)
PARAMETER = "share of words touched (at least one per severity)"

# An eligible core -> another one
Spoil = Callable[[str, np.random.Generator], str]


def misspelt(
    text: str, severity: int, rng: np.random.Generator, preserves: Preserves | None, spoil: Spoil, eligible: Callable[[str], bool]
) -> Attacked:
    """`text` with 10, 20 or 40 % of its words spoiled, rounded up, and no fewer than `severity`, as far as there are `eligible` ones.

    Words are drawn at random, each once; only their cores change, so outer punctuation stays. With `preserves`, another word is drawn
    when one does not hold. Raises ValueError for another severity.
    """
    share = checked(SHARES, severity, text)
    places = word_spans(text)
    cores = [core(text, place) for place in places]
    able = [at for at, (start, end) in enumerate(cores) if eligible(text[start:end])]
    if not able:
        return unedited(text, "no word with letters that could change")
    drawn = iter(rng.permutation(able).tolist())

    def propose(edits: tuple[Edit, ...], refused: int) -> Edit | None:
        at = next(drawn, None)
        if at is None:
            return None
        (first, last), (start, end) = places[at], cores[at]
        return Edit("replace", at, text[first:start] + spoil(text[start:end], rng) + text[end:last])

    percent = round(share * 100)
    return attacked(text, max(severity, -(-percent * len(places) // 100)), propose, preserves)
