"""Does a stray quote cost the line it stands in and no other, however the file goes on?"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bronze.readers import reader_named
from bronze.readers.columns import Columns
from bronze.readers.delimited import _rows, comma_separated
from bronze.reference import Listing

Listed = Callable[..., Listing]
COLUMNS = Columns("a.csv", "source", {"text": "text", "label": "label"})


def naive(lines: list[str], delimiter: str) -> list[tuple[int, list[str] | None]]:
    """(number of its first line, values or None) of every record, each error read on from the line after its first: quadratic."""
    found: list[tuple[int, list[str] | None]] = []
    at = 0
    while at < len(lines):
        reader = csv.reader(lines[at:], delimiter=delimiter, strict=True)
        try:
            values = next(reader)
        except csv.Error:
            found.append((at + 1, None))
            at += 1
            continue
        if values:
            found.append((at + 1, values))
        at += reader.line_num
    return found


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_any_file_is_read_as_by_reading_anew_from_the_line_after_each_error(delimiter: str) -> None:
    rng, n_errors, n_long = np.random.default_rng(7), 0, 0
    for _ in range(3_000):
        text = "".join(rng.choice(list(f'""{delimiter}{delimiter}ab\n\n\r'), int(rng.integers(1, 60))).tolist())
        lines = list(io.StringIO(text, newline=""))
        rows = list(_rows(lines, delimiter))
        assert [(row.first, None if row.error else row.values) for row in rows] == naive(lines, delimiter), text
        assert all(row.lines == tuple(lines[row.first - 1 :][: len(row.lines)]) for row in rows)
        n_errors += sum(bool(row.error) for row in rows)
        n_long += sum(len(row.lines) > 1 for row in rows)
    assert n_errors > 1_000 and n_long > 300  # the files do hold what this is about


@pytest.mark.parametrize(
    ("broken", "bad"),
    [
        ({2: '"my card,x'}, [2]),  # open to the end of the file
        ({2: '"my card,x', 500: 'say "hi",x'}, [2]),  # a quote inside a field is a character
        ({2: '"my card,x', 500: '"quoted, text",x'}, [2]),
        ({2: '"my card,x', 500: '"two\nlines",x'}, [2]),  # the record in which the quote was found out
        ({2: '"my card,x', 500: '"my card,x', 900: '"my card,x'}, [2, 500, 900]),
        ({2: '"my "card",x'}, [2]),
        ({2: 'x,"'}, [2]),
        ({0: '"', 999: '"last'}, [0, 999]),
        ({2: '"a\nb",x,extra'}, [2, 3]),  # a well-formed record of two lines and another width: both lines are lost, both are rows
    ],
)
def test_every_line_that_is_lost_is_a_row_and_no_other_line_is_lost(
    tmp_path: Path, listed: Listed, broken: dict[int, str], bad: list[int]
) -> None:
    rows = [broken.get(k, f"t{k},x") for k in range(1_000)]
    (tmp_path / "a.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    found = list(listed("table", tmp_path))
    assert [reference.ordinal for reference in found if reference.error_code == "bad_record"] == bad
    texts = [reader_named("table").content(reference, tmp_path, 1_000).decode() for reference in found if reference.error_code is None]
    expected = [text for row in csv.reader(rows[k] for k in range(1_000) if k not in broken) for text in row[:1]]
    for at, row in broken.items():
        if at not in bad:
            expected.insert(at - sum(other in bad for other in broken if other < at), next(csv.reader(io.StringIO(row)))[0])
    assert texts == expected
    assert [reference.source_path for reference in found] == [f"a.csv#{k}" for k in range(len(found))]


def test_a_bad_line_is_named_by_its_number_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('text,label\n\n"ok",x\n"open,x\nfine,x\n"a\n\nb",x,y\n')
    found = [record.problem[1].split(" must")[0] for record in comma_separated(str(tmp_path / "a.csv"), COLUMNS) if record.problem]
    assert found == ["line 4", "lines 6 to 8", "lines 6 to 8"]  # its blank line is none


@pytest.mark.parametrize("line", ['"', '"",x","', '"my card,x', 'x,"', '"a""'], ids=range(5))
def test_a_megabyte_of_open_quotes_is_read_in_a_time_that_grows_with_its_length_alone(tmp_path: Path, line: str) -> None:
    # of the second, every line leaves a quote open by itself and behind an open quote: reading anew from each would take 10^10 steps
    (tmp_path / "a.csv").write_text("text,label\n" + f"{line}\n" * (10**6 // (len(line) + 1)))
    started = time.process_time()
    n = sum(1 for _ in comma_separated(str(tmp_path / "a.csv"), COLUMNS))
    assert n and time.process_time() - started < 60


def test_a_quoted_field_of_many_lines_is_one_text(tmp_path: Path) -> None:
    text = "\n".join(f'line {k}, with a comma and ""quotes""' for k in range(5_000))
    (tmp_path / "a.csv").write_text(f'text,label\n"{text}",x\nshort,y\n')
    found = list(comma_separated(str(tmp_path / "a.csv"), COLUMNS))
    assert [(record.text, record.label) for record in found] == [(text.replace('""', '"'), "x"), ("short", "y")]
