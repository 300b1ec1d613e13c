"""Is a text kept to the last byte, and what cannot be one refused with its reason?"""

from __future__ import annotations

import pytest

from lake.identity import content_id
from models.errors import RejectedInput
from models.text_content import TextLimits, decode_text

FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"  # woman, joiner, woman, joiner, girl: five code points, one picture
STRANGE = {
    "emoji": f"pay {FAMILY} now \U0001f44d\U0001f3fd",
    "right_to_left": "שלום \u202bعَرَبِيّ\u202c \u200fok",
    "zero_width": "pass\u200bword \u2060join\ufeffed",
    "combining": "nai\u0308ve re\u0301sume\u0301 Z\u0351\u036b\u0343",
    "homoglyphs": "раура1 and paypal, Ａ and A",  # Cyrillic letters in the first word
    "white_space": "\u00a0 two\u2003spaces\t\r\n\x0b\x0c\u2028end \n",
    "byte_order_mark": "\ufeffat the start",
    "unassigned": "\u0378 \ue000 \U0010ffff",
}


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
def test_a_text_is_what_was_read_to_the_last_byte(text: str) -> None:
    content = text.encode()
    found = decode_text(content, TextLimits())
    assert found.text == text
    assert found.text.encode() == content


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("plain\twith line\r\nends", ()),
        ("na\u00efve, שלום, 支払い", ()),
        ("nai\u0308ve", ("not_nfc",)),  # i and a combining mark, where NFC has one letter
        ("\u212b", ("not_nfc",)),  # the Angstrom sign is another spelling of Å
        (FAMILY, ("format_characters",)),  # held together by joiners
        ("pass\u200bword", ("format_characters",)),
        ("\u202egnp.exe", ("format_characters",)),  # right-to-left override
        ("bell\x07 and \x85", ("control_characters",)),
        ("\x1b[1m\u200bi\u0308", ("control_characters", "format_characters", "not_nfc")),
    ],
)
def test_what_may_surprise_is_noted(text: str, notes: tuple[str, ...]) -> None:
    assert decode_text(text.encode(), TextLimits()).notes == notes


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        (b"", "empty_text", "found nothing"),
        (b" \t\r\n", "empty_text", "found 4 characters"),
        ("\u00a0\u3000\u2028\u200b\ufeff\x1f".encode(), "empty_text", "found 6 characters"),  # no-break, ideographic, zero-width space
        *(
            (character.encode() * 2 + b" ", "empty_text", "found 3 characters")  # nothing that is seen, though no white space
            for character in "\ufe0f\u034f\U000e0100\u3164\u2800\u115f\u1160\uffa0\u17b4\u180b\u2065\ufff0\U000e0001\u00ad"
        ),
        (b"caf\xe9", "invalid_utf8", "byte 0xe9 at 3"),  # Latin-1
        (b"caf\xc3", "invalid_utf8", "unexpected end of data"),
        (b"\xc0\xaf", "invalid_utf8", "byte 0xc0 at 0"),  # an overlong slash
        (b"\xed\xa0\x80", "invalid_utf8", "byte 0xed at 0"),  # a surrogate
        ("hello".encode("utf-16"), "invalid_utf8", "byte 0xff at 0"),
        (b"a\0b", "nul", "character 1"),
        (b"\0", "nul", "character 0"),
    ],
)
def test_what_cannot_be_a_text_is_refused_with_its_reason(content: bytes, code: str, reason: str) -> None:
    with pytest.raises(RejectedInput, match=reason) as refusal:
        decode_text(content, TextLimits())
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "text", ["word", "?!", "…", "\u0301", "\u2764\ufe0f", "\u2801", "가", "\U0001f44d", "0", "a" * 60_000, "word " * 10_000]
)
def test_short_strange_and_long_texts_are_texts(text: str) -> None:
    assert decode_text(text.encode(), TextLimits()).text == text


def test_the_limit_is_in_bytes_and_judged_before_anything_is_read() -> None:
    limits = TextLimits(max_bytes=6)
    assert decode_text("äöü".encode(), limits).text == "äöü"
    for content in ("äöüs".encode(), b"\xff" * 7, b" " * 7):
        with pytest.raises(RejectedInput, match=r"at most 6 bytes, found 7: raise decode\.max_text_bytes") as refusal:
            decode_text(content, limits)
        assert refusal.value.code == "too_large"


def test_two_spellings_of_one_word_are_two_contents() -> None:
    spellings = {content_id("text", decode_text(text.encode(), TextLimits()).text.encode()) for text in ("naïve", "nai\u0308ve", "naive")}
    assert len(spellings) == 3
