"""Does every attack obey the laws that the ood layer relies on?"""

from __future__ import annotations

import pkgutil
import re
from itertools import product
from typing import Any

import numpy as np
import pytest

from models.words import word_spans
from ood import attacks
from ood.attacks import ATTACKS, CHARACTER, KEYWORD, Attack, Attacked, attack, by_name
from ood.words import core
from tests.unit.ood.attack_world import KEYWORDS, TEXTS, WITHOUT_WORDS, generator, made
from xai.words import form

CELLS = [pytest.param(record, severity, id=f"{record.name}-{severity}") for record in ATTACKS for severity in record.severities]
MEMBERS = [pytest.param(record, id=record.name) for record in ATTACKS]
DRAWS_NOTHING = {"keyword_deletion"}
LONG = " ".join(["set an alarm for the early hour please"] * 1250)  # 10,000 words


def words(text: str) -> list[str]:
    return [text[start:end] for start, end in word_spans(text)]


def gaps(text: str) -> list[str]:
    """The white space before, between and after the words."""
    return re.split(r"\S+", text)


def restored(found: Attacked, kind: str) -> str:
    """The original, from the edited text and what is said to be touched: fails to be it when any other character moved."""
    if kind == "keyword_addition":
        edited, places = found.edited, word_spans(found.edited)
        for at in reversed(found.positions):  # an inserted word goes with the space after it, at the end with the one before it
            start, end = places[at]
            last = all(later in found.positions for later in range(at, len(places)))
            edited = edited[: start - 1] + edited[end:] if last else edited[:start] + edited[end + 1 :]
        return edited
    before, after = words(found.original), words(found.edited)
    if kind == "keyword_deletion":
        kept = [at for at in range(len(before)) if at not in found.positions]
        assert after == [before[at] for at in kept]
        between = gaps(found.original)
        expected = between[0] + "".join(before[at] + (between[at + 1] if at != kept[-1] else "") for at in kept) + between[-1]
        return found.original if found.edited == expected else found.edited
    spots = iter([before[at] if at in found.positions else word for at, word in enumerate(after)])
    return re.sub(r"\S+", lambda _: next(spots), found.edited)


def test_every_module_of_the_room_stands_in_the_tuple_under_its_own_name() -> None:
    modules = {module.name for module in pkgutil.iter_modules(attacks.__path__) if not module.name.startswith("_")} - {"record"}
    assert [record.name for record in ATTACKS] == [record.function.__name__ for record in ATTACKS]
    assert {record.name for record in ATTACKS} == modules
    assert len(ATTACKS) == len(modules)


def test_the_names_that_sql_users_know_are_pinned() -> None:
    assert KEYWORD == ("keyword_addition", "keyword_replacement", "keyword_deletion")
    assert CHARACTER == ("typos", "case_noise", "homoglyphs")


@pytest.mark.parametrize("record", MEMBERS)
def test_each_attack_has_three_severities_with_their_values_and_words(record: Attack) -> None:
    assert record.severities == (1, 2, 3)
    assert [record.value(severity) for severity in (1, 2, 3)] == ([1, 2, 3] if record.family == "keyword" else [0.1, 0.2, 0.4])
    assert [record.impact(severity) for severity in (1, 2, 3)] == ["shallow", "medium", "heavy"]


@pytest.mark.parametrize(("record", "severity"), CELLS)
def test_everything_but_the_touched_words_stays_byte_for_byte(record: Attack, severity: int) -> None:
    for key, text in product(range(6), TEXTS):
        found = made(record, text, severity, key)
        assert found.original == text
        assert list(found.positions) == sorted(set(found.positions))
        assert all(0 <= at < len(words(text if record.name == "keyword_deletion" else found.edited)) for at in found.positions)
        assert restored(found, record.name) == text
        if record.name not in ("keyword_addition", "keyword_deletion"):
            assert gaps(found.edited) == gaps(text)


@pytest.mark.parametrize(("record", "severity"), CELLS)
def test_a_touched_word_is_changed_and_an_unedited_text_says_why(record: Attack, severity: int) -> None:
    for text in TEXTS:
        found = made(record, text, severity)
        assert found.is_edited == (found.edited != text) == bool(found.positions)
        assert found.rule.startswith("not_editable: ") != found.is_edited
        assert found.edited.strip()
        if found.is_edited:
            assert found.rule.count("; ") == len(found.positions) - 1
        if found.is_edited and record.name not in ("keyword_addition", "keyword_deletion"):
            assert all(words(text)[at] != words(found.edited)[at] for at in found.positions)


@pytest.mark.parametrize(("record", "severity"), CELLS)
def test_a_text_without_words_stays_as_it_is(record: Attack, severity: int) -> None:
    for text in WITHOUT_WORDS:
        found = made(record, text, severity)
        assert (found.edited, found.positions) == (text, ())
        assert found.rule.startswith("not_editable: ")


@pytest.mark.parametrize(("record", "severity"), CELLS)
def test_the_same_generator_state_gives_the_same_edit_and_another_one_another(record: Attack, severity: int) -> None:
    first = [made(record, text, severity, 1) for text in TEXTS]
    assert first == [made(record, text, severity, 1) for text in TEXTS]
    assert (first != [made(record, text, severity, 2) for text in TEXTS]) == (record.name not in DRAWS_NOTHING)


