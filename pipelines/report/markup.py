"""How does text of strangers become part of the page without being obeyed? Everything is escaped that is not made here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape

from pipelines.visible import visible

LONGEST = 120  # characters of one name on the page; of a text more are asked for
SPACE = re.compile(r"\s+")
VOID = frozenset({"meta"})  # of HTML; in a drawing every element is closed


class Markup(str):
    """A piece of the page that is safe as it stands. Only `tag`, `joined` and files of this package make one."""

    __slots__ = ()


Content = Markup | str | int | None


def safe(text: str) -> str:
    """The text on one line, with what a browser would obey instead of showing (control characters, marks that turn the reading direction)
    written as an escape. Letters of right-to-left scripts stay as they are."""
    return visible(SPACE.sub(" ", text))


def clipped(text: str, longest: int = LONGEST) -> str:
    """At most `longest` characters; an ellipsis says that there were more."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def joined(parts: Iterable[Content]) -> Markup:
    """All parts behind each other; plain text among them is escaped, None is nothing."""
    return Markup("".join(part if isinstance(part, Markup) else escape(str(part)) for part in parts if part is not None))


def tag(name: str, attributes: Mapping[str, object] | None = None, *content: Content) -> Markup:
    """One element. Attributes that are None are left out, True stands alone; plain text, here and there, is escaped."""
    given = "".join(
        f" {key}" if value is True else f' {key}="{escape(str(value))}"' for key, value in (attributes or {}).items() if value is not None
    )
    return Markup(f"<{name}{given}>") if name in VOID else Markup(f"<{name}{given}>{joined(content)}</{name}>")


def data(text: object, longest: int = LONGEST) -> Markup:
    """Text out of a table: its own direction kept to itself, cut where it is long, the start of the rest in its tooltip."""
    whole = safe(str(text))
    short = clipped(whole, longest)
    return tag("bdi", {"title": clipped(whole, 1000) if short != whole else None}, short)


def paragraph(*content: Content, kind: str | None = None) -> Markup:
    """A paragraph, of a class where one is named."""
    return tag("p", {"class": kind}, *content)
