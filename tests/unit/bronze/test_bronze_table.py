"""Is every record of a file of texts an example's place or a refused row, whatever its format and whatever it holds?"""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bronze.readers import reader_named
from lake.errors import ConfigError
from models.errors import RejectedInput
from tests.unit.bronze.record_files import CELLS, FORMATS, Listed, codes, contents, write


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_records_and_the_same_bytes(tmp_path: Path, listed: Listed, suffix: str) -> None:
    n = len(CELLS)
    table = {
        "id": [str(k) for k in range(n)],
        "text": list(CELLS),
        "label": [f"l{k % 2}" for k in range(n)],
        "split": ["train", "test", "x"] * 3,
    }
    write(tmp_path / f"all.{suffix}", table)
    found = list(listed("table", tmp_path))
    assert [(r.source_path, r.location, r.ordinal, r.field) for r in found] == [
        (f"all.{suffix}#{k}", f"all.{suffix}", k, "text") for k in range(n)
    ]
    assert [(r.label, r.source_split, r.error_code) for r in found] == [
        (label, split, None) for label, split in zip(table["label"], table["split"], strict=True)
    ]
    assert contents(found, tmp_path) == list(CELLS)


def test_windows_line_ends_a_byte_order_mark_and_blank_lines_are_no_text(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "a.csv").write_bytes(b'\xef\xbb\xbftext,label\r\n\r\nhello,x\r\n"a\r\nb",x\r\n')
    (tmp_path / "b.jsonl").write_bytes(b'\xef\xbb\xbf{"text": "hello", "label": "x"}\r\n\r\n{"text": "a\\r\\nb", "label": "x"}')
    found = list(listed("table", tmp_path))
    assert [r.source_path for r in found] == ["a.csv#0", "a.csv#1", "b.jsonl#0", "b.jsonl#1"]
    assert contents(found, tmp_path) == ["hello", "a\r\nb"] * 2


def test_a_text_longer_than_the_librarys_limit_is_one_record(tmp_path: Path, listed: Listed) -> None:
    # each line of the long field looks like a record of its own
    long = "false,record\n" * 20_000  # 260,000 characters; csv stops at 131,072
    write(tmp_path / "a.csv", {"text": [long, "next"], "label": ["x", "y"]})
    before = csv.field_size_limit()
    found = list(listed("table", tmp_path))
    assert [(r.label, r.error_code) for r in found] == [("x", None), ("y", None)]
    assert contents(found, tmp_path) == [long, "next"]
    assert csv.field_size_limit() == before


def test_bad_lines_of_a_csv_are_refused_and_their_neighbours_kept(tmp_path: Path, listed: Listed) -> None:
    lines = [
        b"text,label",
        b"one,x",
        b"two",
        b"three,x,y",
        b"caf\xe9,x",
        b"five,\xff",
        b"six,\0",
        b'"seven"?,x',
        b"eight, ",
        b",x",
        b"ten,x",
    ]
    (tmp_path / "a.csv").write_bytes(b"\n".join(lines))
    expected = [None, "bad_record", "bad_record", None, "invalid_utf8", "nul", "bad_record", "label_missing", None, None]
    found = list(listed("table", tmp_path))
    assert [reference.error_code for reference in found] == expected
    good = [reference for reference in found if reference.error_code is None]
    # the bytes of a text are handed on as they are: the ingest judges them
    assert [reader_named("table").content(r, tmp_path, 100) for r in good] == [b"one", b"caf\xe9", b"", b"ten"]


