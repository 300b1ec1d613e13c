"""Does this folder hold pictures or texts, and which?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lake.errors import ConfigError, MissingInputError
from pipelines.init.manifest import has_captioned
from pipelines.init.source import Seen, look
from pipelines.init.text_columns import NOT_SAID, Given
from pipelines.init.text_source import TEXT_LAYOUTS, look_texts, table_root


def look_any(folder: Path, given: Given = NOT_SAID) -> Seen:
    """What the folder holds. Named columns, a table in a folder's place, or one with a column `text` that names its pictures mean texts;
    else pictures go before texts, but for a few in folders beside a table of more texts (plots beside train.csv).

    Raises as `look` and `look_texts`; without either, MissingInputError names the layouts of both.
    """
    if any(given.values()) or table_root(folder) != folder or (folder.is_dir() and has_captioned(folder)):
        return _texts(folder, given)
    try:
        pictures = look(folder)
    except MissingInputError as error:
        texts = look_texts(folder) if folder.is_dir() else None
        if texts is None:
            raise MissingInputError(f"{error} {TEXT_LAYOUTS}." if folder.is_dir() else str(error)) from error
        return texts
    texts = _beside(folder) if pictures.source["reader"] == "folder" else None
    if texts is None or texts.n_examples <= pictures.n_examples:
        return pictures
    ignored = f"{pictures.n_examples:,} pictures in folders are ignored; move the tables away to read those"
    return replace(texts, warning="; ".join(filter(None, (texts.warning, ignored))))


def _texts(folder: Path, given: Given) -> Seen:
    found = look_texts(folder, given)
    if found is None:
        raise MissingInputError(f"{folder} must hold labelled texts, found none. {TEXT_LAYOUTS}.")
    return found


def _beside(folder: Path) -> Seen | None:
    """The texts of tables beside pictures, where their columns are clear."""
    try:
        found = look_texts(folder)
    except (ConfigError, MissingInputError):
        return None
    return found if found is not None and found.source["reader"] == "table" else None
