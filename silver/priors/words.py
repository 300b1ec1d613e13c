"""Which words does a prior have a number for? The same as everything else that explains texts: those of models.words."""

from __future__ import annotations

from models.words import word_spans


def words_of(text: str) -> tuple[str, ...]:
    """The words as they stand in the text, none where it holds white space alone."""
    return tuple(text[start:end] for start, end in word_spans(text))