def test_bad_lines_of_json_are_refused_and_their_neighbours_kept(tmp_path: Path, listed: Listed) -> None:
    lines = {
        b'{"text": "one", "label": "x", "more": [1, {}]}': None,
        b'{"text": "two", "label": "x"': "bad_record",
        b'["three", "x"]': "bad_record",
        b'{"text": 4, "label": "x"}': "bad_record",
        b'{"text": "five", "label": 5}': None,
        b'{"text": "six", "label": true}': "bad_record",
        b'{"text": "seven", "text": "or eight", "label": "x"}': "bad_record",
        b"[" * 100_000: "bad_record",
        b'{"text": "nine", "label": null}': "label_missing",
        b'{"text": "ten"}': "label_missing",
        b'{"label": "x"}': None,
        b'{"text": "half \\ud800", "label": "x"}': "invalid_utf8",
        b'{"text": "caf\\udcc3\\udca9", "label": "x"}': "invalid_utf8",  # as bytes kept in escapes these would be an e with an accent
        b'{"text": "caf\xc3\\udca9", "label": "x"}': "invalid_utf8",
        b'{"text": "\xff", "label": "x"}': "invalid_utf8",
        b'{"text": "\\ud83d\\udc4d", "label": "x"}': None,  # both halves of a character
        b'{"text": "twelve", "label": "\\ud800"}': "invalid_utf8",
        b'{"text": "last", "label": "x"}': None,
    }
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines))
    found = list(listed("table", tmp_path))
    assert [reference.error_code for reference in found] == list(lines.values())
    assert "line 2 must be a JSON object" in (found[1].message or "")
    good = [reference for reference in found if reference.error_code is None]
    texts = [b"one", b"five", b"", "👍".encode(), b"last"]
    assert [reader_named("table").content(r, tmp_path, 100) for r in good] == texts
    assert found[4].label == "5"


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_that_lacks_a_column_is_an_error_that_names_what_is_there_and_what_was_expected(
    tmp_path: Path, listed: Listed, suffix: str
) -> None:
    write(tmp_path / f"a.{suffix}", {"text": ["hello"], "label": ["x"]})
    write(tmp_path / f"b.{suffix}", {"utterance": ["hello"], "label": ["x"]})  # the second file's schema has drifted
    message = rf"b\.{suffix} must have the columns text, label once each; it has utterance, label: correct text there, or source\.table"
    with pytest.raises(ConfigError, match=message):
        list(listed("table", tmp_path))
    options = {"files": [f"b.{suffix}"], "text": "utterance"}
    assert contents(listed("table", tmp_path, {"table": options}), tmp_path) == ["hello"]
    for wrong in ({"split": "fold"}, {"id": "key"}, {"label": "intent"}):
        with pytest.raises(ConfigError, match="it has utterance, label"):
            list(listed("table", tmp_path, {"table": options | wrong}))


@pytest.mark.parametrize(("n_bytes", "reason"), [(0, "once each; it has none"), (6, "it has text, l: correct label")])
def test_a_csv_that_ends_in_its_header_is_an_error(tmp_path: Path, listed: Listed, n_bytes: int, reason: str) -> None:
    (tmp_path / "a.csv").write_bytes(b"text,label"[:n_bytes])
    with pytest.raises(ConfigError, match=reason):
        list(listed("table", tmp_path))


def test_json_without_a_record_has_no_columns_to_miss(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "a.jsonl").write_text("\nno json\n")
    assert codes(listed("table", tmp_path)) == ["bad_record"]


@pytest.mark.parametrize("n_bytes", [0, 4, 200, -9, -1])
def test_a_parquet_file_that_is_cut_is_an_error(tmp_path: Path, listed: Listed, n_bytes: int) -> None:
    write(tmp_path / "a.parquet", {"text": ["hello"] * 50, "label": ["x"] * 50})
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(content[:n_bytes])
    with pytest.raises(ConfigError, match=r"a\.parquet must be a readable Parquet file"):
        list(listed("table", tmp_path))


def test_a_parquet_page_that_is_damaged_is_an_error(tmp_path: Path, listed: Listed) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table({"text": [f"text {k}" for k in range(500)], "label": ["x"] * 500}), path, compression="zstd", use_dictionary=False
    )
    content = bytearray(path.read_bytes())
    content[60:90] = bytes(30)
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"a\.parquet must be a readable Parquet file"):
        list(listed("table", tmp_path))


