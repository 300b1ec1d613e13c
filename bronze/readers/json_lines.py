"""Which records are in a file of JSON objects, one a line?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bronze.readers.columns import CONTENT, METADATA, Columns
from bronze.readers.records import Record, record_of
from models.strict_json import unique

_HALF = re.compile("[\ud800-\udfff]")


def json_lines(path: str, columns: Columns) -> Iterator[Record]:
    """The records in order; a blank line is none, a line that is no JSON object of unique keys is one with the problem `bad_record`.

    The file's columns are the keys of all its records: at its end ConfigError is raised for a required one that no record has. In a
    record that lacks a key, or has null there, the field is None. A text with half a character (bytes that are no UTF-8, or an escape
    \\ud800 to \\udfff without its other half) has the problem `invalid_utf8`: escaped halves can stand for bytes that spell something else.
    """
    seen: dict[str, None] = {}  # in order of first sight
    any_record = False
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="\n") as handle:
        for number, line in enumerate(handle, 1):
            if not line.strip():
                continue
            try:
                values = _object(line)
                record = _whole(record_of(_fields(values, columns)))
            except (ValueError, RecursionError) as error:
                yield Record(problem=("bad_record", f"line {number} must be a JSON object of texts: {error}"))
                continue
            seen.update(dict.fromkeys(values))
            any_record = True
            yield record
    if any_record:
        columns.found(seen)


def _whole(record: Record) -> Record:
    if record.text is None or not _HALF.search(record.text):
        return record
    found = "bytes that are no UTF-8, or an escape that is half a character"
    return replace(record, problem=("invalid_utf8", f"a text must be whole characters, found {found}"))


def _object(line: str) -> dict[str, Any]:
    value = json.loads(line, object_pairs_hook=unique)
    if not isinstance(value, dict):
        raise ValueError(f"found {type(value).__name__}")
    return value


def _fields(values: Mapping[str, Any], columns: Columns) -> dict[str, str | None]:
    wanted = {**columns.required, **{field: field for field in columns.usual}}
    return {field: _text(values.get(name), field, name) for field, name in wanted.items()}


def _text(value: object, field: str, name: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and field not in CONTENT:
        return str(value)
    if field.startswith(METADATA) and isinstance(value, (bool, float)):
        return json.dumps(value)
    raise ValueError(f"{name} must be text{'' if field in CONTENT else ' or a whole number'}, found {type(value).__name__}")
