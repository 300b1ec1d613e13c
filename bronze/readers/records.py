"""What is common to lists of records (CSV, JSON lines, Parquet, the Pet lists), whether they name pictures or hold texts?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bronze.readers.columns import METADATA
from bronze.readers.files import leaves_root
from bronze.readers.walk import walk
from bronze.reference import Reference, escaped, printable

MAX_METADATA = 256  # characters of one value; it is what a slice of the data is called


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a list as read, not yet judged. `path`: of a picture; `text`: the text itself; a list has one of both.

    `metadata`: (column, value) of the columns that are kept beside the example. `problem`: (error_code, message) when the record itself is
    unreadable.
    """

    path: str | None = None
    label: str | None = None
    split: str | None = None
    id: str | None = None
    text: str | None = None
    metadata: tuple[tuple[str, str | None], ...] = ()
    problem: tuple[str, str] | None = None


def record_of(values: Mapping[str, str | None]) -> Record:
    """The record whose fields have these values; fields without one are None."""
    kept = tuple((field.removeprefix(METADATA), value) for field, value in values.items() if field.startswith(METADATA))
    return Record(values.get("path"), values.get("label"), values.get("split"), values.get("id"), values.get("text"), kept)


def kept_text(value: str | None) -> str | None:
    """A metadata value as tables hold it: bytes that are no UTF-8 and NUL are spelt out, what is longer than 256 characters is cut."""
    if value is None:
        return None
    text = printable(value).replace("\0", "\\x00")
    return text if len(text) <= MAX_METADATA else text[: MAX_METADATA - 1] + "…"


def references(source: str, records: Iterable[Record], field: str | None = None) -> Iterator[Reference]:
    """One reference per record of the list file `source` (escaped path), in its order, `source#ordinal` from 0.

    `field`: the column of `source` that holds the texts; None: each record names a picture file. Texts are not judged here.
    Codes: the record's own; `invalid_utf8`; `nul`; of pictures `bad_record` without a path and `outside_root` for an absolute path or
    one with `..`; `duplicate_id` for every later record of an id. Holds the ids seen.
    """
    seen: set[str] = set()
    for ordinal, record in enumerate(records):
        reference = _reference(source, ordinal, record, field)
        if reference.error_code is None and record.id:
            if record.id in seen:
                reference = reference.refused(
                    "duplicate_id", f"id must be unique in {source}, {record.id!r} stood before: the first one counts"
                )
            seen.add(record.id)
        yield reference


def _reference(source: str, ordinal: int, record: Record, field: str | None) -> Reference:
    label = None if record.label is None else printable(record.label)
    split = None if record.split is None else printable(record.split)
    location = source if field is not None else escaped(record.path or "")
    metadata = tuple((name, kept_text(value)) for name, value in record.metadata)
    place = Reference(f"{source}#{ordinal}", location, ordinal, label, split, field=field, metadata=metadata)
    problem = record.problem or _problem(record) or (_path_problem(record.path) if field is None else None)
    return place.refused(*problem) if problem else place


def _problem(record: Record) -> tuple[str, str] | None:
    texts = [text for text in (record.path, record.label, record.split, record.id) if text]
    if any(printable(text) != text for text in texts):
        return "invalid_utf8", "must be UTF-8, the record holds other bytes"
    if any("\0" in text for text in texts):
        return "nul", "must hold no NUL character"
    return None


def _path_problem(path: str | None) -> tuple[str, str] | None:
    if not path:
        return "bad_record", "must name a picture file, the path is empty"
    if leaves_root(path):
        return "outside_root", f"must be a path below the source root without '..', found {path!r}"
    return None


def unnamed_files(root: Path, named: set[str]) -> Iterator[None]:
    """None for every file below the root that no record names (`named`: locations): the ignored ones. Links are not opened."""
    for found in walk(root):
        if found.kind != "folder" and escaped(found.path) not in named:
            yield None
