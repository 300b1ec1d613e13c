"""Which records are in a CSV or TSV file?"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from bronze.readers.columns import Columns
from bronze.readers.records import Record, record_of
from lake.errors import ConfigError

MAX_FIELD = 2**31 - 1  # characters; the library's own limit of 131,072 would cut a long quoted text into false records


def comma_separated(path: str, columns: Columns) -> Iterator[Record]:
    """The records behind the header line, in order; see `_delimited`."""
    return _delimited(path, ",", columns)


def tab_separated(path: str, columns: Columns) -> Iterator[Record]:
    """The same with tabs between the fields; a double quote quotes here too."""
    return _delimited(path, "\t", columns)


def _delimited(path: str, delimiter: str, columns: Columns) -> Iterator[Record]:
    """UTF-8 with or without a byte-order mark; lines end as they like, and a quoted field keeps its line breaks as they are.

    Every line that is in no record of the header's width is one with the problem `bad_record`; a blank line is none. Raises ConfigError
    for a header without the columns.
    """
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
        rows = _rows(handle, delimiter)
        header = next(rows, _Row(1, (), []))
        if header.error:
            raise ConfigError(f"{columns.file} must begin with a header line: {header.error}")
        width = len(header.values)
        places = {what: header.values.index(name) for what, name in columns.found(header.values).items()}
        for row in rows:
            if row.error or len(row.values) != width:
                yield from [_bad(row, width)] * sum(bool(line.strip("\r\n")) for line in row.lines)
            else:
                yield record_of({what: row.values[place] for what, place in places.items()})


class _Row(NamedTuple):
    """What stands in the lines from number `first` (from 1) on: values, or why this one line begins no record."""

    first: int
    lines: tuple[str, ...]
    values: list[str]
    error: str = ""


def _bad(row: _Row, width: int) -> Record:
    """With an error it is one line. Without one the quotes are right: then no line of it is tried by itself, for a part of a text that
    happens to have the header's width would become an example."""
    where = f"line {row.first}" if len(row.lines) == 1 else f"lines {row.first} to {row.first + len(row.lines) - 1}"
    why = f"be a record like the header: {row.error}" if row.error else f"have {width} fields as the header has, found {len(row.values)}"
    return Record(problem=("bad_record", f"{where} must {why}"))


def _rows(lines: Iterable[str], delimiter: str) -> Iterator[_Row]:
    """Strict CSV, which goes on behind an error: a quote that is not closed before the file ends, or is followed by more of its field.

    Then the line that the record began with is a row with an error, and the lines behind it are read anew. This stays linear. At the
    start of each of them the quote was open, so any that leaves a quote open would run to the same error again: they are read one by one,
    and only the last, in which the error stood, may begin a record of several lines. A quote that runs on until another one happens to end
    a field gives one long field: nothing tells it from a text that is so long.
    """
    source = _Lines(iter(lines))
    reader = csv.reader(source, delimiter=delimiter, strict=True)  # else a stray quote would swallow the records after it unseen
    while True:
        source.taken.clear()
        try:
            values = _next_row(reader)
        except csv.Error as error:
            taken, first = tuple(source.taken), source.number - len(source.taken) + 1
            if len(taken) > 1:
                source.give_again(taken[-1])
            yield _Row(first, taken[:1], [], str(error))
            for number, line in enumerate(taken[1:-1], first + 1):
                yield from (row._replace(first=number) for row in _rows((line,), delimiter))
            continue
        if values is None:
            return
        if values:
            yield _Row(source.number - len(source.taken) + 1, tuple(source.taken), values)


def _next_row(reader: Iterator[list[str]]) -> list[str] | None:
    """The values of the next record, none of a blank line. The library's limit is the process's own, so it is put back each time."""
    before = csv.field_size_limit(MAX_FIELD)
    try:
        return next(reader, None)
    finally:
        csv.field_size_limit(before)


@dataclass
class _Lines:
    """Lines in their order, each counted and kept as `taken`; the one taken last can be given once more."""

    source: Iterator[str]
    number: int = 0
    taken: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self.again.pop() if self.again else next(self.source)
        self.number += 1
        self.taken.append(line)
        return line

    def give_again(self, line: str) -> None:
        self.number -= 1
        self.again.append(line)
