"""How do the bytes of a text become the text, and when do they not? What `models.decode` is for pictures.

A text is kept exactly as read: no Unicode normalisation, no trimming, no change of case, so that spans of words lead back to the source.
What may surprise a reader of it is noted, never changed: characters that are not seen (`format_characters`: zero-width, joiners, marks of
direction), other control characters than tab and line ends (`control_characters`), and letters in another spelling than NFC (`not_nfc`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from models.errors import RejectedInput

LINE_ENDS_AND_TAB = frozenset("\t\n\r")
BLANK = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})  # general categories of characters that leave nothing on the page
# Of other categories, what is not drawn by itself: Default_Ignorable_Code_Point of Unicode 15.1 (DerivedCoreProperties.txt; joiners,
# Hangul fillers, variation selectors, …), and the Braille pattern without a dot.
UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]")


@dataclass(frozen=True)
class TextLimits:
    """The largest text that becomes an example, in bytes of UTF-8: 10,000 words of any script with a wide margin."""

    max_bytes: int = 1_000_000


@dataclass(frozen=True)
class TextContent:
    """A text as read, and what was seen in it."""

    text: str
    notes: tuple[str, ...]


def decode_text(content: bytes, limits: TextLimits) -> TextContent:
    """The text in `content`, whole and unchanged: encoding it gives the same bytes.

    Raises RejectedInput: `too_large` (by length), `invalid_utf8` (surrogates and overlong forms too), `nul`, `empty_text` (no character
    that is seen: white space, control, zero-width and other default-ignorable characters are none).
    """
    if len(content) > limits.max_bytes:
        raise too_large(len(content), limits.max_bytes)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        found = f"byte 0x{content[error.start]:02x} at {error.start:,}: {error.reason}"
        raise RejectedInput("invalid_utf8", f"a text must be UTF-8, found {found}. Convert the file to UTF-8.") from error
    if "\0" in text:
        raise RejectedInput("nul", f"a text must hold no NUL character, found one at character {text.index(chr(0)):,}")
    characters = set(text)
    kinds = {unicodedata.category(character) for character in characters}
    if all(unicodedata.category(character) in BLANK or UNSEEN.match(character) for character in characters):
        found = f"{len(text):,} characters of white space or none that is seen" if text else "nothing"
        raise RejectedInput("empty_text", f"a text must hold a character that is seen, found {found}")
    return TextContent(text, _notes(text, characters, kinds))


def too_large(found: int, limit: int) -> RejectedInput:
    """The refusal of a text of `found` bytes."""
    return RejectedInput("too_large", f"a text must be at most {limit:,} bytes, found {found:,}: raise decode.max_text_bytes")


def _notes(text: str, characters: set[str], kinds: set[str]) -> tuple[str, ...]:
    notes = []
    if any(unicodedata.category(character) == "Cc" for character in characters - LINE_ENDS_AND_TAB):
        notes.append("control_characters")
    if "Cf" in kinds:
        notes.append("format_characters")
    if not unicodedata.is_normalized("NFC", text):
        notes.append("not_nfc")
    return tuple(notes)
