"""What does an intent text ask for, and which of its words decide that? The definition of truth of the grammar's world.

Nothing here knows how a text was made. A *frame* is a topic noun with the words that say what is wanted of it:

- asked:   a question word before the noun ("when is my *alarm* set", also "*did* you cancel my *alarm*");
- ordered: a word for an act before the noun ("*set* an *alarm*"), turned round by a negation right before a word for making
  ("*don't* *set* an *alarm*"); for `turn`, the particle right after it or after the noun says which act ("*turn* the *music* *off*");
- wished:  a wish before and a participle after the noun ("i *want* my *alarm* *cancelled*");
- waking:  "*wake* *me*" by itself, which can be negated and asked about ("*when* do you *wake* *me*").

The first of these that applies is the noun's frame. A word speaks of the first topic noun after it, and of none that is more than `WINDOW`
words away; a noun listens to the nearest such word that means something for its topic. A text has a label exactly if it holds one frame.
All else (stray nouns, stray acts, question words after the noun) decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from xai.words import form
from xai.worlds.intent_lexicon import (
    ASKS,
    FALLING,
    HEADS,
    LABELS,
    MASS,
    NEGATIONS,
    ONE,
    PARTICIPLES,
    PARTICLES,
    SEVERAL,
    TURNED,
    TURNS,
    WAKE,
    WISHES,
    WOKEN,
    Act,
    Topic,
)

WINDOW = 5  # words from a word to the noun it speaks of
AFTER = 2  # words from a noun to its participle
HIDDEN = "_"  # stands for a hidden word: no form, so it means nothing

_TOPIC: dict[str, Topic] = {noun: topic for nouns in (ONE, SEVERAL, MASS) for topic, words in nouns.items() for noun in words}
_TOPIC |= dict.fromkeys(FALLING, "weather")
_ACT: dict[tuple[str, Topic], Act] = {(word, topic): act for (topic, act), words in HEADS.items() for word in words}
_DONE: dict[tuple[str, Topic], Act] = {(word, topic): act for (topic, act), words in PARTICIPLES.items() for word in words}
_ASKS, _WISHES = frozenset(ASKS), frozenset(WISHES)


class Parse(NamedTuple):
    """What a text asks for: its label, and the positions of the words that decide it, ascending, from 0.

    Alone they give the label; without any one of them the text no longer has it (texts of `grammar.texts`, see there).
    """

    label: str
    decisive: tuple[int, ...]


def read(word: str) -> str:
    """The word as the parser reads it: its form (`xai.words.form`), with a straight apostrophe."""
    return form(word).replace("’", "'")


def parse(text: str) -> Parse | None:
    """Label and decisive positions of `text`, or None when it asks for nothing or for more than one thing.

    Words are maximal runs of characters that are not white space. Deterministic; any string is accepted.
    """
    frames = list(_frames([read(word) for word in text.split()]))
    return frames[0] if len(frames) == 1 else None


def certain(text: str, label: str) -> bool:
    """True when the text has this label, loses it with any one decisive word, and keeps both with any one other word hidden."""
    truth = parse(text)
    if truth is None or truth.label != label:
        return False
    words = text.split()
    hidden = (parse(" ".join([*words[:at], HIDDEN, *words[at + 1 :]])) for at in range(len(words)))
    return all((found is None or found.label != label) if at in truth.decisive else found == truth for at, found in enumerate(hidden))


def _frames(forms: Sequence[str]) -> Iterator[Parse]:
    previous = -1
    for noun, word in enumerate(forms):
        waking = word == WAKE and noun + 1 < len(forms) and forms[noun + 1] in WOKEN
        topic = "alarm" if waking else _TOPIC.get(word)
        if topic is None:
            continue
        near = range(noun - 1, max(previous, noun - 1 - WINDOW), -1)  # nearest first
        frame = _waking(forms, noun, near) if waking else _named(forms, noun, topic, near)
        if frame is not None:
            yield frame
        previous = noun


def _waking(forms: Sequence[str], wake: int, near: Iterable[int]) -> Parse:
    """The frame of "wake me": asked about, negated, or ordered by itself."""
    asking = _first(forms, near, _ASKS)
    if asking is not None:
        return _parse("alarm", "ask", asking, wake, wake + 1)
    if wake > 0 and forms[wake - 1] in NEGATIONS:
        return _parse("alarm", "undo", wake - 1, wake, wake + 1)
    return _parse("alarm", "make", wake, wake + 1)


def _named(forms: Sequence[str], noun: int, topic: Topic, near: Iterable[int]) -> Parse | None:
    """The frame of a topic noun: asked, else ordered, else wished, else none."""
    asking = _first(forms, near, _ASKS)
    if asking is not None:
        return _parse(topic, "ask", asking, noun)
    for at in near:
        particle = _particle(forms, at, noun) if forms[at] in TURNS and topic in TURNED else None
        act = PARTICLES[forms[particle]] if particle is not None else _ACT.get((forms[at], topic))
        if act is not None:
            return _ordered(forms, topic, act, (at, noun) if particle is None else (at, particle, noun))
    return _wished(forms, noun, topic, near)


def _ordered(forms: Sequence[str], topic: Topic, act: Act, words: tuple[int, ...]) -> Parse | None:
    """The frame of an order, its first word being the act's; with a negation right before that, the opposite or (undoing) nothing."""
    before = words[0] - 1
    if before < 0 or forms[before] not in NEGATIONS:
        return _parse(topic, act, *words)
    return _parse(topic, "undo", before, *words) if act == "make" else None


def _particle(forms: Sequence[str], turn: int, noun: int) -> int | None:
    """Where `turn on the music` or `turn the music on` has its particle; None without one."""
    return next((at for at in (turn + 1, noun + 1) if at < len(forms) and forms[at] in PARTICLES), None)


def _wished(forms: Sequence[str], noun: int, topic: Topic, near: Iterable[int]) -> Parse | None:
    wish = _first(forms, near, _WISHES)
    if wish is None:
        return None
    for at in range(noun + 1, min(noun + 1 + AFTER, len(forms))):
        if (forms[at], topic) in _DONE:
            return _parse(topic, _DONE[forms[at], topic], wish, noun, at)
    return None


def _first(forms: Sequence[str], near: Iterable[int], words: frozenset[str]) -> int | None:
    return next((at for at in near if forms[at] in words), None)


def _parse(topic: Topic, act: Act, *decisive: int) -> Parse:
    return Parse(LABELS[topic, act], tuple(sorted(decisive)))
