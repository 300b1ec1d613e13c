"""Does bronze do for texts what it does for pictures: one content, its places, its split, and each fault a row?"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bronze.build import Source, examples_settings
from bronze.ingest import Ingest, ingest
from bronze.readers import list_source, reader_named
from bronze.readers.fingerprint import fingerprint
from bronze.reference import batches
from bronze.settings import DecodeSettings, SourceSettings, SplitSettings
from lake.identity import settings_id
from models.text_content import TextLimits
from tests.settled import Settled, settled

SPLIT_MAP = {"train": "adapter_train", "val": "adapter_val", "test": "meta"}
HOMOGLYPH = "раураl"  # Cyrillic but for the last letter
STRANGE = ("\U0001f469\u200d\U0001f467 now", "שלום \u202bx\u202c", "a\u200bb", "e\u0301", "é", HOMOGLYPH, "paypal")


def source_of(root: Path, reader: str = "table", decode: dict[str, int] | None = None, **options: Any) -> Source:
    settings = SourceSettings.model_validate({"reader": reader, "root": str(root), **options})
    return Source("intents", settings, SplitSettings(), DecodeSettings.model_validate(decode or {}), 0.1)


def write_csv(path: Path, rows: list[tuple[str, str]]) -> None:
    path.write_text("text,label\n" + "".join(f'"{text}",{label}\n' for text, label in rows), encoding="utf-8")


@pytest.fixture
def intents(tmp_path: Path) -> Path:
    """Three files of texts that repeat within and across files, and contradict each other once."""
    write_csv(
        tmp_path / "train.csv", [("pay my bill", "pay"), ("play it", "play"), ("pay my bill", "pay"), ("Play it", "play"), ("both", "pay")]
    )
    write_csv(tmp_path / "val.csv", [("play it", "play"), ("both", "play"), ("only val", "pay")])
    write_csv(tmp_path / "test.csv", [("only val", "pay"), ("only test", "play"), ("pay my bill", "pay"), (" ", "pay")])
    return tmp_path


def by_text(found: Settled) -> dict[str, str]:
    return {row["text"]: row["split"] for row in found.examples.values()}


def test_a_repeated_text_is_one_example_in_the_split_that_comes_first(intents: Path) -> None:
    found = settled(source_of(intents, split_map=SPLIT_MAP))
    assert found.labels == ("pay", "play")
    assert by_text(found) == {
        "pay my bill": "adapter_train",  # in test too: it leaves meta
        "play it": "adapter_train",
        "Play it": "adapter_train",  # another content: case is content
        "only val": "adapter_val",
        "only test": "meta",
    }
    places = Counter(example_id for _, example_id in found.references)
    assert {found.examples[example_id]["text"]: n for example_id, n in places.items()} == {
        "pay my bill": 3, "play it": 2, "Play it": 1, "only val": 2, "only test": 1,
    }  # fmt: skip
    assert found.rejected == {"train.csv#4": "label_conflict", "val.csv#1": "label_conflict", "test.csv#3": "empty_text"}
    assert len(found.references) + len(found.rejected) == 5 + 3 + 4  # every record is one of both


def test_a_text_is_known_by_its_bytes(intents: Path) -> None:
    found = settled(source_of(intents))
    for example_id, row in found.examples.items():
        assert example_id == hashlib.sha256(b"text\0" + row["text"].encode()).hexdigest()[:32]
        assert (row["modality"], row["image"], row["dataset"]) == ("text", None, "intents")


def test_batches_of_texts_are_bounded_in_bytes(tmp_path: Path, listed: Callable[..., Any]) -> None:
    write_csv(tmp_path / "a.csv", [(f"{k}" * 100, "x") for k in range(7)])
    work = Ingest(reader_named("table"), tmp_path, TextLimits(), "intents", "run", max_bytes=300)
    assert [batch.num_rows for batch in ingest(batches(listed("table", tmp_path)), work)] == [3, 3, 1]


def test_strange_texts_come_back_exactly_and_are_examples_of_their_own(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [(text, "x") for text in STRANGE])
    found = settled(source_of(tmp_path))
    assert {row["text"] for row in found.examples.values()} == set(STRANGE)
    assert found.rejected == {}
    notes = {row["text"]: row["notes"] for row in found.examples.values()}
    assert notes[STRANGE[0]] == notes[STRANGE[2]] == ["format_characters"] and notes["e\u0301"] == ["not_nfc"] and notes["é"] == []


def test_each_fault_is_a_row_with_its_code_and_the_neighbours_are_unaffected(tmp_path: Path) -> None:
    words = " ".join(f"word{k}" for k in range(10_000))
    lines = {
        b"hello,x": None,
        b",x": "empty_text",
        b'" \t\xe2\x80\x8b",x': "empty_text",
        b"caf\xe9,x": "invalid_utf8",
        b"a\0b,x": "nul",
        words.encode() + b",x": None,
        b"y" * 100_001 + b",x": "too_large",
        b"no label,": "label_missing",
        b"unknown,z": "label_unknown",
        b"other case,X": "label_unknown",
        b'"quotes ""and""\r\nline breaks",x': None,
        b"too,many,x": "bad_record",
        b"world,x": None,
    }
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbftext,label\r\n" + b"\r\n".join(lines) + b"\r\n")
    found = settled(source_of(tmp_path, decode={"max_text_bytes": 100_000}, labels=["x"]))
    expected = {f"a.csv#{k}": code for k, code in enumerate(lines.values()) if code}
    assert found.rejected == expected
    assert {row["text"] for row in found.examples.values()} == {"hello", words, 'quotes "and"\r\nline breaks', "world"}


def test_a_text_file_in_a_class_folder_goes_the_same_way(tmp_path: Path) -> None:
    files = {"train/x/1.txt": b"same", "train/x/2.txt": b"same", "train/x/3.txt": b"\xff", "test/y.txt": b"same\nother\n"}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(content)
    found = settled(source_of(tmp_path, "text_folder"))
    assert found.rejected == {
        "train/x/1.txt": "label_conflict", "train/x/2.txt": "label_conflict", "test/y.txt#0": "label_conflict",
        "train/x/3.txt": "invalid_utf8",
    }  # fmt: skip
    assert [row["text"] for row in found.examples.values()] == ["other"]


def test_a_limit_takes_texts_in_the_order_of_their_hash(intents: Path) -> None:
    whole = settled(source_of(intents, table={"files": ["train.csv"]}))
    for limit in (1, 3):
        few = settled(source_of(intents, table={"files": ["train.csv"]}, limit=limit))
        assert set(few.examples) == set(sorted(whole.examples)[:limit])
        assert few.ignored == whole.ignored + 5 - len(few.references)


def test_outside_labels_are_in_the_lake_and_in_no_class(intents: Path) -> None:
    write_csv(intents / "oos.csv", [("how tall is the moon", "oos"), ("only test", "oos"), ("what is love", "oos")])
    found = settled(source_of(intents, split_map=SPLIT_MAP, outside_labels=["oos"]))
    assert found.labels == ("pay", "play")
    outside = {row["text"]: (row["label"], row["label_id"]) for row in found.examples.values() if row["split"] == "outside"}
    assert outside == {"how tall is the moon": ("oos", 2), "what is love": ("oos", 2)}  # behind the two labels
    assert found.rejected["oos.csv#1"] == found.rejected["test.csv#1"] == "label_conflict"
    assert {row["label_id"] for row in found.examples.values() if row["split"] != "outside"} == {0, 1}
    named = settled(source_of(intents, split_map=SPLIT_MAP, outside_labels=["oos"], labels=["play", "pay"]))
    assert named.labels == ("play", "pay") and named.rejected == found.rejected


def identity(source: Source) -> str:
    listing = list_source(source.source, source.root, source.limits.max_bytes)
    return settings_id(examples_settings(source, listing)[1])


def test_what_defines_texts_is_in_the_hash_of_their_settings_and_limits_of_pictures_are_not(intents: Path) -> None:
    (intents / "wide.csv").write_text("text,said,label\na,b,pay\nc,d,play\n")

    def wide(**options: Any) -> Source:
        columns = options.pop("table", {})
        return source_of(intents, table={"files": ["wide.csv"], **columns}, **options)

    plain = identity(wide())
    assert identity(wide(decode={"max_pixels": 5, "max_bytes": 5})) == plain
    others = [wide(decode={"max_text_bytes": 5}), wide(table={"text": "said"}), wide(outside_labels=["oos"]), wide(limit=1)]
    assert len({plain, *map(identity, others)}) == 5


def test_the_fingerprint_changes_with_the_column_of_texts(tmp_path: Path, listed: Callable[..., Any]) -> None:
    (tmp_path / "a.csv").write_text("text,said,label\na,b,x\n")
    found = [
        fingerprint(listed("table", tmp_path, {"table": {"text": column}}), reader_named("table"), tmp_path)
        for column in ("text", "said", "text")
    ]
    assert found[0] == found[2] != found[1]


def test_sources_of_pictures_hash_as_they_did_before_there_were_texts() -> None:
    # taken from the project as it was before texts, at commit 530687f
    plain = SourceSettings(reader="digits")
    few = SourceSettings.model_validate({"reader": "digits", "limit": 5, "split_map": {"a": "meta"}, "labels": ["1", "2"]})
    assert (settings_id(plain), settings_id(few)) == ("47e0289b1a534a25", "186d0dd0e00e0859")
    assert settings_id(DecodeSettings()) == "779b04954f2c7219"
    sources = [Source("d", settings, SplitSettings(), DecodeSettings(), 0.1) for settings in (plain, few)]
    listing = list_source(plain, sources[0].root, 10**6)
    assert [settings_id(examples_settings(source, listing)[1]) for source in sources] == ["dba66528f47cc5f4", "2473d8cb5158498f"]


@pytest.mark.parametrize(
    ("name", "files", "outside", "expected"),
    [
        # 9,999 + 3,079 different texts (4 + 1 repeats), of which 7 stand in both: they leave meta
        ("banking77", ["train.csv", "test.csv"], [], {"adapter_train": 9999, "meta": 3072}),
        # 4 texts have two labels (8 rows); one of val stands in train with the same label
        ("clinc150", ["train.csv", "val.csv", "test.csv", "oos.csv"], ["oos"],
         {"adapter_train": 14996, "adapter_val": 2997, "meta": 4498, "outside": 1200}),
        # 3 repeats in train, 70 in val
        ("hwu64", ["train.csv", "val.csv", "test.csv"], [], {"adapter_train": 8951, "adapter_val": 1006, "meta": 1076}),
    ],
)  # fmt: skip
def test_the_real_sets_keep_every_record(
    shared_texts: Path, name: str, files: list[str], outside: list[str], expected: dict[str, int]
) -> None:
    root = shared_texts / name
    found = settled(source_of(root, table={"files": files}, split_map=SPLIT_MAP, outside_labels=outside))
    assert Counter(row["split"] for row in found.examples.values()) == expected
    rows = sum(len((root / file).read_text(encoding="utf-8").splitlines()) - 1 for file in files)  # their README: a record a line
    assert len(found.references) + len(found.rejected) == rows
    assert Counter(found.rejected.values()) == ({"label_conflict": 8} if name == "clinc150" else {})
    assert list(found.labels) == (root / "labels.txt").read_text(encoding="utf-8").splitlines()
