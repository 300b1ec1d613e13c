"""Which files are read as files of texts, in which order, and how often?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from bronze.readers.texts import text_of
from bronze.reference import Reference
from lake.errors import ConfigError, MissingInputError
from tests.unit.bronze.record_files import Listed, contents, write


def test_files_come_in_the_order_of_the_settings_and_each_once(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "more").mkdir()
    for name in ("b.csv", "a.csv", "more/c.csv", "more/d.csv", "oos.csv"):
        write(tmp_path / name, {"text": [name], "label": ["x"]})
    (tmp_path / "README.md").write_text("ignored")
    (tmp_path / "._a.csv").write_bytes(b"\0\5\x16\7")  # what a Mac leaves beside a file

    def names(*files: str) -> list[str]:
        return [reference.location for reference in listed("table", tmp_path, {"table": {"files": list(files)}})]

    assert names("b.csv", "a.csv") == ["b.csv", "a.csv"]
    assert names("./b.csv", "?.csv") == ["b.csv", "a.csv"]
    assert names("*.csv") == ["a.csv", "b.csv", "oos.csv"]  # a star does not go into folders
    assert names("more/*.csv", "*/c.csv") == ["more/c.csv", "more/d.csv"]
    assert listed("table", tmp_path, {"table": {"files": ["more/*.csv"]}}).ignored == 5


def test_without_names_every_file_of_records_in_the_root_is_read(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "more").mkdir()
    for name in ("b.parquet", "a.CSV", "c.jsonl", "more/d.csv"):
        write(tmp_path / name, {"text": [name], "label": ["x"]})
    (tmp_path / "labels.txt").write_text("x\n")
    listing = listed("table", tmp_path)
    assert [reference.location for reference in listing] == ["a.CSV", "b.parquet", "c.jsonl"]
    assert listing.ignored == 2
    for path in ("a.CSV", "b.parquet", "c.jsonl"):
        (tmp_path / path).unlink()
    with pytest.raises(MissingInputError, match=r"must hold a file of records \(\.csv, \.tsv, \.jsonl, \.parquet\), found none"):
        listed("table", tmp_path)


@pytest.mark.parametrize("file", ["gone.csv", "gone*.csv", "../a.csv", "/etc/hostname", "folder"])
def test_a_name_or_pattern_that_finds_no_file_is_an_error(tmp_path: Path, listed: Listed, file: str) -> None:
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    for folder in (root, tmp_path):
        write(folder / "a.csv", {"text": ["a"], "label": ["x"]})
    with pytest.raises(MissingInputError, match="must name a file below"):
        listed("table", root, {"table": {"files": ["a.csv", file]}})


def test_a_file_of_another_kind_is_an_error(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    with pytest.raises(ConfigError, match=r"must end in \.csv, \.tsv, \.jsonl, \.parquet, found 'a\.xlsx'"):
        list(listed("table", tmp_path, {"table": {"files": ["a.xlsx"]}}))


def test_a_link_is_followed_inside_the_root_and_refused_out_of_it(tmp_path: Path, listed: Listed) -> None:
    root = tmp_path / "root"
    (root / "store").mkdir(parents=True)
    for path in (root / "store" / "1a2b", tmp_path / "secret.csv"):
        path.write_text("text,label\nhello,x\n")
    (root / "in.csv").symlink_to("store/1a2b")  # the format is that of the link's name
    (root / "out.csv").symlink_to(tmp_path / "secret.csv")
    found = list(listed("table", root))
    assert [(r.source_path, r.error_code) for r in found] == [("in.csv#0", None), ("out.csv", "outside_root")]
    assert contents(found[:1], root) == ["hello"]


def test_a_file_is_read_once_for_all_its_records(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    reads = []

    def load(path: str, location: str, field: str | None) -> Iterable[str | None]:
        reads.append(path)
        return ["zero", None, "caf\udce9"]

    found = [text_of(Reference(f"a#{k}", "a", k, field="text"), tmp_path, 10, load) for k in (2, 0, 1)]
    assert found == [b"caf\xe9", b"zero", b""]
    assert reads == [str(tmp_path / "a")]