def test_parquet_columns_of_another_type_are_an_error_and_nulls_are_missing(tmp_path: Path, listed: Listed) -> None:
    path = tmp_path / "a.parquet"
    for text, label, reason in (
        ([1], ["x"], "text must be text, found int64"),
        (["a"], [0.5], "label must be text or whole numbers, found double"),
    ):
        pq.write_table(pa.table({"text": text, "label": label}), path)
        with pytest.raises(ConfigError, match=reason):
            list(listed("table", tmp_path))
    pq.write_table(pa.table({"text": pa.array(["a", None, "c"], pa.large_string()), "label": pa.array([7, 8, None])}), path)
    found = list(listed("table", tmp_path))
    assert [(r.label, r.error_code) for r in found] == [("7", None), ("8", None), (None, "label_missing")]
    assert contents(found[:2], tmp_path) == ["a", ""]


def test_a_record_without_a_split_of_its_own_has_its_files(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "dev.csv").write_text("text,label,split\na,x,test\nb,x,\n")
    (tmp_path / "test.jsonl").write_text('{"text": "c", "label": "x"}\n{"text": "d", "label": "x", "split": "dev"}\n')
    write(tmp_path / "train-00001-of-00003.parquet", {"text": ["e"], "label": ["x"]})
    write(tmp_path / "train.1.csv", {"text": ["f"], "label": ["x"]})
    found = {r.source_path: r.source_split for r in listed("table", tmp_path)}
    assert found == {
        "dev.csv#0": "test",
        "dev.csv#1": "dev",
        "test.jsonl#0": "test",
        "test.jsonl#1": "dev",
        "train-00001-of-00003.parquet#0": "train",
        "train.1.csv#0": "train.1",
    }


def test_of_duplicate_ids_in_one_file_the_first_record_wins(tmp_path: Path, listed: Listed) -> None:
    write(tmp_path / "a.csv", {"id": ["1", "2", "1", "1"], "text": ["a", "b", "c", "d"], "label": ["x"] * 4})
    write(tmp_path / "b.csv", {"id": ["1"], "text": ["e"], "label": ["x"]})  # ids of another file begin again
    assert codes(listed("table", tmp_path)) == [None, None, "duplicate_id", "duplicate_id", None]


def test_labels_are_matched_by_name_and_case(tmp_path: Path, listed: Listed) -> None:
    write(tmp_path / "a.csv", {"text": list("abcd"), "label": ["Refund?", "refund?", "other", "oos"]})
    options = {"labels": ["Refund?"], "outside_labels": ["oos"]}
    found = list(listed("table", tmp_path, options))
    assert [r.error_code for r in found] == [None, "label_unknown", "label_unknown", None]
    assert "'Refund?' differs only in case" in (found[1].message or "")


def test_a_text_is_refused_by_its_length_and_a_changed_file_by_its_number(tmp_path: Path, listed: Listed) -> None:
    write(tmp_path / "a.csv", {"text": ["12345", "äöü"], "label": ["x", "x"]})
    found = list(listed("table", tmp_path))
    content = reader_named("table").content
    assert content(found[0], tmp_path, 5) == b"12345"
    with pytest.raises(RejectedInput, match=r"too_large: .* at most 5 bytes, found 6: raise decode\.max_text_bytes"):
        content(found[1], tmp_path, 5)
    write(tmp_path / "a.csv", {"text": ["only one"], "label": ["x"]})
    with pytest.raises(RejectedInput, match=r"bad_record: a\.csv holds 1 texts, none of number 1"):
        content(found[1], tmp_path, 5)
    write(tmp_path / "a.csv", {"said": ["text"], "label": ["x"]})
    with pytest.raises(RejectedInput, match=r"bad_record: .*it has said, label"):
        content(found[1], tmp_path, 5)
    (tmp_path / "a.csv").unlink()
    with pytest.raises(FileNotFoundError):  # the ingest makes a rejected row of it
        content(found[1], tmp_path, 5)
