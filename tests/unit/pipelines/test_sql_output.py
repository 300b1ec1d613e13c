"""Is an answer shown for people with rounding and escapes, and for programs exactly?"""

from __future__ import annotations

import csv
import io
import json
import math
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pipelines.sql.output import CELL_WIDTH, MEASURED_ROWS, Format, write


def shown(output: Format, names: list[str], *rows: list[object]) -> str:
    stream = io.StringIO()
    write(output, names, rows, stream)
    return stream.getvalue()


def test_a_table_has_four_significant_digits_nulls_and_a_count():
    text = shown("table", ["name", "x"], ["a", 0.123456], ["bb", None], ["c", 123456.0])
    assert text == "name  x\n----  --------\na     0.1235\nbb    null\nc     123500.0\n(3 rows)\n"


@pytest.mark.parametrize("output", ["table", "csv", "json"])
@pytest.mark.parametrize("value", [b"12345", bytearray(b"12345"), memoryview(b"12345")])
def test_bytes_are_counted_never_printed(output: Format, value: object):
    assert "<5 bytes>" in shown(output, ["b"], [value])


def test_json_and_csv_give_back_every_float_bit_for_bit():
    values = [0.1 + 0.2, 1e-320, 123456789.123456789]
    assert [row["x"] for row in json.loads(shown("json", ["x"], *([v] for v in values)))] == values
    assert [float(row[0]) for row in csv.reader(io.StringIO(shown("csv", ["x"], *([v] for v in values)))) if row != ["x"]] == values


def test_json_keeps_types_and_says_what_json_has_no_number_for():
    row = [None, True, 2**70, math.nan, -math.inf, Decimal("1.5"), Decimal("0.1234567890123456789"), {"k": [1.5]}]
    found = json.loads(shown("json", list("abcdefgh"), row))[0]
    assert list(found.values()) == [None, True, 2**70, "NaN", "-Infinity", 1.5, "0.1234567890123456789", {"k": [1.5]}]


def test_json_keeps_columns_of_the_same_name_apart():
    assert json.loads(shown("json", ["a", "a", "a_2"], [1, 2, 3])) == [{"a": 1, "a_2": 2, "a_2_2": 3}]


def test_no_rows_are_an_empty_array_a_header_and_a_count_of_none():
    assert json.loads(shown("json", ["a"])) == []
    assert shown("csv", ["a"]) == "a\n"
    assert shown("table", ["a"]) == "a\n-\n(0 rows)\n"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_text_that_a_spreadsheet_would_run_is_disarmed_in_csv_only(text: str):
    assert list(csv.reader(io.StringIO(shown("csv", ["a"], [text]), newline="")))[1] == ["'" + text]
    assert json.loads(shown("json", ["a"], [text])) == [{"a": text}]


def test_an_empty_text_is_not_null_in_csv():
    assert shown("csv", ["a", "b"], ["", None]) == 'a,b\n"",\n'


def test_a_negative_number_is_no_formula():
    assert shown("csv", ["a"], [-1.5]) == "a\n-1.5\n"


def test_csv_quotes_what_needs_it_and_writes_lists_as_json():
    rows = list(csv.reader(io.StringIO(shown("csv", ["a", "b", "c"], ['x,"y"\nz', [1, None], True]))))
    assert rows[1] == ['x,"y"\nz', "[1, null]", "true"]


def test_control_characters_cannot_reach_a_terminal():
    text = shown("table", ["a"], ["red\x1b[31m\nline"])
    assert "\x1b" not in text and r"red\x1b[31m\nline" in text


def test_rows_wider_than_the_terminal_are_shown_one_line_per_column():
    # "name  x" and "abcd  1.5" need 9 characters: at 9 they stand side by side, at 8 below each other
    rows = [["abcd", 1.5], [None, 2]]
    side, below = (io.StringIO() for _ in range(2))
    write("table", ["name", "x"], rows, side, 9)
    write("table", ["name", "x"], rows, below, 8)
    assert side.getvalue() == shown("table", ["name", "x"], *rows)
    assert below.getvalue() == "-- row 1\nname  abcd\nx     1.5\n-- row 2\nname  null\nx     2\n(2 rows)\n"


def test_long_cells_are_cut_in_tables_only():
    assert max(map(len, shown("table", ["a"], ["x" * 500]).splitlines())) == CELL_WIDTH
    assert "x" * 500 in shown("csv", ["a"], ["x" * 500])


def test_instants_are_iso_8601():
    assert '"2020-01-02T03:04:05+00:00"' in shown("json", ["t"], [datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)])


def test_rows_behind_those_that_decide_the_widths_are_printed_too():
    text = shown("table", ["n"], *([i] for i in range(MEASURED_ROWS + 500)))
    assert text.splitlines()[-2:] == [str(MEASURED_ROWS + 499), f"({MEASURED_ROWS + 500} rows)"]