@pytest.mark.parametrize("record", MEMBERS)
def test_the_number_of_edits_grows_with_severity_and_is_the_stated_one_where_the_text_offers_it(record: Attack) -> None:
    for text in TEXTS:
        numbers = [len(made(record, text, severity, 3).positions) for severity in record.severities]
        assert numbers == sorted(numbers)
    # eleven words, all of them with letters, seven of them keywords: 10, 20, 40 % of 11 rounded up are 2, 3, 5
    numbers = [len(made(record, TEXTS[2], severity, 3).positions) for severity in record.severities]
    assert numbers == ([1, 2, 3] if record.family == "keyword" else [2, 3, 5])


@pytest.mark.parametrize(("record", "severity"), CELLS)
def test_what_must_hold_is_asked_of_every_edited_text_and_holds(record: Attack, severity: int) -> None:
    def long_enough(text: str) -> bool:
        return "alarm" in [form(word) for word in words(text)]

    for key in range(20):
        found = made(record, TEXTS[2], severity, key, long_enough)
        assert long_enough(found.edited)
        assert found.is_edited


@pytest.mark.parametrize(("record", "severity"), CELLS)
def test_where_nothing_may_change_nothing_is_and_where_all_may_the_edit_is_the_plain_one(record: Attack, severity: int) -> None:
    for key, text in enumerate(TEXTS):
        refused = made(record, text, severity, key, lambda _: False)
        assert (refused.edited, refused.positions) == (text, ())
        assert made(record, text, severity, key, lambda _: True) == made(record, text, severity, key)
    assert made(record, TEXTS[0], severity, 0, lambda _: False).rule == "not_editable: every edit tried changes the label"


@pytest.mark.parametrize(("record", "severity"), CELLS)
def test_the_keywords_are_not_edited(record: Attack, severity: int) -> None:
    before = KEYWORDS.model_dump_json()
    made(record, TEXTS[2], severity)
    assert before == KEYWORDS.model_dump_json()


@pytest.mark.parametrize(("record", "severity"), CELLS)
def test_ten_thousand_words_are_edited_like_ten(record: Attack, severity: int) -> None:
    found = made(record, LONG, severity)
    assert len(found.positions) == (severity if record.family == "keyword" else {1: 1000, 2: 2000, 3: 4000}[severity])
    assert restored(found, record.name) == LONG


@pytest.mark.parametrize("record", MEMBERS)
def test_a_severity_that_does_not_exist_is_refused(record: Attack) -> None:
    beyond: tuple[Any, ...] = (-1, 0, 4, 1.5, "1", None)
    for severity in beyond:
        with pytest.raises(ValueError, match="severity must be"):
            made(record, "set", severity)
        with pytest.raises(ValueError, match="severity must be"):
            record.value(severity)


@pytest.mark.parametrize("record", MEMBERS)
def test_anything_but_a_string_is_refused(record: Attack) -> None:
    wrong: tuple[Any, ...] = (b"set", None, ["set"])
    for text in wrong:
        with pytest.raises(ValueError, match="a text must be a string"):
            made(record, text, 1)


@pytest.mark.parametrize("name", KEYWORD)
def test_a_label_without_keywords_is_not_edited_and_an_unknown_one_is_refused(name: str) -> None:
    found = attack("set an alarm", name, "silent", 1, generator(0), KEYWORDS)
    assert found.is_edited == (name == "keyword_addition")  # it takes the other class's words
    with pytest.raises(ValueError, match="label must be one of the 3"):
        attack("set an alarm", name, "Set", 1, generator(0), KEYWORDS)


def test_an_unknown_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(ValueError, match="did you mean typos"):
        by_name("typo")
    with pytest.raises(ValueError, match="use one of keyword_addition, keyword_replacement"):
        by_name("qqqq")


def test_attack_is_the_named_function() -> None:
    assert attack(TEXTS[2], "typos", "set", 2, generator(6), KEYWORDS) == made(by_name("typos"), TEXTS[2], 2, 6)


def test_a_record_needs_one_word_of_impact_per_severity() -> None:
    typos = by_name("typos")
    with pytest.raises(ValueError, match=r"one entry per severity \(3\), found 1"):
        Attack("typos", typos.function, typos.family, typos.parameter, typos.values, ("hard",), typos.paper)


@pytest.mark.parametrize("record", [record for record in ATTACKS if record.family == "character" or record.name == "keyword_replacement"])
def test_outer_punctuation_of_a_touched_word_stays(record: Attack) -> None:
    for key in range(20):
        found = made(record, "¿Set? (alarm), “early”!", 3, key)
        for old, new in zip(words(found.original), words(found.edited), strict=True):
            (start, end), (new_start, new_end) = core(old, (0, len(old))), core(new, (0, len(new)))
            assert (old[:start], old[end:]) == (new[:new_start], new[new_end:])


def test_numpy_integers_are_severities_too() -> None:
    assert made(by_name("typos"), TEXTS[0], int(np.int64(2))) == by_name("typos").function(
        TEXTS[0], "set", np.int64(2), generator(0), KEYWORDS, None
    )
