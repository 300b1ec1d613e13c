"""Are the list files of Oxford-IIIT Pet read as they are published?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bronze.readers import reader_named
from bronze.reference import Listing
from lake.errors import MissingInputError

Listed = Callable[..., Listing]

TRAINVAL = """#Image CLASS-ID SPECIES BREED ID
Abyssinian_100 1 1 1
american_bulldog_7 2 2 1

Abyssinian_100 1 1 1
nonumber 3 1 2
Bombay_3 3 1
Bombay_4 x 1 2
../../etc/passwd_1 4 1 3
/etc/passwd_1 4 1 3
"""


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    for folder in ("annotations", "annotations/trimaps", "images"):
        (tmp_path / folder).mkdir()
    (tmp_path / "annotations" / "trainval.txt").write_text(TRAINVAL)
    (tmp_path / "annotations" / "test.txt").write_text("Abyssinian_201 1 1 1\n")
    (tmp_path / "annotations" / "list.txt").write_text("#\n")
    for name in ("Abyssinian_100.jpg", "american_bulldog_7.jpg", "Abyssinian_201.jpg", "Abyssinian_100.mat", "Bombay_9.jpg"):
        (tmp_path / "images" / name).write_bytes(name.encode())
    return tmp_path


def test_label_split_and_picture_follow_from_the_name(pets: Path, listed: Listed) -> None:
    found = [(r.source_path, r.location, r.label, r.source_split) for r in listed("pet", pets) if r.error_code is None]
    assert found == [
        ("annotations/trainval.txt#0", "images/Abyssinian_100.jpg", "Abyssinian", "trainval"),
        ("annotations/trainval.txt#1", "images/american_bulldog_7.jpg", "american_bulldog", "trainval"),
        ("annotations/test.txt#0", "images/Abyssinian_201.jpg", "Abyssinian", "test"),
    ]
    first = next(iter(listed("pet", pets)))
    assert reader_named("pet").content(first, pets, 100) == b"Abyssinian_100.jpg"


def test_every_faulty_line_is_a_refused_row_with_its_own_ordinal(pets: Path, listed: Listed) -> None:
    found = {r.source_path.removeprefix("annotations/trainval.txt#"): r.error_code for r in listed("pet", pets) if r.error_code}
    assert found == {
        "2": "duplicate_id",
        "3": "label_missing",
        "4": "bad_record",
        "5": "bad_record",
        "6": "outside_root",
        "7": "outside_root",
    }


def test_masks_and_unlisted_pictures_are_counted_as_ignored(pets: Path, listed: Listed) -> None:
    assert listed("pet", pets).ignored == 3  # list.txt, Abyssinian_100.mat, Bombay_9.jpg


def test_a_missing_list_is_an_error_unless_it_is_not_asked_for(pets: Path, listed: Listed) -> None:
    (pets / "annotations" / "test.txt").unlink()
    with pytest.raises(MissingInputError, match=r"annotations/test\.txt"):
        listed("pet", pets)
    only = listed("pet", pets, {"pet": {"lists": ["annotations/trainval.txt"]}})
    assert {reference.source_split for reference in only} == {"trainval"}
