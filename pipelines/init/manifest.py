"""Is a table a list of pictures, or does it hold texts and a column that is only called so?"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bronze.options import ManifestOptions
from bronze.readers import list_source
from bronze.settings import DecodeSettings, SourceSettings
from pipelines.init.headers import header_of
from pipelines.init.text_columns import label_names, text_names

SUFFIXES = (".csv", ".tsv", ".parquet")
# Names that people give to the columns, the reader's own first.
PATH_COLUMNS = ("path", "file", "filename", "file_name", "filepath", "image", "image_path")
LABEL_COLUMNS = ("label", "class", "class_name", "category", "target", "species")
TEXT = "text"  # the one name that means nothing else: a description or a title may well stand beside a picture


@dataclass(frozen=True)
class Candidate:
    """A table whose header names a picture and a label. `source`: keys for the reader `manifest`. `text`: a column that may hold texts, ""
    without one; `names_pictures`: at least one of the pictures it names is there (not looked at without such a column)."""

    source: dict[str, Any]
    text: str
    names_pictures: bool

    @property
    def holds_texts(self) -> bool:
        """A column `text` says so; a column that may hold texts does where no picture is there."""
        return self.text == TEXT or bool(self.text and not self.names_pictures)


def manifest_of(root: Path) -> dict[str, Any] | None:
    """The `source` keys for the first table directly below the root that lists pictures; the reader's default name goes first."""
    return next((found.source for found in _candidates(root) if not found.holds_texts), None)


def has_captioned(root: Path) -> bool:
    """Does a table with a column `text` name pictures that are there, and no table lists pictures alone? Then they belong to its texts."""
    candidates = _candidates(root)
    return all(found.holds_texts for found in candidates) and any(found.names_pictures for found in candidates)


def _candidates(root: Path) -> list[Candidate]:
    files = sorted(path for path in root.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    found = (_candidate(root, path) for path in sorted(files, key=lambda path: path.stem != "manifest"))
    return [candidate for candidate in found if candidate is not None]


def _candidate(root: Path, path: Path) -> Candidate | None:
    header = header_of(path)
    picture = next((name for name in PATH_COLUMNS if header.count(name) == 1), None)
    label = next((name for name in LABEL_COLUMNS if header.count(name) == 1), None)
    if not picture or not label:
        return None
    usual = ManifestOptions().model_dump()
    told = {key: value for key, value in (("file", path.name), ("path", picture), ("label", label)) if value != usual[key]}
    source = {"reader": "manifest"} | ({"manifest": told} if told else {})
    texts = text_names(header) if label_names([label]) else []
    text = next((TEXT for name in texts if name.casefold() == TEXT), next(iter(texts), ""))
    return Candidate(source, text, bool(text) and _names_pictures(root, source))


def _names_pictures(root: Path, source: dict[str, Any]) -> bool:
    settings = SourceSettings(root=str(root), **source)
    named = (found for found in list_source(settings, root, DecodeSettings().max_bytes) if found.error_code is None)
    return any(found.location.lower().endswith(settings.suffixes) and os.path.isfile(root / found.location) for found in named)
