"""What can be said about a query before an engine sees it? That it only reads, and which tables it names."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches

from lake.spec import LAYERS

READING = ("SELECT", "WITH", "SHOW", "DESCRIBE", "DESC")
_LEADING = re.compile(r"\s+|--[^\n]*(?:\n|$)|/\*.*?\*/", re.DOTALL)
_QUALIFIED = re.compile(rf"""(?<![\w.])["`]?({"|".join(LAYERS)})["`]?\s*\.\s*["`]?(\w+)""", re.IGNORECASE)
_AFTER_FROM = re.compile(r"""\b(?:from|join|describe|desc)\s+(?:table\s+)?([\w."`]+)""", re.IGNORECASE)


def first_word(text: str) -> str:
    """The first word behind white space and comments, in capitals; empty when there is none."""
    position = 0
    while match := _LEADING.match(text, position):
        position = match.end()
    word = re.compile(r"\w+").match(text, position)
    return word[0].upper() if word else ""


def percent_coded(path: str) -> bool:
    """True for a path with % and two hex digits: deltalake 1.6.6 would look for another one, decoded."""
    return re.search(r"%[0-9A-Fa-f]{2}", path) is not None


def refusal(text: str) -> str | None:
    """Why this text is not run, or None. The engines look again, at the parsed statement."""
    word = first_word(text)
    if word in READING:
        return None
    found = repr(word) if word else "no statement"
    return f"a query must begin with {', '.join(READING)} and only read; found {found}. Tables are written by `assay run` alone"


def wanted(text: str) -> set[str] | None:
    """Full names of what the query may read (too many do no harm); None for all, where it asks what there is."""
    names = {f"{layer}.{name}".lower() for layer, name in _QUALIFIED.findall(text)}
    return None if not names and first_word(text) in ("SHOW", "DESCRIBE", "DESC") else names


def unknown_names(text: str, registered: Collection[str]) -> list[str]:
    """Names the query reads from that mean nothing in this lake, in order."""
    named = [re.sub(r'["`]', "", name).lower() for name in _AFTER_FROM.findall(text)]
    return [name for name in dict.fromkeys(named) if name and name not in registered]


def advice(unknown: Sequence[str], existing: Sequence[str], specified: Collection[str]) -> str:
    """What to do about unknown names: not computed yet, or which names are near; then all names of this lake."""
    lines = []
    for name in unknown:
        if name in specified:
            lines.append(f"{name} is not in this lake yet: `assay run` makes it.")
            continue
        near = get_close_matches(name, existing, n=3) or _near_bare(name, existing)
        lines.append(f"{name} is no table of this lake{': did you mean ' + ' or '.join(near) + '?' if near else '.'}")
    return "\n".join([*lines, f"In this lake: {', '.join(sorted(existing)) or 'nothing'}."])


def _near_bare(name: str, existing: Sequence[str]) -> list[str]:
    """Full names whose part behind the layer is near: for those who forgot the layer, or guessed it."""
    bare = {other.partition(".")[2] for other in existing}
    near = get_close_matches(name.rpartition(".")[2], sorted(bare), n=3)
    return [other for wanted_name in near for other in existing if other.partition(".")[2] == wanted_name]
