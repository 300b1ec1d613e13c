"""Where are the words of a text, and when are two of them the same word?"""

from __future__ import annotations

import re
import unicodedata

Span = tuple[int, int]
_WORD = re.compile(r"\S+")


def spans(text: str) -> tuple[Span, ...]:
    """(start, end) in characters of every word of `text`, in order: maximal runs of characters that are not white space."""
    return tuple(found.span() for found in _WORD.finditer(text))


def core(text: str, span: Span) -> Span:
    """The part of a span without its outer punctuation (Unicode categories P*); empty, at the span's end, for punctuation alone."""
    start, end = span
    while start < end and _is_punctuation(text[start]):
        start += 1
    while end > start and _is_punctuation(text[end - 1]):
        end -= 1
    return start, end


def form(word: str) -> str:
    """What makes two words one: casefolded, without outer punctuation; empty for punctuation alone."""
    start, end = core(word, (0, len(word)))
    return word[start:end].casefold()


def forms(text: str) -> tuple[str, ...]:
    """The form of every word of `text`, in order."""
    return tuple(form(text[start:end]) for start, end in spans(text))


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character).startswith("P")
