"""Does every reference become exactly one row, with the bytes as they are or the reason why not?"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bronze.ingest import INGEST_SCHEMA, Ingest, ingest
from bronze.readers import reader_named
from bronze.reference import Listing, Reference, batches
from lake.identity import content_id
from models.decode import DecodeLimits

Listed = Callable[..., Listing]
Picture = Callable[[int], bytes]


def work(root: Path, reader: str = "folder", limits: DecodeLimits | None = None, max_rows: int = 256, max_bytes: int = 2**26) -> Ingest:
    return Ingest(reader_named(reader), root, limits or DecodeLimits(), "pets", "run-1", max_rows, max_bytes)


def rows(listing: Listing, settings: Ingest) -> list[dict[str, Any]]:
    found = list(ingest(batches(listing, rows=3), settings))
    assert all(batch.schema == INGEST_SCHEMA for batch in found)
    return [row for batch in found for row in batch.to_pylist()]


def codes(found: list[dict[str, Any]]) -> dict[str, str | None]:
    return {row["source_path"]: row["error_code"] for row in found}


def jpeg(size: tuple[int, int] = (64, 64)) -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "JPEG")
    return buffer.getvalue()


def test_an_example_has_the_files_bytes_and_the_hash_of_them(tmp_path: Path, listed: Listed, picture: Picture) -> None:
    (tmp_path / "train" / "cat").mkdir(parents=True)
    (tmp_path / "train" / "cat" / "1.png").write_bytes(picture(7))
    (row,) = rows(listed("folder", tmp_path), work(tmp_path))
    assert row == {
        "kind": "example",
        "dataset": "pets",
        "source_path": "train/cat/1.png",
        "example_id": content_id("image", picture(7)),
        "modality": "image",
        "label": "cat",
        "source_split": "train",
        "image": picture(7),
        "text": None,
        "notes": [],
        "stage": None,
        "error_code": None,
        "message": None,
        "run_id": "run-1",
    }


def test_each_fault_is_a_row_with_its_code_and_the_neighbours_are_unaffected(tmp_path: Path, listed: Listed, picture: Picture) -> None:
    folder = tmp_path / "cat"
    folder.mkdir()
    contents = {
        "corrupt.jpg": b"this is no picture",
        "cut.jpg": jpeg()[: len(jpeg()) // 2],
        "empty.jpg": b"",
        "good.jpg": jpeg(),
        "good.png": picture(1),
        "long.png": picture(2) + b"\0" * 20_000,
        "wide.jpg": jpeg((200, 200)),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    os.mkfifo(folder / "pipe.jpg")
    (folder / "out.jpg").symlink_to(tmp_path.parent)
    (tmp_path / "loose.jpg").write_bytes(picture(3))
    limit = len(jpeg((200, 200)))  # the largest honest file
    (folder / "long.png").write_bytes(picture(2) + b"\0" * limit)
    found = rows(listed("folder", tmp_path), work(tmp_path, limits=DecodeLimits(max_bytes=limit, max_pixels=10_000)))
    assert codes(found) == {
        "cat/corrupt.jpg": "decode_error",
        "cat/cut.jpg": "truncated",
        "cat/empty.jpg": "decode_error",
        "cat/good.jpg": None,
        "cat/good.png": None,
        "cat/long.png": "too_large",
        "cat/out.jpg": "outside_root",
        "cat/pipe.jpg": "not_a_file",
        "cat/wide.jpg": "bomb",
        "loose.jpg": "label_missing",
    }
    rejected = [row for row in found if row["kind"] == "rejected"]
    assert {row["source_path"] for row in rejected} == {path for path, code in codes(found).items() if code}
    assert all(row["message"] and row["image"] is None and row["example_id"] is None for row in rejected)
    assert {row["stage"] for row in rejected if row["error_code"] == "label_missing"} == {"label"}
    assert {row["stage"] for row in rejected if row["error_code"] != "label_missing"} == {"read"}


def test_no_message_tells_where_the_root_lies(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "manifest.csv").write_text(f"path,label\ngone.jpg,cat\n{'x' * 300}.jpg,cat\nmanifest.csv/x.jpg,cat\n.,cat\n")
    found = rows(listed("manifest", tmp_path), work(tmp_path, "manifest"))
    assert [row["error_code"] for row in found] == ["not_a_file"] * 4
    assert not any(str(tmp_path) in row["message"] for row in found)


def test_a_file_that_vanishes_after_the_listing_is_a_rejected_row(tmp_path: Path, listed: Listed, picture: Picture) -> None:
    (tmp_path / "cat").mkdir()
    for number in range(2):
        (tmp_path / "cat" / f"{number}.png").write_bytes(picture(number))
    references = list(batches(listed("folder", tmp_path)))
    (tmp_path / "cat" / "0.png").unlink()
    found = [row for batch in ingest(references, work(tmp_path)) for row in batch.to_pylist()]
    assert codes(found) == {"cat/0.png": "not_a_file", "cat/1.png": None}


def test_one_content_at_two_paths_is_one_id_and_new_content_another(tmp_path: Path, listed: Listed, picture: Picture) -> None:
    (tmp_path / "cat").mkdir()
    for name, number in (("a.png", 1), ("b.png", 1), ("c.png", 2)):
        (tmp_path / "cat" / name).write_bytes(picture(number))
    first = {row["source_path"]: row["example_id"] for row in rows(listed("folder", tmp_path), work(tmp_path))}
    assert first["cat/a.png"] == first["cat/b.png"] != first["cat/c.png"]
    (tmp_path / "cat" / "a.png").write_bytes(picture(3))
    second = {row["source_path"]: row["example_id"] for row in rows(listed("folder", tmp_path), work(tmp_path))}
    assert second["cat/a.png"] not in first.values()
    assert second["cat/b.png"] == first["cat/b.png"]


def test_rows_do_not_depend_on_the_order_or_the_size_of_batches(listed: Listed, tmp_path: Path) -> None:
    places = list(listed("digits", tmp_path))[:40]
    settings = work(tmp_path, "digits")
    one = rows(Listing(lambda: iter(places)), settings)
    other = rows(Listing(lambda: iter(places[::-1])), work(tmp_path, "digits", max_rows=7))
    assert other[::-1] == one


def test_batches_are_bounded_in_rows_and_bytes(listed: Listed, tmp_path: Path, picture: Picture) -> None:
    (tmp_path / "cat").mkdir()
    for number in range(9):
        (tmp_path / "cat" / f"{number}.png").write_bytes(picture(number))
    (tmp_path / "cat" / "9.png").write_bytes(jpeg())  # larger than the bound: a batch of its own
    largest = max(len(picture(number)) for number in range(9))
    references = list(batches(listed("folder", tmp_path)))
    by_rows = list(ingest(references, work(tmp_path, max_rows=4)))
    assert [batch.num_rows for batch in by_rows] == [4, 4, 2]
    by_bytes = list(ingest(references, work(tmp_path, max_bytes=3 * largest)))
    assert by_bytes[-1].num_rows == 1
    for batch in by_bytes[:-1]:
        assert sum(len(image) for image in batch.column("image").to_pylist()) <= 3 * largest
    assert sum(batch.num_rows for batch in by_bytes) == 10


def test_conversions_are_noted(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "cat").mkdir()
    Image.new("RGBA", (4, 4), (1, 2, 3, 40)).save(tmp_path / "cat" / "1.png")
    (row,) = rows(listed("folder", tmp_path), work(tmp_path))
    assert row["notes"] == ["alpha_on_white"]


def test_no_references_give_no_batches(tmp_path: Path) -> None:
    assert list(ingest(iter(()), work(tmp_path))) == []


def test_an_error_that_is_not_of_the_input_is_not_caught(tmp_path: Path) -> None:
    references = batches(Listing(lambda: iter([Reference("a", "a", label="cat")])))
    broken = Ingest(reader_named("folder"), None, DecodeLimits(), "pets", "run-1")  # type: ignore[arg-type]  # a bug of ours, on purpose
    with pytest.raises(TypeError):
        list(ingest(references, broken))
