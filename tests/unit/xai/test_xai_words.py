"""Words are one where they differ by case or by the punctuation around them, and nowhere else."""

from __future__ import annotations

import pytest

from xai.words import core, form


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Card!", "card"),
        ("«card»", "card"),
        ("“'Card?!'”", "card"),
        ("Straße,", "strasse"),  # casefold, not lower
        ("don't", "don't"),
        ("don’t", "don’t"),  # another apostrophe is another character
        ("(e\u0301)", "e\u0301"),  # the accent stays with its letter
        ("6:30", "6:30"),
        ("£5", "£5"),  # a symbol is no punctuation
        ("7%", "7"),
        ("👍🏽!", "👍🏽"),
        ("...", ""),  # punctuation alone is no word
        ("_", ""),
        ("", ""),
    ],
)
def test_a_form_is_casefolded_without_outer_punctuation(word: str, expected: str) -> None:
    assert form(word) == expected
    start, end = core(word)
    assert word[start:end].casefold() == expected and 0 <= start <= end <= len(word)
