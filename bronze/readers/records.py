"""What is common to lists that name picture files, one record each (CSV, Parquet, the Pet lists)?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bronze.readers.files import leaves_root
from bronze.readers.walk import walk
from bronze.reference import Reference, escaped, printable


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a list as read, not yet judged. `problem`: (error_code, message) when the record itself is unreadable."""

    path: str | None = None
    label: str | None = None
    split: str | None = None
    id: str | None = None
    problem: tuple[str, str] | None = None


def references(source: str, records: Iterable[Record]) -> Iterator[Reference]:
    """One reference per record of the list file `source` (escaped path), in its order, `source#ordinal` from 0.

    Codes: the record's own; `invalid_utf8`; `nul`; `bad_record` without a path; `outside_root` for an absolute path or one with `..`;
    `duplicate_id` for every later record of an id. Holds the ids seen.
    """
    seen: set[str] = set()
    for ordinal, record in enumerate(records):
        reference = _reference(f"{source}#{ordinal}", ordinal, record)
        if reference.error_code is None and record.id:
            if record.id in seen:
                reference = reference.refused(
                    "duplicate_id", f"id must be unique in {source}, {record.id!r} stood before: the first one counts"
                )
            seen.add(record.id)
        yield reference


def _reference(source_path: str, ordinal: int, record: Record) -> Reference:
    label = None if record.label is None else printable(record.label)
    split = None if record.split is None else printable(record.split)
    place = Reference(source_path, escaped(record.path or ""), ordinal, label, split)
    problem = record.problem or _problem(record)
    return place.refused(*problem) if problem else place


def _problem(record: Record) -> tuple[str, str] | None:
    texts = [text for text in (record.path, record.label, record.split, record.id) if text]
    if any(printable(text) != text for text in texts):
        return "invalid_utf8", "must be UTF-8, the record holds other bytes"
    if any("\0" in text for text in texts):
        return "nul", "must hold no NUL character"
    if not record.path:
        return "bad_record", "must name a picture file, the path is empty"
    if leaves_root(record.path):
        return "outside_root", f"must be a path below the source root without '..', found {record.path!r}"
    return None


def unnamed_files(root: Path, named: set[str]) -> Iterator[None]:
    """None for every file below the root that no record names (`named`: locations): the ignored ones. Links are not opened."""
    for found in walk(root):
        if found.kind != "folder" and escaped(found.path) not in named:
            yield None
