"""How is one intent text made, given the label it is meant to have? Whether it has it is the parser's word, not this file's."""

from __future__ import annotations

import re

from xai.worlds import intent_phrases as phrases
from xai.worlds.intent_draw import Draw
from xai.worlds.intent_lexicon import FALLING, HEADS, LABELS, MASS, ONE, PARTICIPLES, SEVERAL, TURNED, Act, Topic

INTENTS: dict[str, tuple[Topic, Act]] = {label: intent for intent, label in LABELS.items()}
TOPICS: tuple[Topic, ...] = ("alarm", "music", "table", "weather")
ORDERED: tuple[Topic, ...] = ("alarm", "music", "table")  # topics that have words for acts
ACTS: tuple[Act, ...] = ("make", "ask", "undo")
SLOT = re.compile(r"{(\w+)}")


def intent_text(label: str, draw: Draw) -> str:
    """[bait] [opening] core [context] [bait] [closing] in varying dress, meant to have `label`. Raises KeyError for another label."""
    topic, act = INTENTS[label]
    core = _core(draw, topic, act)
    text = " ".join(part for part in (_opening(draw, core, act), core, _context(draw, topic, act)) if part)
    before = _bait(draw, topic, act, phrases.TOPIC_BAIT_BEFORE, phrases.ACT_BAIT_BEFORE)
    after = _bait(draw, topic, act, phrases.TOPIC_BAIT_AFTER, phrases.ACT_BAIT_AFTER)
    if before:
        leaning = before.split()[0] in phrases.SUBORDINATING
        text = before + draw.one_of((", ", " ") if leaning else (", ", " so ", " and ", ". ", " but ")) + text
    if after:
        text += draw.one_of((" ", ", ")) + after
    if draw.happens(draw.settings.politeness):
        text += " " + draw.one_of(phrases.CLOSINGS)
    return _dressed(draw, text, act)


def _opening(draw: Draw, core: str, act: Act) -> str:
    """A greeting, or the beginning of a request where the core is an order; empty when none is drawn."""
    if not draw.happens(draw.settings.politeness):
        return ""
    is_order = act != "ask" and core.split()[0] not in phrases.NOT_AN_ORDER
    return draw.one_of((*phrases.GREETINGS, *phrases.REQUESTS) if is_order else phrases.GREETINGS)


def _core(draw: Draw, topic: Topic, act: Act) -> str:
    """The phrase that is to decide."""
    settings = draw.settings
    if act == "ask":  # "did you cancel my alarm" asks, whatever was done
        return _filled(draw, draw.ranked(phrases.ASK[topic]), topic, draw.one_of(("make", "undo")))
    if topic == "alarm" and draw.happens(settings.waking):
        return draw.one_of(phrases.WAKE_MAKE if act == "make" else phrases.WAKE_UNDO)
    if topic in TURNED and draw.happens(settings.turning):
        return _filled(draw, draw.ranked(phrases.TURN_MAKE if act == "make" else phrases.TURN_UNDO), topic, act)
    if act == "undo" and draw.happens(settings.negation):
        return _filled(draw, draw.one_of(phrases.NEGATED), topic, "make")
    return _filled(draw, draw.weighted(phrases.MAKE if act == "make" else phrases.UNDO), topic, act)


def _context(draw: Draw, topic: Topic, act: Act) -> str:
    """What usually goes with the topic and with the act, or now and then with another one."""
    parts = []
    if draw.happens(draw.settings.context):
        parts.append(draw.one_of(phrases.TOPIC_CONTEXT[draw.one_of(TOPICS) if draw.happens(draw.settings.foreign_context) else topic]))
    if draw.happens(draw.settings.context):
        parts.append(draw.one_of(phrases.ACT_CONTEXT[draw.one_of(ACTS) if draw.happens(draw.settings.foreign_context) else act]))
    return _filled(draw, " ".join(parts), topic, act)


def _bait(draw: Draw, topic: Topic, act: Act, of_topic: tuple[str, ...], of_act: tuple[str, ...]) -> str:
    """A clause with words that would decide otherwise, elsewhere; empty when none is drawn."""
    if draw.happens(draw.settings.topic_bait):
        other = draw.one_of([one for one in ORDERED if one != topic])
        return _filled(draw, draw.one_of(of_topic), other, draw.one_of(("make", "undo")))
    if draw.happens(draw.settings.act_bait):
        subject = topic if topic in ORDERED else draw.one_of(ORDERED)
        wanted: Act = "undo" if act == "make" else "make" if act == "undo" else draw.one_of(("make", "undo"))
        return _filled(draw, draw.one_of(of_act), subject, wanted)
    return _filled(draw, draw.one_of(phrases.IDIOMS), topic, act) if draw.happens(draw.settings.idioms) else ""


def _filled(draw: Draw, template: str, topic: Topic, act: Act) -> str:
    return SLOT.sub(lambda slot: _slot(draw, slot[1], topic, act), template)


def _slot(draw: Draw, slot: str, topic: Topic, act: Act) -> str:
    """What a slot of `intent_phrases` holds this time. Raises ValueError for a slot that is not explained there."""
    match slot:
        case "one" | "the":
            return _one(draw, topic, definite=slot == "the")
        case "plural":
            return draw.ranked(SEVERAL[topic])
        case "noun":
            return draw.ranked(ONE[topic] or MASS[topic])
        case "head":
            return draw.ranked(HEADS[topic, act])
        case "done":
            return draw.ranked(PARTICIPLES[topic, act])
        case "falls":
            return draw.ranked(FALLING)
        case "person" | "number" | "clock":
            return draw.one_of({"person": phrases.PERSONS, "number": phrases.NUMBERS, "clock": phrases.CLOCKS}[slot])
        case _:
            raise ValueError(f"a slot must be one that intent_phrases explains, found {{{slot}}}")


def _one(draw: Draw, topic: Topic, definite: bool) -> str:
    """A noun with its article and perhaps an adjective."""
    mass = bool(MASS[topic]) and (not ONE[topic] or draw.happens(0.3))
    noun = draw.ranked(MASS[topic] if mass else ONE[topic])
    if draw.happens(draw.settings.adjectives):
        noun = f"{draw.one_of(phrases.ADJECTIVES)} {noun}"
    if definite:
        return f"{draw.one_of(('the', 'this') if mass else ('the', 'my', 'that', 'our'))} {noun}"
    article = "some" if mass else draw.one_of(("a", "a", "the", "my"))
    return f"{'an' if article == 'a' and noun[0] in 'aeiou' else article} {noun}"


def _dressed(draw: Draw, text: str, act: Act) -> str:
    """First letter and final mark, as people write or leave them."""
    mark = draw.one_of(("", "", ".", "!") if act != "ask" else ("", "", "?", "?", "."))
    return (text[0].upper() + text[1:] if draw.happens(0.3) else text) + mark
