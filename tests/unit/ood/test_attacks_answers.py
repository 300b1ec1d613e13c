"""Does each attack do what its docstring says? Against texts edited by hand, all outcomes counted out, and digests that pin every byte."""

from __future__ import annotations

import hashlib
import json
import unicodedata

import pytest

from ood.attacks import ATTACKS, Attack, attack
from ood.attacks._edits import dressed
from ood.attacks.case_noise import recased
from ood.attacks.homoglyphs import LOOK_ALIKES, disguised
from ood.attacks.typos import slip
from ood.keywords import Keywords
from tests.unit.ood.attack_world import KEYWORDS, TEXTS, generator, made, of_class

MANY = 400  # draws; the rarest outcome counted out below has a chance of 1/12 or more, so missing it has one of 1e-15
SPACED = "  Set\tan  (early)  ALARM, for 7!\n"

GOLDEN = {
    "keyword_addition": "13426ce9c50d7a91",
    "keyword_replacement": "f0ab76336fa7a788",
    "keyword_deletion": "f5177b2d34bbee40",
    "typos": "5151fbb54040041b",
    "case_noise": "66b1621ae2a42ca9",
    "homoglyphs": "39d144aa67abe849",
}


def table(own: str, other: str, neutral: tuple[str, ...] = ()) -> Keywords:
    classes = (of_class("set", own, "cancel"), of_class("cancel", other, "set"))
    return Keywords(settings=KEYWORDS.settings, classes=classes, neutral=neutral)


def outcomes(name: str, text: str, severity: int, keywords: Keywords) -> set[str]:
    return {attack(text, name, "set", severity, generator(key), keywords).edited for key in range(MANY)}


@pytest.mark.parametrize(
    ("text", "severity", "edited", "positions"),
    # keywords of `set` in rank order: set alarm wake hour early morning
    [
        (SPACED, 1, "  an  (early)  ALARM, for 7!\n", (0,)),
        (SPACED, 2, "  an  (early)  for 7!\n", (0, 3)),
        (SPACED, 3, "  an  for 7!\n", (0, 2, 3)),
        ("for my alarm", 1, "for my", (2,)),  # the last word takes the space before it
        ("for early alarm \n", 2, "for \n", (1, 2)),
        ("set set set", 1, "set set", (0,)),
        ("set set set", 3, "set", (0, 1)),  # one word stays
        ("alarm set", 2, "alarm", (1,)),
    ],
)
def test_deletion_by_hand(text: str, severity: int, edited: str, positions: tuple[int, ...]) -> None:
    found = attack(text, "keyword_deletion", "set", severity, generator(0), KEYWORDS)
    assert (found.edited, found.positions) == (edited, positions)


def test_deletion_takes_the_next_best_keyword_where_the_best_must_stay() -> None:
    found = attack(
        "set an early alarm", "keyword_deletion", "set", 3, generator(0), KEYWORDS, lambda text: "set" in text and "alarm" in text
    )
    assert (found.edited, found.positions, found.rule) == ("set an alarm", (2,), "delete word 2 'early'")


def test_deletion_leaves_the_only_word_and_texts_without_own_keywords() -> None:
    assert attack("!! alarm ?", "keyword_deletion", "set", 1, generator(0), KEYWORDS).rule == "not_editable: the only word of the text"
    assert attack("drop it", "keyword_deletion", "set", 1, generator(0), KEYWORDS).rule == "not_editable: no keyword of 'set' in the text"


def test_addition_puts_the_word_at_each_boundary() -> None:
    one = table("set", "drop")
    assert outcomes("keyword_addition", " a\tb", 1, one) == {" drop a\tb", " a\tdrop b", " a\tb drop"}
    assert attack("a b", "keyword_addition", "set", 3, generator(0), one).positions in {(0,), (1,), (2,)}  # one word to insert, once


def test_addition_of_two_words_counts_positions_in_the_edited_text() -> None:
    two = table("set", "drop off")
    expected = {"drop off a", "off drop a", "drop a off", "off a drop", "a drop off", "a off drop"}
    assert outcomes("keyword_addition", "a", 2, two) == expected
    for key in range(MANY):
        found = attack("a", "keyword_addition", "set", 2, generator(key), two)
        assert [found.edited.split()[at] for at in found.positions] in (["drop", "off"], ["off", "drop"])


def test_addition_takes_the_five_best_words_of_the_other_class_that_are_not_own_ones() -> None:
    keywords = table("set alarm", "c1 alarm c2 c3 c4 c5 c6")
    inserted = {edited.split()[0] for edited in outcomes("keyword_addition", "a", 1, keywords)} - {"a"}
    assert inserted == {"c1", "c2", "c3", "c4", "c5"}
    assert (
        attack("a", "keyword_addition", "set", 1, generator(0), table("set", "set")).rule == "not_editable: no confusing keyword for 'set'"
    )


