"""Which columns of a table hold the texts, and which their labels? Said by the user, or told by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lake.errors import ConfigError

# Names that people give to the columns, the reader's own first: where it stands, no other counts.
TEXTS = (
    "text", "sentence", "utterance", "query", "question", "content", "document", "review", "comment", "message", "tweet", "body",
    "title", "description", "phrase", "input",
)  # fmt: skip
LABELS = (
    "label", "labels", "class", "class_name", "class_index", "category", "target", "intent", "sentiment", "topic", "emotion", "output",
)  # fmt: skip
Given = Mapping[str, str | None]  # `text` and `label` as the user named them
NOT_SAID: Given = {"text": None, "label": None}
OPTIONS = {"text": "--text", "label": "--label"}


@dataclass(frozen=True)
class Roles:
    """The columns of the texts and of the labels, as the table spells them."""

    text: str
    label: str


def roles_of(file: str, header: Sequence[str], given: Given) -> Roles | None:
    """The columns of a table with this header; None where one of them is not there. `given`: `text` and `label` as the user named them.

    Raises ConfigError where several columns could be the one, with the option that says which.
    """
    found = {role: given[role] or _told(file, header, role) for role in OPTIONS}
    text, label = found["text"], found["label"]
    if text is None or label is None or header.count(text) != 1 or header.count(label) != 1 or text == label:
        return None
    return Roles(text, label)


def _told(file: str, header: Sequence[str], role: str) -> str | None:
    if header.count(role) == 1:
        return role
    names = text_names(header) if role == "text" else label_names(header)
    if len(names) > 1:
        raise ConfigError(
            f"{file} must have one column that holds the {role}s, found {', '.join(names)} among {', '.join(header)}: say which with "
            f"{OPTIONS[role]} COLUMN"
        )
    return names[0] if names else None


def text_names(header: Sequence[str]) -> list[str]:
    """The columns whose names are those of texts."""
    return [name for name in header if _plain(name) in TEXTS]


def label_names(header: Sequence[str]) -> list[str]:
    """The columns whose names are those of labels."""
    return [name for name in header if _plain(name) in LABELS]


def _plain(name: str) -> str:
    return re.sub(r"[\s\-.]+", "_", name.strip()).casefold()


def unclear(headers: Mapping[str, Sequence[str]], given: Given) -> ConfigError:
    """What to say where no table has both columns."""
    shown = "; ".join(f"{file} has {', '.join(header) or 'none'}" for file, header in list(headers.items())[:3])
    wanted = " and ".join(f"{given[role]!r}" if given[role] else f"a {role}" for role in OPTIONS)
    return ConfigError(
        f"a table must have columns for {wanted}: {shown}. Name them with --text COLUMN and --label COLUMN; a file without a first line of "
        f"names needs one"
    )
