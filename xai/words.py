"""When are two words of a text the same word?"""

from __future__ import annotations

import unicodedata


def core(word: str) -> tuple[int, int]:
    """(start, end) of a word without its outer punctuation (Unicode categories P*); empty, at the word's end, for punctuation alone."""
    start, end = 0, len(word)
    while start < end and _is_punctuation(word[start]):
        start += 1
    while end > start and _is_punctuation(word[end - 1]):
        end -= 1
    return start, end


def form(word: str) -> str:
    """What makes two words one: casefolded, without outer punctuation; empty for punctuation alone, which is no word."""
    start, end = core(word)
    return word[start:end].casefold()


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character).startswith("P")
