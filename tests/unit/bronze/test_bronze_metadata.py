"""Are the columns that a user asks for kept with every record, as text, in every format?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from bronze.metadata.build import digest
from bronze.readers import reader_named
from bronze.readers.fingerprint import fingerprint
from bronze.readers.records import MAX_METADATA, kept_text
from bronze.reference import REFERENCE_SCHEMA, Listing, batches
from bronze.settings import SourceSettings
from lake.errors import ConfigError
from lake.identity import canonical_json

Listed = Callable[..., Listing]
RECORDS = [
    {"text": "a", "label": "x", "site": "north", "day": 3, "wet": True},
    {"text": "b", "label": "x", "site": None, "day": None, "wet": None},
]


def kept(listing: Listing) -> list[tuple[tuple[str, str | None], ...]]:
    assert all(reference.error_code is None for reference in listing)
    return [reference.metadata for reference in listing]


def test_values_are_text_and_null_stays_null_in_json_lines_and_parquet(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    pq.write_table(pa.Table.from_pylist(RECORDS), tmp_path / "r.parquet")
    for name in ("r.jsonl", "r.parquet"):
        found = kept(listed("table", tmp_path, {"table": {"files": [name], "metadata": ["day", "site", "wet"]}}))
        assert found == [
            (("day", "3"), ("site", "north"), ("wet", "true")),
            (("day", None), ("site", None), ("wet", None)),
        ], name


def test_a_csv_keeps_what_stands_there_and_without_the_key_nothing(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "m.csv").write_text("path,label,site,day\na.png,x,north,3\nb.png,x,,\n")
    options = {"manifest": {"file": "m.csv", "metadata": ["site"]}}
    assert kept(listed("manifest", tmp_path, options)) == [(("site", "north"),), (("site", ""),)]
    assert kept(listed("manifest", tmp_path, {"manifest": {"file": "m.csv"}})) == [(), ()]


def test_a_column_that_is_not_there_ends_the_run_by_name(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "m.csv").write_text("path,label\na.png,x\n")
    with pytest.raises(ConfigError, match=r"correct site there, or source\.manifest"):
        list(listed("manifest", tmp_path, {"manifest": {"file": "m.csv", "metadata": ["site"]}}))


def test_a_value_is_bounded_and_printable() -> None:
    assert kept_text("x" * MAX_METADATA) == "x" * MAX_METADATA
    assert kept_text("x" * 1000) == "x" * (MAX_METADATA - 1) + "…"
    assert kept_text("a\0b\udcff") == "a\\x00b\\xff" and kept_text(None) is None and kept_text("") == ""


def test_workers_are_sent_none_of_it(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "m.csv").write_text("path,label,site\na.png,x,north\n")
    (batch,) = batches(listed("manifest", tmp_path, {"manifest": {"file": "m.csv", "metadata": ["site"]}}))
    assert batch.schema == REFERENCE_SCHEMA


def test_a_value_that_changes_in_a_list_of_pictures_is_noticed_where_no_picture_does(tmp_path: Path, listed: Listed) -> None:
    def read(site: str) -> tuple[str, str]:
        (tmp_path / "m.csv").write_text(f"path,label,site\na.png,x,{site}\n../b.png,x,anywhere\n")
        listing = listed("manifest", tmp_path, {"manifest": {"file": "m.csv", "metadata": ["site"]}})
        return fingerprint(listing, reader_named("manifest"), tmp_path), digest(listing)

    before, after = read("north"), read("west")
    assert before[0] == after[0] and before[1] != after[1]
    assert read("north") == before


@pytest.mark.parametrize(("names", "reason"), [(["a", "a"], "distinct"), ([" "], "distinct"), (["label"], "must not name 'label'")])
def test_columns_that_cannot_be_slices_are_refused(names: list[str], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        SourceSettings.model_validate({"reader": "table", "root": "x", "table": {"metadata": names}})


def test_a_source_without_the_key_hashes_as_it_did() -> None:
    for reader in ("manifest", "table"):
        plain = SourceSettings.model_validate({"reader": reader, "root": "x", reader: {"label": "class"}})
        assert "metadata" not in canonical_json(plain)
        named = plain.model_copy(update={reader: getattr(plain, reader).model_copy(update={"metadata": ("site",)})})
        assert '"metadata":["site"]' in canonical_json(named) and named.metadata == ("site",)
    assert SourceSettings(reader="folder", root="x").metadata == ()
