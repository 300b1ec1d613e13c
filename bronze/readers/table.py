"""Which texts are in the records of CSV, TSV, JSON lines or Parquet files?"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from bronze.readers.checks import checked
from bronze.readers.columns import Columns, columns_of
from bronze.readers.files import existing_root, resolved_inside
from bronze.readers.record_file import FORMATS, record_file
from bronze.readers.records import Record, references, unnamed_files
from bronze.readers.texts import text_of
from bronze.readers.walk import Found, walk
from bronze.reference import Listing, Reference, escaped, printable
from lake.errors import MissingInputError

if TYPE_CHECKING:
    from bronze.settings import SourceSettings

SHARD = re.compile(r"-\d{5}-of-\d{5}$", re.ASCII)  # train-00000-of-00003.parquet is a part of train


def listing(settings: SourceSettings, root: Path) -> Listing:
    """One reference per record of the files that the settings name, `file#ordinal`, file by file; other files are ignored.

    The source split is the record's own, else the file's name without suffix and shard number. Texts are read to find their records,
    and judged in the ingest. Codes: those of `records.references` (ids are unique within a file) and `checks.checked`, `bad_record` for
    what is no record of the file's columns, and the walk's for a file that a pattern names. Raises MissingInputError without the root or
    where a name or pattern finds no file, ConfigError when a file lacks a column or cannot be read.
    """
    real_root = existing_root(root)
    files = _files(settings.table.files, real_root)
    return Listing(lambda: _references(settings, real_root, files))


def _references(settings: SourceSettings, root: Path, files: tuple[Found, ...]) -> Iterator[Reference | None]:
    for found in files:
        location = escaped(found.path)
        if found.kind == "refused":
            yield Reference(location, location).refused(found.code, found.message)
            continue
        for reference in references(location, _records(settings, root, found.path), settings.table.text):
            yield checked(reference, settings)
    yield from unnamed_files(root, {escaped(found.path) for found in files})


def _records(settings: SourceSettings, root: Path, file: str) -> Iterator[Record]:
    own, split = settings.table, split_of_file(file)
    columns = columns_of(printable(file), "source.table", {"text": own.text}, own.label, own.split, own.id, own.metadata)
    for record in record_file(resolved_inside(root, escaped(file)), columns):
        yield record if record.split else replace(record, split=split)


def split_of_file(file: str) -> str:
    """The source split that a file's name says: its stem, of a shard what stands before the number."""
    return SHARD.sub("", PurePosixPath(file).stem)


def _files(wanted: tuple[str, ...] | None, root: Path) -> tuple[Found, ...]:
    """What the names and patterns find, in their order, a pattern's files by path; each once. None: every file of records in the root."""
    below = {found.path: found for found in walk(root) if found.kind != "folder"}
    if wanted is None:
        chosen = sorted(path for path in below if any(_matches(path.lower(), f"*{suffix}") for suffix in FORMATS))
        if not chosen:
            raise MissingInputError(
                f"{root} must hold a file of records ({', '.join(FORMATS)}), found none: name them in source.table.files"
            )
    else:
        chosen = [path for name in wanted for path in _named(posixpath.normpath(name), below, root)]
    return tuple(below[path] for path in dict.fromkeys(chosen))


def _named(name: str, below: Collection[str], root: Path) -> list[str]:
    if found := [name] if name in below else sorted(path for path in below if _matches(path, name)):
        return found
    raise MissingInputError(
        f"source.table.files: {name!r} must name a file below {root}, or be a pattern of some, found none: correct it or source.root"
    )


def _matches(path: str, pattern: str) -> bool:
    """Part by part, so that `*` does not go into folders; a hidden name is matched by a pattern with that dot alone, as in a shell."""
    parts, patterns = path.split("/"), pattern.split("/")
    pairs = zip(parts, patterns, strict=False)
    return len(parts) == len(patterns) and all(fnmatchcase(a, b) and a.startswith(".") == b.startswith(".") for a, b in pairs)


def content(reference: Reference, root: Path, max_bytes: int) -> bytes:
    """The text of one record as UTF-8, nothing changed. Raises as `texts.text_of`."""
    return text_of(reference, root, max_bytes, _load)


def _load(path: str, location: str, field: str | None) -> Iterator[str | None]:
    columns = Columns(location, "source.table", {"text": field or "text"})  # a link's name says the format, not its target's
    return (record.text for record in record_file(path, columns))
