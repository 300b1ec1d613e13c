"""Is every record of a manifest an example or a refused row, whatever it holds?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bronze.readers import reader_named
from bronze.reference import Listing
from lake.errors import ConfigError, MissingInputError
from models.errors import RejectedInput

Listed = Callable[..., Listing]


def codes(listing: Listing) -> list[str | None]:
    return [reference.error_code for reference in listing]


def test_a_record_is_file_and_ordinal_after_the_header(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "manifest.csv").write_text('path,label,split\na/1.jpg,cat,train\n\n"a/2, b.jpg",dog,test\n')
    found = [(r.source_path, r.location, r.ordinal, r.label, r.source_split) for r in listed("manifest", tmp_path)]
    assert found == [("manifest.csv#0", "a/1.jpg", 0, "cat", "train"), ("manifest.csv#1", "a/2, b.jpg", 1, "dog", "test")]


def test_the_same_table_as_csv_tsv_and_parquet_gives_the_same_records(tmp_path: Path, listed: Listed) -> None:
    table = {"path": ["a.jpg", "b.jpg", "../c.jpg"], "label": ["cat", "", "dog"], "id": ["1", "1", "2"]}
    for name, delimiter in (("m.csv", ","), ("m.tsv", "\t")):
        lines = [delimiter.join(row) for row in zip(*table.values(), strict=True)]
        (tmp_path / name).write_text("\n".join([delimiter.join(table), *lines]))
    pq.write_table(pa.table(table), tmp_path / "m.parquet")
    results = []
    for name in ("m.csv", "m.tsv", "m.parquet"):
        listing = listed("manifest", tmp_path, {"manifest": {"file": name}})
        results.append([(r.source_path.removeprefix(name), r.location, r.label, r.error_code) for r in listing])
    assert results[0] == results[1] == results[2]
    assert results[0] == [("#0", "a.jpg", "cat", None), ("#1", "b.jpg", "", "duplicate_id"), ("#2", "../c.jpg", "dog", "outside_root")]


@pytest.mark.parametrize("path", ["../x.jpg", "a/../../x.jpg", "/etc/hostname", "a/../b.jpg"])
def test_a_path_that_is_absolute_or_climbs_is_refused_unseen(tmp_path: Path, listed: Listed, path: str) -> None:
    (tmp_path / "manifest.csv").write_text(f"path,label\n{path},cat\n")
    assert codes(listed("manifest", tmp_path)) == ["outside_root"]


def test_a_link_out_of_the_root_named_by_a_manifest_is_refused_when_it_would_be_read(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    root = tmp_path / "root"
    root.mkdir()
    (root / "x.jpg").symlink_to(tmp_path / "secret")
    (root / "manifest.csv").write_text("path,label\nx.jpg,cat\n")
    (reference,) = listed("manifest", root)
    with pytest.raises(RejectedInput, match="outside_root"):
        reader_named("manifest").content(reference, root, 100)


def test_bad_records_are_refused_and_their_neighbours_kept(tmp_path: Path, listed: Listed) -> None:
    lines = [b"path,label", b"1.jpg,cat", b"2.jpg", b"3.jpg,cat,extra", b"\xff.jpg,cat", b"5\0.jpg,cat", b",cat", b"7.jpg, ", b"8.jpg,cat"]
    (tmp_path / "manifest.csv").write_bytes(b"\r\n".join(lines))
    expected = [None, "bad_record", "bad_record", "invalid_utf8", "nul", "bad_record", "label_missing", None]
    assert codes(listed("manifest", tmp_path)) == expected


def test_a_stray_quote_is_an_error_of_its_record(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "manifest.csv").write_text('path,label\n"1".jpg,cat\n2.jpg,dog\n"3.jpg,cat\n4.jpg,dog\n')
    # the open quote of 3.jpg would run to the end of the file: it takes no other record along
    found = list(listed("manifest", tmp_path))
    assert [(r.source_path, r.location, r.error_code) for r in found if r.error_code is None] == [
        ("manifest.csv#1", "2.jpg", None),
        ("manifest.csv#3", "4.jpg", None),
    ]
    assert [(r.ordinal, r.error_code) for r in found if r.error_code] == [(0, "bad_record"), (2, "bad_record")]
    assert "line 4 must be a record like the header" in (found[2].message or "")


def test_of_duplicate_ids_the_first_record_wins(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "manifest.csv").write_text("id,path,label\nx,1.jpg,cat\ny,2.jpg,cat\nx,3.jpg,dog\nx,4.jpg,dog\n")
    assert codes(listed("manifest", tmp_path)) == [None, None, "duplicate_id", "duplicate_id"]


def test_the_same_picture_twice_is_two_references(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "manifest.csv").write_text("path,label\n1.jpg,cat\n1.jpg,dog\n")
    assert [(r.source_path, r.location, r.error_code) for r in listed("manifest", tmp_path)] == [
        ("manifest.csv#0", "1.jpg", None),
        ("manifest.csv#1", "1.jpg", None),
    ]


def test_files_that_no_record_names_are_ignored_the_manifest_is_not(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "manifest.csv").write_text("path,label\n./a//1.jpg,cat\ngone.jpg,cat\n")
    (tmp_path / "a").mkdir()
    for name in ("a/1.jpg", "a/2.jpg", "README.md"):
        (tmp_path / name).write_bytes(b"x")
    assert listed("manifest", tmp_path).ignored == 2


def test_configured_columns_are_used_and_a_missing_one_is_named(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "manifest.csv").write_text("file,class,fold\n1.jpg,cat,a\n")
    columns = {"path": "file", "label": "class", "split": "fold"}
    assert [(r.label, r.source_split) for r in listed("manifest", tmp_path, {"manifest": columns})] == [("cat", "a")]
    for wrong in ({}, columns | {"split": "flod"}, columns | {"id": "key"}):
        with pytest.raises(ConfigError, match="it has file, class, fold"):
            list(listed("manifest", tmp_path, {"manifest": wrong}))


@pytest.mark.parametrize("text", ["", "path,path,label\n", "path;label\n"])
def test_a_header_without_the_columns_once_each_is_an_error(tmp_path: Path, listed: Listed, text: str) -> None:
    (tmp_path / "manifest.csv").write_text(text)
    with pytest.raises(ConfigError, match="must have the columns path, label once each"):
        list(listed("manifest", tmp_path))


def test_a_manifest_that_is_missing_or_of_another_kind_is_an_error(tmp_path: Path, listed: Listed) -> None:
    with pytest.raises(MissingInputError, match=r"manifest\.csv"):
        listed("manifest", tmp_path)
    with pytest.raises(MissingInputError, match="source root"):
        listed("manifest", tmp_path, {"manifest": {"file": "../manifest.csv"}})
    (tmp_path / "m.xlsx").write_bytes(b"x")
    with pytest.raises(ConfigError, match=r"\.parquet"):
        list(listed("manifest", tmp_path, {"manifest": {"file": "m.xlsx"}}))


def test_a_parquet_manifest_reads_numbers_and_dictionaries_as_labels_and_nulls_as_missing(tmp_path: Path, listed: Listed) -> None:
    options = {"manifest": {"file": "m.parquet"}}
    pq.write_table(pa.table({"path": ["1.jpg", None], "label": pa.array([7, 8])}), tmp_path / "m.parquet")
    assert [(r.label, r.error_code) for r in listed("manifest", tmp_path, options)] == [("7", None), ("8", "bad_record")]
    pq.write_table(pa.table({"path": ["1.jpg", "2.jpg"], "label": pa.array(["cat", None]).dictionary_encode()}), tmp_path / "m.parquet")
    assert [(r.label, r.error_code) for r in listed("manifest", tmp_path, options)] == [("cat", None), (None, "label_missing")]


def test_parquet_text_that_is_no_utf8_is_one_refused_record(tmp_path: Path, listed: Listed) -> None:
    raw = pa.array([b"1.jpg", b"\xff.jpg", b"3.jpg"], pa.binary())
    paths = pa.Array.from_buffers(pa.string(), 3, raw.buffers())  # as a careless writer makes it: unchecked bytes typed as text
    pq.write_table(pa.table({"path": paths, "label": ["a", "b", "c"]}), tmp_path / "m.parquet")
    assert codes(listed("manifest", tmp_path, {"manifest": {"file": "m.parquet"}})) == [None, "invalid_utf8", None]


def test_a_parquet_column_of_another_type_or_a_damaged_file_is_an_error(tmp_path: Path, listed: Listed) -> None:
    options = {"manifest": {"file": "m.parquet"}}
    pq.write_table(pa.table({"path": ["1.jpg"], "label": [0.5]}), tmp_path / "m.parquet")
    with pytest.raises(ConfigError, match="label must be text or whole numbers, found double"):
        list(listed("manifest", tmp_path, options))
    (tmp_path / "m.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(ConfigError, match="readable Parquet"):
        list(listed("manifest", tmp_path, options))


def test_the_real_caltech_manifest_names_every_picture_of_its_folder(shared_images: Path, listed: Listed) -> None:
    root = shared_images / "caltech101-44"
    listing = listed("manifest", root)
    assert Counter(reference.source_split for reference in listing) == {"train": 1760, "test": 879}
    by_folder = {r.location: (r.label, r.source_split) for r in listed("folder", root)}
    assert {r.location: (r.label, r.source_split) for r in listing} == by_folder
    assert listing.ignored == 2  # README.md and labels.txt
