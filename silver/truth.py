"""Which words of a text decide its label, where the makers of the data know it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from models.any_scoring import Included
from models.words import word_spans
from xai.worlds.grammar import parse

Decisive = Bool[NDArray[np.bool_], " words"]


class Truth(Protocol):
    """(text, its true label) -> which of the text's words (`models.words.word_spans`) decide; None where that is not known.

    A function of its arguments alone, at the top of a module: it travels to workers by name.
    """

    def __call__(self, text: str, label: str) -> Decisive | None: ...


def grammar(text: str, label: str) -> Decisive | None:
    """What the grammar's own parser says (`xai.worlds.grammar`); None for a text that it reads as another label's, or as none's."""
    found = parse(text)
    if found is None or found.label != label:
        return None
    decisive = np.zeros(len(word_spans(text)), dtype=bool)
    decisive[list(found.decisive)] = True
    return decisive


# Name in the configuration -> its truth. Adding one = one function and one line.
TRUTHS: Mapping[str, Truth] = {"grammar": grammar}


def truth_named(name: str | None) -> Truth | None:
    """The truth of this name, None for None. Raises ValueError for a name that nobody knows."""
    if name is not None and name not in TRUTHS:
        raise ValueError(f"truth must be one of {', '.join(TRUTHS)}, found {name!r}")
    return None if name is None else TRUTHS[name]


def decisive_words(truth: Truth, texts: Sequence[str], labels: Sequence[str], included: Included) -> Included:
    """bool[texts, words]: True on the words that decide. False throughout where the truth is not known, and where a word that decides
    stands behind the model's limit: half a truth is none. Raises ValueError for a truth of too few words."""
    found = np.zeros_like(included)
    for row, (text, label) in enumerate(zip(texts, labels, strict=True)):
        decisive = truth(text, label)
        if decisive is None:
            continue
        inside = int(included[row].sum())
        if len(decisive) < inside:
            raise ValueError(f"a truth must say of each word whether it decides, found {len(decisive)} answers for {inside} words")
        if not decisive[inside:].any():
            found[row, included[row]] = decisive[:inside]
    return found
