"""Which records are in a CSV or TSV file?"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Protocol

from bronze.readers.columns import Columns
from bronze.readers.records import Record, record_of
from lake.errors import ConfigError

MAX_FIELD = 2**31 - 1  # characters; the library's own limit of 131,072 would cut a long quoted text into false records


class _Lines(Protocol):
    """What csv.reader makes, a class that the library does not name."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...


def comma_separated(path: str, columns: Columns) -> Iterator[Record]:
    """The records behind the header line, in order; see `_delimited`."""
    return _delimited(path, ",", columns)


def tab_separated(path: str, columns: Columns) -> Iterator[Record]:
    """The same with tabs between the fields; a double quote quotes here too."""
    return _delimited(path, "\t", columns)


def _delimited(path: str, delimiter: str, columns: Columns) -> Iterator[Record]:
    """UTF-8 with or without a byte-order mark; lines end as they like, and a quoted field keeps its line breaks as they are.

    A line that is no record of the header's width is one with the problem `bad_record`; a blank line is none. Raises ConfigError for
    a header without the columns.
    """
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
        # strict: a stray quote is an error of its record, else it would swallow the records after it unseen
        reader = csv.reader(handle, delimiter=delimiter, strict=True)
        try:
            header = _next_row(reader) or []
        except csv.Error as error:
            raise ConfigError(f"{columns.file} must begin with a header line: {error}") from error
        found = {field: header.index(name) for field, name in columns.found(header).items()}
        while (record := _next_record(reader, found, len(header))) is not None:
            yield record


def _next_record(reader: _Lines, columns: dict[str, int], width: int) -> Record | None:
    first = reader.line_num + 1
    try:
        values = _next_row(reader)
    except csv.Error as error:
        return Record(problem=("bad_record", f"lines {first} to {reader.line_num} must be a record like the header: {error}"))
    if values is None:
        return None
    if len(values) != width:
        return Record(problem=("bad_record", f"must have {width} fields as the header has, found {len(values)}"))
    return record_of({field: values[index] for field, index in columns.items()})


def _next_row(reader: _Lines) -> list[str] | None:
    """The next line that is not blank. The library's limit is the process's own, so it is put back each time."""
    before = csv.field_size_limit(MAX_FIELD)
    try:
        return next((row for row in reader if row), None)
    finally:
        csv.field_size_limit(before)
