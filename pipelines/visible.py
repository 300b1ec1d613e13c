"""How is a text of strangers (a folder's name, a line of a file) shown in a terminal?"""

from __future__ import annotations


def visible(text: str) -> str:
    """The text on one line, with everything that a terminal would obey instead of showing written as an escape, such as \\x1b."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
