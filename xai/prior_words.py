"""Which words does a prior rest on in each class, and are they those that tell a class from the one it is confused with?

Words are compared by their form (xai.words): "Card!" and "card" are one, and punctuation alone is none. An example's words stand in a
list, one per included unit, in order.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from xai.metrics.shares import shares
from xai.ragged import by_size
from xai.units import BatchIncluded, BatchUnits, PerRow, finite_rows
from xai.words import form

Words = Sequence[Sequence[str]]
Top = tuple[tuple[str, float], ...]

TOP = 10  # CAP: top-10 overlap per class
LEAST_SHARE = 0.05  # of a class's texts: below, a word is chance and not the class's


def top_words(values: BatchUnits, words: Words, labels: Sequence[str], included: BatchIncluded, k: int = TOP) -> dict[str, Top]:
    """class -> its k best words with scores, best first, ties by alphabet; fewer where fewer words have a score above 0.

    A word's score is its share of an example's prior (|a| / Σ|a|, all its places added), averaged over the class's examples, 0 where it
    does not occur: in [0, 1], summing to 1 over all words of a class but for what lies on punctuation alone. Examples with a non-finite
    prior are left out. Raises ValueError when words or labels do not fit.
    """
    scores: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    examples: Counter[str] = Counter()
    for label, own, mass in _by_example(values, words, labels, included):
        examples[label] += 1
        for word, share in zip(own, mass, strict=True):
            if word:
                scores[label][word] += float(share)
    best = {label: sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:k] for label, found in scores.items()}
    return {label: tuple((word, score / examples[label]) for word, score in best[label] if score > 0.0) for label in sorted(best)}


def top_overlap(one: Top, other: Top) -> float:
    """Words in both lists / words of the longer list, in [0, 1]: the share in common of two full lists. Null (NaN) if both are empty."""
    longer = max(len(one), len(other))
    return len({word for word, _ in one} & {word for word, _ in other}) / longer if longer else float("nan")


def mean_overlap(one: Mapping[str, Top], other: Mapping[str, Top]) -> float:
    """`top_overlap` of two sources averaged over the classes that either has a list of, in [0, 1]; NaN without any such class."""
    found = [top_overlap(one.get(label, ()), other.get(label, ())) for label in sorted(one.keys() | other.keys())]
    known = [overlap for overlap in found if not math.isnan(overlap)]
    return sum(known) / len(known) if known else float("nan")


def class_words(words: Words, labels: Sequence[str], least_share: float = LEAST_SHARE) -> dict[str, frozenset[str]]:
    """class -> the words that stand in at least `least_share` of its texts (and in one at least). Give it training texts alone."""
    if len(words) != len(labels):
        raise ValueError(f"every text needs a label, got {len(words)} texts and {len(labels)} labels")
    texts = Counter(labels)
    held: dict[str, Counter[str]] = {label: Counter() for label in sorted(texts)}
    for own, label in zip(words, labels, strict=True):
        held[label].update({form(word) for word in own} - {""})
    return {label: frozenset(word for word, n in found.items() if n >= least_share * texts[label]) for label, found in held.items()}


@dataclass(frozen=True)
class Homogeneity:
    """Mean share of prior mass over `n` examples of two classes, on words of both and on words of one alone; NaN when n is 0.

    What is left to 1 lies on words that belong to neither. Prior mass on shared words cannot tell the two classes apart.
    """

    shared_mass: float
    discriminating_mass: float
    n: int


def masses(
    values: BatchUnits, words: Words, included: BatchIncluded, one: AbstractSet[str], other: AbstractSet[str]
) -> tuple[PerRow, PerRow]:
    """Each example's share of |prior| on words in both sets, and on words in exactly one of them; both in [0, 1], [batch].

    NaN for a non-finite prior; an all-zero one counts as uniform. `one` and `other` are two classes' entries of `class_words`.
    """
    found = np.full((len(values), 2), np.nan)
    for row, (_, own, mass) in zip(_known(values, included), _by_example(values, words, [""] * len(values), included), strict=True):
        shared = np.array([word in one and word in other for word in own])
        either = np.array([word in one or word in other for word in own])
        found[row] = mass[shared].sum(), mass[either & ~shared].sum()
    return found[:, 0], found[:, 1]


def homogeneity(
    values: BatchUnits,
    words: Words,
    labels: Sequence[str],
    included: BatchIncluded,
    by_class: Mapping[str, AbstractSet[str]],
    pair: tuple[str, str],
) -> Homogeneity:
    """Mean masses of all examples of the two classes of `pair`; `by_class` from `class_words`. Raises ValueError when it lacks one."""
    if missing := [label for label in pair if label not in by_class]:
        raise ValueError(f"class words must be known for both classes, lacking {', '.join(missing)}; take them from class_words")
    rows = [row for row, label in enumerate(labels) if label in pair]
    one, other = (by_class[label] for label in pair)
    shared, discriminating = masses(values[rows], [words[row] for row in rows], included[rows], one, other)
    known = np.isfinite(shared)
    if not known.any():
        return Homogeneity(float("nan"), float("nan"), 0)
    return Homogeneity(float(shared[known].mean()), float(discriminating[known].mean()), int(known.sum()))


def _known(values: BatchUnits, included: BatchIncluded) -> list[int]:
    return np.flatnonzero(finite_rows(values, included)).tolist()


def _by_example(
    values: BatchUnits, words: Words, labels: Sequence[str], included: BatchIncluded
) -> Iterator[tuple[str, list[str], PerRow]]:
    """Label, the forms of the words and shares of every example with a finite prior, in order."""
    sizes = included.sum(axis=1).tolist()
    if [len(own) for own in words] != sizes or len(labels) != len(sizes):
        raise ValueError(f"every example needs a label and one word per included unit, got {len(words)} lists and {len(labels)} labels")
    mass: dict[int, PerRow] = {}
    for group in by_size(included):
        mass |= dict(zip(group.rows.tolist(), shares(group.of_units(values)), strict=True))
    for row in _known(values, included):
        yield labels[row], [form(word) for word in words[row]], mass[row]
