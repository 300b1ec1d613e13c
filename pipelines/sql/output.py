"""How is the answer of a query shown? As a table for people, as CSV and JSON for programs."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal, TextIO

from pipelines.visible import visible

Format = Literal["table", "csv", "json"]
FORMATS: tuple[Format, ...] = ("table", "csv", "json")

MEASURED_ROWS = 1000  # these decide the widths: an answer of any length is printed as it comes
CELL_WIDTH = 60
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run such a text


def write(output: Format, names: Sequence[str], rows: Iterable[Sequence[Any]], stream: TextIO, width: int | None = None) -> None:
    """Writes all rows. Bytes are shown as `<n bytes>` in every format.

    table: floats with 4 significant digits, cells cut at 60 characters, control characters escaped, null as `null`, a count below. Where
    a row is wider than `width` characters (None: no limit), each row is a block of one line per column.
    csv: exact numbers, null as nothing (an empty text as ""), lists and maps as JSON; a text that a spreadsheet would run as a formula
    gets a leading apostrophe.
    json: one array of objects, exact; what JSON has no number for (NaN, Infinity) is a string; a repeated name gets `_2`, `_3`, ….
    """
    if output == "table":
        _table(names, rows, stream, width)
    else:
        {"csv": _csv, "json": _json}[output](_distinct(names) if output == "json" else names, rows, stream)


def plain(value: Any) -> Any:
    """The value as JSON knows it: texts, numbers, lists and objects; decimals as numbers where a float holds them exactly."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"<{len(value)} bytes>"
    if isinstance(value, Decimal):
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if fields := getattr(value, "__fields__", None):  # a struct of Spark: a tuple with names
        return {name: plain(item) for name, item in zip(fields, value, strict=True)}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, (datetime, date, time)) else str(value)


def _distinct(names: Sequence[str]) -> list[str]:
    distinct: list[str] = []
    for name in names:
        others = (f"{name}_{count}" for count in itertools.count(2))
        distinct.append(name if name not in distinct else next(other for other in others if other not in distinct))
    return distinct


def _json(names: Sequence[str], rows: Iterable[Sequence[Any]], stream: TextIO) -> None:
    between = "["
    for row in rows:
        record = dict(zip(names, map(plain, row), strict=True))
        stream.write(f"{between}{json.dumps(record, ensure_ascii=False, allow_nan=False)}")
        between = ",\n"
    stream.write("[]\n" if between == "[" else "]\n")


def _csv(names: Sequence[str], rows: Iterable[Sequence[Any]], stream: TextIO) -> None:
    for row in itertools.chain((names,), rows):
        stream.write(",".join(map(_csv_field, row)) + "\n")


def _csv_field(value: Any) -> str:
    # Python's csv module leaves a lone carriage return unquoted, and cannot tell an empty text from null.
    simple = plain(value)
    if simple is None:
        return ""
    if isinstance(simple, bool) or not isinstance(simple, (str, int, float)):
        simple = json.dumps(simple, ensure_ascii=False)
    text = str(simple)
    if isinstance(value, str) and text.startswith(FORMULA_STARTS):
        text = "'" + text
    quoted = '"' + text.replace('"', '""') + '"'
    return quoted if not text or any(char in text for char in ',"\r\n') else text


def _table(names: Sequence[str], rows: Iterable[Sequence[Any]], stream: TextIO, width: int | None) -> None:
    lines = ([_cell(value) for value in row] for row in rows)
    first = list(itertools.islice(lines, MEASURED_ROWS))
    titles = [_cell(name) for name in names]
    widths = [max(len(line[column]) for line in (titles, *first)) for column in range(len(titles))]
    if first and width is not None and sum(widths) + 2 * (len(widths) - 1) > width:
        count = _blocks(titles, itertools.chain(first, lines), stream)
    else:
        count = _lines(titles, widths, itertools.chain(first, lines), stream)
    stream.write(f"({count} {'row' if count == 1 else 'rows'})\n")


def _lines(titles: Sequence[str], widths: Sequence[int], rows: Iterable[Sequence[str]], stream: TextIO) -> int:
    count = -2  # the two lines of the head are no rows
    for row in itertools.chain((titles, ["-" * width for width in widths]), rows):
        stream.write("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() + "\n")
        count += 1
    return count


def _blocks(titles: Sequence[str], rows: Iterable[Sequence[str]], stream: TextIO) -> int:
    widest, count = max(map(len, titles)), 0
    for count, row in enumerate(rows, 1):
        stream.write(f"-- row {count}\n")
        stream.writelines(f"{title.ljust(widest)}  {text}\n" for title, text in zip(titles, row, strict=True))
    return count


def _cell(value: Any) -> str:
    simple = _rounded(plain(value)) if not isinstance(value, str) else value
    text = "null" if simple is None else simple if isinstance(simple, str) else json.dumps(simple, ensure_ascii=False)
    shown = visible(text[: CELL_WIDTH + 1])
    return shown if len(shown) <= CELL_WIDTH else shown[: CELL_WIDTH - 1] + "…"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return {key: _rounded(item) for key, item in value.items()} if isinstance(value, dict) else value
