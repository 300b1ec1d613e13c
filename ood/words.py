"""Which words stand in a text, and where is what an attack may edit of them?"""

from __future__ import annotations

from models.words import Span, word_spans
from xai import words


def core(text: str, span: Span) -> Span:
    """The part of a word's span without its outer punctuation (`xai.words.core`)."""
    start, end = words.core(text[slice(*span)])
    return span[0] + start, span[0] + end


def forms(text: str) -> tuple[str, ...]:
    """The form (`xai.words.form`) of every word of `text`, in order."""
    return tuple(words.form(text[start:end]) for start, end in word_spans(text))