def test_replacement_swaps_the_best_keyword_for_a_confusing_or_a_neutral_word() -> None:
    keywords = table("set alarm", "drop", ("the",))
    assert outcomes("keyword_replacement", "an (Alarm), set it", 1, keywords) == {"an (Alarm), drop it", "an (Alarm), the it"}
    second = {f"an ({new}), {old} it" for new in ("Drop", "The") for old in ("drop", "the")}
    assert outcomes("keyword_replacement", "an (Alarm), set it", 2, keywords) == second
    confusing = [attack("set", "keyword_replacement", "set", 1, generator(key), keywords).edited for key in range(MANY)].count("drop")
    assert 150 <= confusing <= 250  # a fair coin: 200 of 400, five standard deviations of 10


def test_replacement_takes_the_next_best_keyword_where_the_best_must_stay() -> None:
    keywords = table("set alarm", "drop")
    found = attack("set my alarm", "keyword_replacement", "set", 1, generator(0), keywords, lambda text: text.startswith("set"))
    assert (found.edited, found.positions, found.rule) == ("set my drop", (2,), "word 2 'alarm' to 'drop'")
    assert attack("set", "keyword_replacement", "set", 1, generator(0), table("set", "set")).rule.endswith(
        "no confusing or neutral word is known"
    )


@pytest.mark.parametrize(
    ("word", "new", "expected"),
    [
        ("alarm", "off", "off"),
        ("Alarm", "off", "Off"),
        ("ALARM", "off", "OFF"),
        ("(Alarm)?", "off", "(Off)?"),
        ("I", "off", "Off"),
        ("7", "off", "off"),
    ],
)
def test_a_new_word_is_dressed_like_the_old_one(word: str, new: str, expected: str) -> None:
    assert dressed(word, new) == expected


def test_all_slips_of_a_short_word() -> None:
    # second letter: dropped, doubled, swapped with the third, hit one to the right (nothing is left of `a`);
    # third: dropped, doubled, hit one to either side; it has no right neighbour to swap with
    slips = {"ct", "caat", "cta", "cst", "ca", "catt", "car", "cay"}
    assert {slip("cat", generator(key)) for key in range(MANY)} == slips
    assert {slip("CAT", generator(key)) for key in range(MANY)} == {word.upper() for word in slips}


def test_a_slip_never_gives_the_word_back() -> None:
    assert all(slip(word, generator(key)) != word for word in ("aaa", "o'clock", "שלום", "a\u0301b") for key in range(MANY))


def test_words_of_fewer_than_three_letters_are_not_misspelt() -> None:
    for key in range(MANY):
        found = attack("go to 12345 an alarm", "typos", "set", 3, generator(key), KEYWORDS)
        assert found.positions == (4,)


def test_all_cases_of_a_short_word() -> None:
    assert {recased("ab", generator(key)) for key in range(MANY)} == {"Ab", "AB", "aB"}
    assert {recased("aß1", generator(key)) for key in range(MANY)} == {"Aß1"}  # the other case of ß would be two letters


@pytest.mark.parametrize("text", TEXTS)
def test_case_noise_keeps_the_casefolded_text(text: str) -> None:
    for severity in (1, 2, 3):
        found = attack(text, "case_noise", "set", severity, generator(severity), KEYWORDS)
        assert found.edited.casefold() == text.casefold()


def test_all_disguises_of_a_short_word() -> None:
    assert {disguised("ox1", generator(key)) for key in range(MANY)} == {"\u043ex1", "o\u04451"}


def test_look_alikes_are_latin_letters_and_cyrillic_ones_each_once() -> None:
    assert all(unicodedata.name(letter).startswith("LATIN") for letter in LOOK_ALIKES)
    assert all(unicodedata.name(twin).startswith("CYRILLIC") for twin in LOOK_ALIKES.values())
    assert len(set(LOOK_ALIKES.values())) == len(LOOK_ALIKES) == 25
    assert all(letter.isupper() == twin.isupper() for letter, twin in LOOK_ALIKES.items())


@pytest.mark.parametrize("text", TEXTS)
def test_a_disguised_text_looks_the_same_and_one_letter_per_touched_word_is_another(text: str) -> None:
    back = str.maketrans({twin: letter for letter, twin in LOOK_ALIKES.items()})
    found = attack(text, "homoglyphs", "set", 3, generator(0), KEYWORDS)
    assert found.edited.translate(back) == text
    assert sum(old != new for old, new in zip(text, found.edited, strict=True)) == len(found.positions)


def test_less_is_edited_rather_than_wrongly() -> None:
    # at most one of the three words may be inserted
    found = attack("a b c", "keyword_addition", "set", 3, generator(1), KEYWORDS, lambda text: len(text.split()) <= 4)
    assert len(found.positions) == 1 and len(found.edited.split()) == 4


@pytest.mark.parametrize("record", ATTACKS, ids=lambda record: record.name)
def test_no_attack_changed_a_byte(record: Attack) -> None:
    """A change of these moves every stored row: it belongs into CHANGELOG.md and into the settings hash of the ood rows."""
    assert digest(record) == GOLDEN[record.name]


def digest(record: Attack) -> str:
    """First 16 hex digits of the sha256 of what the attack makes of the awkward texts."""
    found = [made(record, text, severity, 7) for text in TEXTS for severity in record.severities]
    return hashlib.sha256(json.dumps([(one.edited, one.rule, one.positions) for one in found]).encode()).hexdigest()[:16]
