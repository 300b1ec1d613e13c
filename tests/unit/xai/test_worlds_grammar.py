"""Is the truth of the grammar's world what its parser says it is, and do the texts keep their promises?"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from pydantic import ValidationError

from xai.worlds.grammar import HIDDEN, LABELS, GrammarSettings, Parse, certain, keeps_label, listing, parse, texts
from xai.worlds.intent_lexicon import ASKS, HEADS, MASS, ONE, PARTICIPLES, SEVERAL
from xai.worlds.intent_parser import read

# text, label, the words that decide it in the order of the text. Read by hand from the module docstring of intent_parser.
READ = [
    ("set an alarm for seven", "set_alarm", "set alarm"),
    ("wake me at seven", "set_alarm", "wake me"),
    ("when do you wake me", "query_alarm", "when wake me"),
    ("do not wake us", "remove_alarm", "not wake us"),
    ("did you set my alarm", "query_alarm", "did alarm"),
    ("did you cancel my alarm?", "query_alarm", "did alarm?"),
    ("Cancel, please, the ALARM!", "remove_alarm", "Cancel, ALARM!"),
    ("don't set an alarm", "remove_alarm", "don't set alarm"),
    ("don’t set an alarm", "remove_alarm", "don’t set alarm"),
    ("don't forget to set an alarm", "set_alarm", "set alarm"),
    ("turn off my alarm", "remove_alarm", "turn off alarm"),
    ("turn my alarm on", "set_alarm", "turn alarm on"),
    ("do not turn on the music", "stop_music", "not turn on music"),
    ("i want my table cancelled", "cancel_table", "want table cancelled"),
    ("i want a table for two booked", None, ""),  # the participle is three words after the noun
    ("is a table booked", None, ""),  # nobody wishes for it
    ("the table is booked", None, ""),
    ("book a table", "book_table", "book table"),
    ("cancel my table", "cancel_table", "cancel table"),
    ("cancel set an alarm", "set_alarm", "set alarm"),  # the nearer word counts
    ("set cancel an alarm", "remove_alarm", "cancel alarm"),
    ("play an alarm", None, ""),  # one cannot play an alarm
    ("set play an alarm", "set_alarm", "set alarm"),  # so it is passed over
    ("set music an alarm", None, ""),  # a word speaks of the first noun after it
    ("set an alarm when i say", "set_alarm", "set alarm"),  # an asking word after the noun asks nothing
    ("set an alarm when the music plays", "set_alarm query_music", ""),  # but before another noun it does: two frames
    ("which alarms are set", "query_alarm", "which alarms"),
    ("will it rain", "query_weather", "will rain"),
    ("what is the weather", "query_weather", "what weather"),
    ("set the weather", None, ""),
    ("don't cancel my table", None, ""),
    ("set one of the very loud alarm", None, ""),  # six words away
    ("set one of the loud alarm", "set_alarm", "set alarm"),  # five
    ("turn the alarm", None, ""),
    ("play a song and stop a song", "play_music stop_music", ""),
    ("stop the song on hold", "stop_music", "stop song"),
    ("wake the neighbours", None, ""),
    ("", None, ""),
    (" \t\n", None, ""),
    ("?!", None, ""),
    ("🎵 play 🎵 music 🎵", "play_music", "play music"),
    ("שלום עולם", None, ""),
]


@cache
def world() -> tuple[tuple[str, str], ...]:
    return tuple(texts(400, 3))


def without(text: str, hidden: set[int]) -> str:
    return " ".join(HIDDEN if at in hidden else word for at, word in enumerate(text.split()))


@pytest.mark.parametrize(("text", "label", "deciding"), READ, ids=[text or "nothing" for text, _, _ in READ])
def test_the_parser_reads_as_it_says(text: str, label: str | None, deciding: str) -> None:
    found = parse(text)
    if label is None or " " in label:  # no frame, or two
        assert found is None
    else:
        assert found is not None and found.label == label
        assert [text.split()[at] for at in found.decisive] == deciding.split()


def test_the_decisive_words_are_exactly_those_whose_hiding_takes_the_label_away() -> None:
    for text, label in world():
        truth = parse(text)
        assert truth is not None
        needed = {at for at in range(len(text.split())) if not keeps_label(label, without(text, {at}))}
        assert needed == set(truth.decisive), text


def test_the_decisive_words_alone_give_the_label_and_so_does_every_larger_set() -> None:
    rng = np.random.Generator(np.random.PCG64(0))
    for text, _ in world():
        truth = parse(text)
        assert truth is not None
        others = [at for at in range(len(text.split())) if at not in truth.decisive]
        assert parse(without(text, set(others))) == truth, text
        for _ in range(5):
            assert parse(without(text, {at for at in others if rng.random() < 0.5})) == truth, text


def test_no_smaller_set_than_the_decisive_words_gives_the_label() -> None:
    for text, label in world():
        truth = parse(text)
        assert truth is not None
        everything = set(range(len(text.split())))
        for size in range(len(truth.decisive)):
            for shown in combinations(truth.decisive, size):
                assert not keeps_label(label, without(text, everything - set(shown))), text


def test_every_text_has_the_label_it_is_listed_with_and_all_are_different() -> None:
    assert all(certain(text, label) for text, label in world())
    assert len({text for text, _ in world()}) == len(world())


def test_certain_refuses_a_text_where_a_second_word_would_do_as_well() -> None:
    assert parse("cancel remove my alarm") == Parse("remove_alarm", (1, 3))
    assert not certain("cancel remove my alarm", "remove_alarm")  # without `remove`, `cancel` decides the same
    assert not certain("set an alarm", "remove_alarm")
    assert certain("set remove my alarm", "remove_alarm")  # without `remove` it would be set_alarm


def test_labels_are_balanced_at_every_length() -> None:
    for n in (1, 10, 17, 400):
        counts = Counter(label for _, label in texts(n, 3))
        assert max(counts.values()) - min(counts[label] for label in LABELS) <= 1
    assert len(LABELS) == 10 and list(LABELS) == sorted(LABELS)


def test_the_same_seed_gives_the_same_texts_whatever_their_number_and_another_seed_others() -> None:
    assert texts(400, 3) == list(world())
    assert texts(37, 3) == list(world())[:37]
    assert not {text for text, _ in texts(100, 4)[:20]} >= {text for text, _ in world()[:20]}
    assert list(listing(3, 3)) == [(at, *world()[at]) for at in range(3)]


def test_no_text_of_the_defaults_changed() -> None:
    digest = hashlib.sha256(json.dumps(texts(200, 0)).encode()).hexdigest()
    assert digest[:16] == "41b4bb9240693ed0"


def test_every_synonym_that_can_decide_does_so_somewhere() -> None:
    """With flat frequencies, each deciding word of the lexicon decides at least one of 3,000 texts."""
    deciding = Counter[str]()
    for text, _ in texts(3000, 1, GrammarSettings(rarity=0.0)):
        truth = parse(text)
        assert truth is not None
        deciding.update(read(text.split()[at]) for at in truth.decisive)
    lexicon = {
        word for words in (*ONE.values(), *MASS.values(), *SEVERAL.values(), *HEADS.values(), *PARTICIPLES.values()) for word in words
    }
    assert sorted((lexicon | set(ASKS)) - set(deciding)) == []


def test_rarity_makes_late_synonyms_rarer() -> None:
    def share(rarity: float) -> float:
        found = [read(word) for text, _ in texts(300, 2, GrammarSettings(rarity=rarity)) for word in text.split()]
        return found.count("buzzer") / found.count("alarm")

    # weights of the fifth to the first synonym: 5 ** -0 = 1 and 5 ** -2 = 0.04; "wake" and plurals do not enter
    assert share(0.0) > 0.7
    assert share(2.0) < 0.1


@pytest.mark.parametrize("knob", ["topic_bait", "act_bait", "idioms"])
def test_bait_makes_texts_longer_and_takes_no_label_away(knob: str) -> None:
    bare = {"topic_bait": 0.0, "act_bait": 0.0, "idioms": 0.0}
    without_bait, with_bait = (texts(100, 5, GrammarSettings(**(bare | {knob: share}))) for share in (0.0, 1.0))
    words = [sum(len(text.split()) for text, _ in some) for some in (without_bait, with_bait)]
    assert words[1] > words[0] + 2 * 3 * 100  # two clauses of at least three words each
    assert all(keeps_label(label, text) for text, label in with_bait)


def test_settings_that_leave_too_few_texts_are_refused_with_advice() -> None:
    bare = GrammarSettings(
        topic_bait=0, act_bait=0, idioms=0, context=0, adjectives=0, politeness=0, waking=1, negation=0, turning=0, rarity=0
    )
    with pytest.raises(ValueError, match=r"must leave a new text for \w+ at ordinal \d+, found none"):
        texts(1000, 0, bare)  # "wake me" in four wordings: with and without a capital, with one of three marks


def test_numbers_that_are_not_are_refused() -> None:
    with pytest.raises(ValueError, match="n must be 0 or more"):
        texts(-1, 0)
    with pytest.raises(ValueError, match="seed must be 0 or more"):
        texts(1, -1)
    with pytest.raises(ValidationError):
        GrammarSettings(topic_bait=1.5)
    assert texts(0, 0) == []


def test_the_parser_reads_a_words_form_with_a_straight_apostrophe() -> None:
    assert [read(word) for word in ("“Alarm!”", "(don’t)", "STRASSE", "Straße", "6:30", "_", "")] == [
        "alarm",
        "don't",
        "strasse",
        "strasse",
        "6:30",
        "",
        "",
    ]
