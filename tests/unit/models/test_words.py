"""Words are the units of a text: do their spans give them back to the last character?"""

from __future__ import annotations

import pytest

from models.words import word_spans

TEXTS = [
    ("card", ["card"]),
    ("...", ["..."]),
    ("  my\tcard\n was　lost ", ["my", "card", "was", "lost"]),  # the fourth gap is an ideographic space
    ("thumbs 👍🏽 up 👨‍👩‍👧", ["thumbs", "👍🏽", "up", "👨‍👩‍👧"]),  # joiners keep a family one word
    ("שלום עולם", ["שלום", "עולם"]),
    ("e\u0301te\u0301 zero\u200bwidth \u200b", ["e\u0301te\u0301", "zero\u200bwidth", "\u200b"]),  # zero-width space is no white space
    ("pаypal", ["pаypal"]),  # the first a is Cyrillic
    ("a\u00a0b\x1cc", ["a", "b", "c"]),  # no-break space and file separator are white space to str
]


@pytest.mark.parametrize(("text", "words"), TEXTS)
def test_spans_give_every_word_back_exactly_and_what_is_between_them_is_white_space(text: str, words: list[str]) -> None:
    spans = word_spans(text)
    assert [text[start:end] for start, end in spans] == words
    between = text
    for start, end in reversed(spans):
        between = between[:start] + between[end:]
    assert between == "" or between.isspace()


@pytest.mark.parametrize("text", ["", " ", "\n\t\u2003"])
def test_a_text_without_a_word_has_no_span(text: str) -> None:
    assert word_spans(text) == ()


def test_ten_thousand_words_have_ten_thousand_spans() -> None:
    spans = word_spans("word " * 10_000)
    assert (len(spans), spans[-1]) == (10_000, (49_995, 49_999))
