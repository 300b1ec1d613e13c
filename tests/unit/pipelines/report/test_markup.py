"""Is text of strangers shown and never obeyed?"""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from pipelines.report.charts.svg import text
from pipelines.report.figures import number, percent, percent_within, signed
from pipelines.report.markup import Markup, data, joined, paragraph, tag


class Seen(HTMLParser):
    """The elements and the text that a parser finds."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.text = ""
        self.feed(markup)

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append(name)

    def handle_data(self, text: str) -> None:
        self.text += text


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "\"' onload=alert(1) x=", "</title></svg><img src=x>", "&lt;b&gt;"])
def test_what_is_markup_elsewhere_is_text_here(hostile: str):
    for made in (paragraph(hostile), data(hostile), tag("p", {"title": hostile}, hostile), text(0, 0, hostile, "name")):
        seen = Seen(made)
        assert len(seen.elements) == 1 and seen.text == hostile


def test_a_text_is_escaped_once_and_a_piece_of_the_page_not_again():
    assert joined(["a<b", tag("i", None, "c&d"), None]) == "a&lt;b<i>c&amp;d</i>"
    assert isinstance(joined([]), Markup)


def test_marks_that_turn_directions_are_named_and_letters_stay():
    seen = Seen(data("\u202eabc \u05d0\u05d1\u2066"))
    assert seen.text == "\\u202eabc \u05d0\u05d1\\u2066" and seen.elements == ["bdi"]  # the element keeps the letters' direction to itself


def test_control_characters_are_written_as_escapes_and_white_space_is_one_space():
    assert Seen(data("a\x00b\x1b[31m\t\n c\x7f")).text == "a\\x00b\\x1b[31m c\\x7f"


def test_a_long_text_is_cut_and_says_so():
    seen = Seen(data("x" * 10_000, 50))
    assert seen.text == "x" * 49 + "…"
    assert len(data("x" * 10_000, 50)) < 1200  # 50 shown, 1,000 in the tooltip, the rest is markup


def test_numbers_say_what_is_missing():
    # By hand: a real minus is U+2212; -0.0004 to three decimals is no negative zero.
    assert [number(value) for value in (None, float("nan"), -0.0004, -1.5)] == ["–", "–", "0.000", "\u22121.500"]
    assert [signed(value, 1) for value in (0.04, 2.0, -2.0, None)] == ["0.0", "+2.0", "\u22122.0", "–"]
    assert (percent(0.1234), percent_within(0.1, None), percent_within(0.1, 0.25)) == ("12.3 %", "–", "10.0 to 25.0 %")
