"""How is a text edited so that everything but the touched words stays byte for byte, and how often is an edit drawn anew?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from models.words import word_spans
from ood.attacks.record import Attacked, Preserves
from ood.words import core

TRIES = 20  # draws per edit before it is given up


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit of one word, in positions of the original text.

    `at`: the word; to insert, the boundary before that word, and the number of words for the end of the text. `word`: the new one as
    written. The edits of one text are of one kind.
    """

    kind: Literal["insert", "replace", "delete"]
    at: int
    word: str = ""


# (edits so far, how many draws for the next one were refused) -> the next one; None when there is nothing left to edit
Propose = Callable[[tuple[Edit, ...], int], Edit | None]


def checked(values: Sequence[float], severity: int, text: str) -> float:
    """The value of `severity` (1 = first), after both were checked. Raises ValueError for another severity or anything but a string."""
    if not isinstance(text, str):
        raise ValueError(f"a text must be a string, found {type(text).__name__}: decode it first")
    if not isinstance(severity, (int, np.integer)) or not 1 <= severity <= len(values):
        raise ValueError(f"severity must be a whole number from 1 to {len(values)}, found {severity!r}")
    return values[severity - 1]


def unedited(text: str, why: str) -> Attacked:
    """A text that offers nothing to edit."""
    return Attacked(text, text, f"not_editable: {why}", ())


def attacked(text: str, count: int, propose: Propose, preserves: Preserves | None) -> Attacked:
    """`text` after up to `count` edits, made one after the other.

    Each is drawn up to `TRIES` times until `preserves` holds for the text with all edits so far; the edits end where no such one is
    found, so that a text is edited less rather than wrongly.
    """
    edits: tuple[Edit, ...] = ()
    while len(edits) < count and (edit := _next(text, edits, propose, preserves)) is not None:
        edits = (*edits, edit)
    if not edits:
        return unedited(text, "every edit tried changes the label")
    words = [text[start:end] for start, end in word_spans(text)]
    return Attacked(text, rendered(text, edits), "; ".join(_named(edit, words) for edit in edits), touched(edits))


def _next(text: str, edits: tuple[Edit, ...], propose: Propose, preserves: Preserves | None) -> Edit | None:
    for refused in range(TRIES):
        edit = propose(edits, refused)
        if edit is None or preserves is None or preserves(rendered(text, (*edits, edit))):
            return edit
    return None


def rendered(text: str, edits: tuple[Edit, ...]) -> str:
    """The edited text. An inserted word brings one space of its own; a deleted one takes the white space after it (the last: before it)."""
    places = word_spans(text)
    gaps = [text[end:start] for (_, end), (start, _) in pairwise(places)]
    words = [text[start:end] for start, end in places]
    before: list[list[str]] = [[] for _ in range(len(words) + 1)]
    kept = list(range(len(words)))
    for edit in edits:
        if edit.kind == "insert":
            before[edit.at].append(edit.word)
        elif edit.kind == "replace":
            words[edit.at] = edit.word
        else:
            kept.remove(edit.at)
    written = "".join("".join(f"{new} " for new in before[at]) + words[at] + (gaps[at] if at != kept[-1] else "") for at in kept)
    return text[: places[0][0]] + written + "".join(f" {new}" for new in before[-1]) + text[places[-1][1] :]


def touched(edits: tuple[Edit, ...]) -> tuple[int, ...]:
    """Ascending positions: of inserted words in the edited text, of others in the original (which they keep when replaced)."""
    places = sorted(edit.at for edit in edits)
    return tuple(at + rank for rank, at in enumerate(places)) if edits[0].kind == "insert" else tuple(places)


def dressed(word: str, new: str) -> str:
    """`new` in place of the word's core: with its outer punctuation, capitalised or in capitals as that was."""
    start, end = core(word, (0, len(word)))
    old = word[start:end]
    if old[:1].isupper():
        new = new.upper() if len(old) > 1 and old.isupper() else new[:1].upper() + new[1:]
    return word[:start] + new + word[end:]


def _named(edit: Edit, words: Sequence[str]) -> str:
    if edit.kind == "insert":
        return f"insert {edit.word!r} before word {edit.at}"
    old = f"word {edit.at} {words[edit.at]!r}"
    return f"delete {old}" if edit.kind == "delete" else f"{old} to {edit.word!r}"
