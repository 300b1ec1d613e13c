"""What are the units of a text? Its words: the longest runs of characters that are not white space."""

from __future__ import annotations

import re

Span = tuple[int, int]

# Exactly str.isspace, which `\s` of `re` is for str patterns.
_WORD = re.compile(r"\S+")


def word_spans(text: str) -> tuple[Span, ...]:
    """(start, end) of every word in code points, in order: `text[start:end]` is the word to the last character.

    White space is what `str.isspace` says; zero-width and combining characters, emoji and any script are parts of words, and a run of
    punctuation is a word. No word (empty, or white space alone): an empty tuple.
    """
    return tuple(match.span() for match in _WORD.finditer(text))
