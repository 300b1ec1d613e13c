"""Do all readers keep the same laws, does a small run stay the same, and is a changed source noticed?"""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import bronze.readers
from bronze.readers import READERS, Reader, list_source, reader_named
from bronze.readers.fingerprint import fingerprint
from bronze.reference import Listing
from bronze.settings import SourceSettings
from lake.identity import content_id
from models.decode import DecodeLimits, decode
from models.text_content import TextLimits, decode_text

Listed = Callable[..., Listing]
Picture = Callable[[int], bytes]


@pytest.fixture
def source(tmp_path: Path, picture: Picture) -> Path:
    """One root that every reader finds two pictures, or texts, of the same classes in."""
    for name, number in (("images/cat_1.jpg", 1), ("images/dog_2.jpg", 2)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(picture(number))
    (tmp_path / "annotations").mkdir()
    for name, line in (("trainval", "cat_1 1 1 1\n"), ("test", "dog_2 2 2 1\n")):
        (tmp_path / "annotations" / f"{name}.txt").write_text(line)
    (tmp_path / "manifest.csv").write_text("path,label\nimages/cat_1.jpg,cat\nimages/dog_2.jpg,dog\n")
    (tmp_path / "texts.csv").write_text("text,label\nmeow,cat\nwoof,dog\n")
    np.savez(tmp_path / "set.npz", x_all=np.arange(24, dtype=np.uint8).reshape(2, 3, 4), y_all=np.array(["cat", "dog"]))
    return tmp_path


OPTIONS: dict[str, dict[str, object]] = {"table": {"table": {"files": ["texts.csv"]}}}  # the manifest beside it holds no texts


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_a_reader_names_places_once_in_one_order_and_gives_contents_for_them(reader: Reader, source: Path, listed: Listed) -> None:
    listing = listed(reader.name, source, OPTIONS.get(reader.name))
    found, again = list(listing), list(listing)
    assert found == again
    assert len(found) >= 2
    assert len({reference.source_path for reference in found}) == len(found)
    for reference in found[:2]:
        assert reference.error_code is None
        content = reader.content(reference, source, 2**20)
        assert content == reader.content(reference, source, 2**20)
        if reader.modality == "text":
            assert decode_text(content, TextLimits()).text
        else:
            assert decode(content, DecodeLimits()).image.ndim == 3


def test_there_are_readers_of_two_modalities() -> None:
    assert {reader.modality for reader in READERS} == {"image", "text"}


def test_every_module_with_a_listing_is_in_the_tuple() -> None:
    modules = [importlib.import_module(f"bronze.readers.{module.name}") for module in pkgutil.iter_modules(bronze.readers.__path__)]
    listings = {module.listing for module in modules if hasattr(module, "listing")}
    assert listings == {reader.listing for reader in READERS}
    assert len({reader.name for reader in READERS}) == len(READERS)


def test_an_unknown_reader_is_refused() -> None:
    with pytest.raises(ValueError, match="must be one of folder"):
        reader_named("zip")


def test_a_limit_takes_the_first_contents_by_hash_and_ignores_the_rest(tmp_path: Path, picture: Picture) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "1.jpg").write_bytes(picture(99))  # label_missing: refused rows always stay
    (tmp_path / "cat" / "gone.jpg").symlink_to(tmp_path / "x.jpg")
    for number in range(10):
        (tmp_path / "cat" / f"{number}.jpg").write_bytes(picture(number))
    (tmp_path / "cat" / "copy.jpg").write_bytes(picture(3))
    order = sorted(range(10), key=lambda number: content_id("image", picture(number)))
    for limit in (1, 4, 10, 11):
        listing = list_source(SourceSettings(reader="folder", root=str(tmp_path), limit=limit), tmp_path, 2**20)
        good = {reference.source_path for reference in listing if reference.error_code is None}
        assert good == {f"cat/{number}.jpg" for number in order[:limit]} | ({"cat/copy.jpg"} if 3 in order[:limit] else set())
        assert {reference.source_path for reference in listing if reference.error_code} == {"1.jpg", "cat/gone.jpg"}
        assert listing.ignored == 11 - len(good)


def test_a_limit_keeps_what_cannot_be_read_so_that_it_is_rejected_with_its_reason(tmp_path: Path, picture: Picture) -> None:
    (tmp_path / "manifest.csv").write_text("path,label\ngone.jpg,cat\nhere.jpg,cat\nlarge.jpg,cat\n")
    (tmp_path / "here.jpg").write_bytes(picture(1))
    (tmp_path / "large.jpg").write_bytes(b"x" * 3000)
    listing = list_source(SourceSettings(reader="manifest", root=str(tmp_path), limit=1), tmp_path, 2000)
    assert [reference.location for reference in listing] == ["gone.jpg", "here.jpg", "large.jpg"]


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_the_fingerprint_of_an_unchanged_source_stays(reader: Reader, source: Path, listed: Listed) -> None:
    first, second = (fingerprint(listed(reader.name, source, OPTIONS.get(reader.name)), reader, source) for _ in range(2))
    assert first == second


def test_the_fingerprint_changes_with_every_change_that_matters(source: Path, listed: Listed, picture: Picture) -> None:
    reader = reader_named("manifest")

    def now() -> str:
        return fingerprint(listed("manifest", source), reader, source)

    seen = [now()]
    (source / "images" / "cat_1.jpg").write_bytes(picture(1) + b"longer")
    seen.append(now())
    os.utime(source / "images" / "cat_1.jpg", ns=(1, 1))  # same size, another time
    seen.append(now())
    (source / "manifest.csv").write_text("path,label\nimages/cat_1.jpg,emu\nimages/dog_2.jpg,dog\n")
    seen.append(now())
    (source / "manifest.csv").write_text("path,label,split\nimages/cat_1.jpg,emu,a\nimages/dog_2.jpg,dog,a\n")
    seen.append(now())
    (source / "new.txt").write_text("x")
    seen.append(now())
    (source / "images" / "dog_2.jpg").unlink()
    seen.append(now())
    assert len(set(seen)) == len(seen)
