"""Which keywords of its own class does a text hold, the best first?"""

from __future__ import annotations

from ood.keywords import Keywords
from ood.words import forms

CONFUSING = 5  # how many top keywords of the other class an attack chooses from


def own_positions(text: str, label: str, keywords: Keywords) -> tuple[int, ...]:
    """Positions of the words that are keywords of `label`, by rank, then by position. Raises ValueError for an unknown label."""
    rank = {word: at for at, word in enumerate(keywords.of(label).words)}
    found = [(rank[word], position) for position, word in enumerate(forms(text)) if word in rank]
    return tuple(position for _, position in sorted(found))


def nothing_own(label: str) -> str:
    """Why a text without such words is not edited."""
    return f"no keyword of {label!r} in the text"
