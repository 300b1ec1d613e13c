"""A world of intent texts in which the words that decide are known: texts, labels, and the truth that explanations are scored against.

`parse` is the truth (see `intent_parser`). Ten intents in four topics: set_alarm, query_alarm and remove_alarm share their nouns, their
contexts and even their verbs ("did you set my alarm"), and differ by one or two words; so do those of music and of tables. Other words of a
text are bait: nouns and verbs of other intents that decide nothing where they stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from xai.worlds.intent_draw import Draw, GrammarSettings
from xai.worlds.intent_lexicon import LABELS as _INTENTS
from xai.worlds.intent_maker import intent_text
from xai.worlds.intent_parser import HIDDEN, Parse, certain, parse

__all__ = ["DEFAULT", "HIDDEN", "LABELS", "GrammarSettings", "Parse", "certain", "keeps_label", "listing", "parse", "texts"]

LABELS: tuple[str, ...] = tuple(sorted(_INTENTS.values()))
DEFAULT = GrammarSettings()
TRIES = 200  # a text that is uncertain or was there before is drawn again; more than this means that the settings leave too few texts


def texts(n: int, seed: int, settings: GrammarSettings = DEFAULT) -> list[tuple[str, str]]:
    """The first `n` (text, label) of this seed, all different, labels in turn: their counts differ by one at most.

    `texts(m)` is a prefix of `texts(n)` for m < n. Every text is `certain`: hiding any decisive word changes the parser's answer, hiding
    any other one does not. Raises ValueError for a negative `n` or seed, and when the settings leave too few different texts.
    """
    if n < 0:
        raise ValueError(f"n must be 0 or more texts, found {n}")
    return list(islice(_endless(seed, settings), n))


def listing(n: int, seed: int, settings: GrammarSettings = DEFAULT) -> Iterator[tuple[int, str, str]]:
    """(ordinal, text, label) of the same texts, from 0: what a reader of bronze lists."""
    return ((ordinal, text, label) for ordinal, (text, label) in enumerate(texts(n, seed, settings)))


def keeps_label(label: str, text: str) -> bool:
    """True when the parser gives `text` this label; `functools.partial(keeps_label, label)` is the `preserves` of an attack."""
    found = parse(text)
    return found is not None and found.label == label


def _endless(seed: int, settings: GrammarSettings) -> Iterator[tuple[str, str]]:
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, found {seed}")
    seen: set[str] = set()
    ordinal = 0
    while True:
        label = LABELS[ordinal % len(LABELS)]
        text = _new(label, seed, ordinal, settings, seen)
        seen.add(text)
        yield text, label
        ordinal += 1


def _new(label: str, seed: int, ordinal: int, settings: GrammarSettings, seen: set[str]) -> str:
    """A certain text that was not there before, drawn from a generator of its own: a function of (seed, ordinal) and the texts before."""
    draw = Draw(np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, ordinal]))), settings)
    for _ in range(TRIES):
        text = intent_text(label, draw)
        if text not in seen and certain(text, label):
            return text
    raise ValueError(
        f"the settings must leave a new text for {label} at ordinal {ordinal}, found none in {TRIES} draws: ask for fewer texts, "
        f"or raise contexts, baits or adjectives"
    )
