"""Is a text one line or one file, by its place alone, and is every file accounted for?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bronze.readers import reader_named
from bronze.reference import Listing
from models.errors import RejectedInput

Listed = Callable[..., Listing]


def make(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def places(listing: Listing) -> list[tuple[str, str | None, str | None, str | None]]:
    return [(r.source_path, r.label, r.source_split, r.error_code) for r in listing]


def texts(listing: Listing, root: Path) -> list[bytes]:
    return [reader_named("text_folder").content(r, root, 100) for r in listing if r.error_code is None]


def test_a_class_file_holds_a_text_per_line(tmp_path: Path, listed: Listed) -> None:
    make(tmp_path, {"pay bill.txt": b"pay it\nnow, please\r\n", "play.TXT": b"\xef\xbb\xbfa song"})
    listing = listed("text_folder", tmp_path)
    assert places(listing) == [
        ("pay bill.txt#0", "pay bill", None, None),
        ("pay bill.txt#1", "pay bill", None, None),
        ("play.TXT#0", "play", None, None),
    ]
    assert texts(listing, tmp_path) == [b"pay it", b"now, please", b"a song"]


def test_only_line_feeds_end_a_line(tmp_path: Path, listed: Listed) -> None:
    breaks = "a\x0bb\x0cc\x1cd\x85e\u2028f\rg"  # what str.splitlines would cut at
    make(tmp_path, {"x.txt": f"{breaks}\n\n \r\nlast\r".encode()})
    listing = listed("text_folder", tmp_path)
    assert [r.source_path for r in listing] == [f"x.txt#{k}" for k in range(4)]
    assert texts(listing, tmp_path) == [breaks.encode(), b"", b" ", b"last\r"]


def test_a_file_in_a_class_folder_is_one_text_as_it_is(tmp_path: Path, listed: Listed) -> None:
    make(tmp_path, {"pos/1.txt": b"\xef\xbb\xbfgood\r\nfilm\n", "pos/deep/2.txt": b"fine", "neg/1.txt": b"bad"})
    listing = listed("text_folder", tmp_path)
    assert places(listing) == [
        ("neg/1.txt", "neg", None, None),
        ("pos/1.txt", "pos", None, None),
        ("pos/deep/2.txt", "pos", None, None),
    ]
    assert texts(listing, tmp_path) == [b"bad", b"good\r\nfilm\n", b"fine"]


def test_folders_with_usual_names_are_splits_in_both_layouts(tmp_path: Path, listed: Listed) -> None:
    make(tmp_path, {"train/pos/1.txt": b"a", "train/neg/1.txt": b"b", "test/pos.txt": b"c\nd", "labels.txt": b"pos\nneg"})
    assert places(listed("text_folder", tmp_path)) == [
        ("labels.txt", None, None, "label_missing"),  # a class file beside split folders belongs to no split
        ("test/pos.txt#0", "pos", "test", None),
        ("test/pos.txt#1", "pos", "test", None),
        ("train/neg/1.txt", "neg", "train", None),
        ("train/pos/1.txt", "pos", "train", None),
    ]
    never = listed("text_folder", tmp_path, {"text_folder": {"split_folders": []}})
    assert ("train/pos/1.txt", "train", None, None) in places(never)
    assert ("labels.txt", None, None, "label_missing") in places(never)  # beside the class folders `train` and `test`


def test_a_file_beside_class_folders_is_no_class_of_its_own(tmp_path: Path, listed: Listed) -> None:
    notes = {"README.txt": b"This data set\nwas made by us\n", "LICENSE.txt": b"MIT\n"}
    make(tmp_path, {"pos/1.txt": b"good", "neg/deep/1.txt": b"bad", **notes})
    listing = listed("text_folder", tmp_path)
    assert places(listing) == [
        ("LICENSE.txt", None, None, "label_missing"),
        ("README.txt", None, None, "label_missing"),
        ("neg/deep/1.txt", "neg", None, None),
        ("pos/1.txt", "pos", None, None),
    ]
    message = next(iter(listing)).message or ""
    assert "must lie in a class folder" in message and "source.text_folder.one_text_per" in message
    alone = listed("text_folder", tmp_path, {"text_folder": {"one_text_per": "file"}})
    assert [r.label for r in alone] == ["neg", "pos"] and alone.ignored == 2


def test_only_a_folder_with_a_text_at_the_same_level_says_that_folders_are_the_classes(tmp_path: Path, listed: Listed) -> None:
    make(tmp_path, {"train/pos/1.txt": b"a", "train/README.txt": b"b", "test/neg.txt": b"c", "test/pictures/1.png": b"d", "test/.x": b"e"})
    (tmp_path / "test" / "empty").mkdir()
    assert places(listed("text_folder", tmp_path)) == [
        ("test/neg.txt#0", "neg", "test", None),
        ("train/README.txt", None, "train", "label_missing"),
        ("train/pos/1.txt", "pos", "train", None),
    ]


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ("place", ["train/neg/1.txt", "train/urls_neg.txt"]),  # the second is refused
        ("file", ["train/neg/1.txt"]),
        ("line", ["train/urls_neg.txt#0", "train/urls_neg.txt#1"]),
    ],
)
def test_one_of_both_layouts_can_be_taken_alone(tmp_path: Path, listed: Listed, taken: str, expected: list[str]) -> None:
    # the layout of a known film review set: lists of addresses beside the class folders
    make(tmp_path, {"train/neg/1.txt": b"a", "train/urls_neg.txt": b"http\nhttp", "imdb.vocab": b"the"})
    listing = listed("text_folder", tmp_path, {"text_folder": {"one_text_per": taken}})
    assert [r.source_path for r in listing] == expected
    n_files = len({r.location for r in listing})
    assert n_files + listing.ignored == 3


def test_every_file_is_a_place_a_refused_row_or_ignored(tmp_path: Path, listed: Listed) -> None:
    root = make(
        tmp_path / "root",
        {
            "x/1.txt": b"a",
            "x/2.md": b"b",
            "x.txt/3.txt": b"c",
            "y.txt": b"\n",
            ".git/4.txt": b"d",
            "__MACOSX/x/1.txt": b"e",
            "._z.txt": b"\0\5",
        },
    )
    (tmp_path / "secret.txt").write_bytes(b"secret")
    (root / "x" / "out.txt").symlink_to(tmp_path / "secret.txt")
    listing = listed("text_folder", root)
    assert places(listing) == [
        ("x/1.txt", "x", None, None),
        ("x/out.txt", None, None, "outside_root"),
        ("x.txt", None, None, "not_a_file"),
        ("y.txt", None, None, "label_missing"),
    ]
    assert listing.ignored == 5  # 2.md, what lies in x.txt/, .git and __MACOSX, and a hidden class file


def test_a_class_file_without_a_line_is_refused(tmp_path: Path, listed: Listed) -> None:
    make(tmp_path, {"y.txt": b"", "z.txt": b"a"})
    assert places(listed("text_folder", tmp_path)) == [("y.txt", "y", None, "empty_text"), ("z.txt#0", "z", None, None)]


def test_a_giant_file_is_refused_from_its_length_and_a_giant_line_by_its_own(tmp_path: Path, listed: Listed) -> None:
    make(tmp_path, {"test/x/1.txt": b"a" * 101, "train/y.txt": b"b\n" + b"c" * 101 + b"\nd\n"})
    found = list(listed("text_folder", tmp_path))
    content = reader_named("text_folder").content
    assert content(found[1], tmp_path, 100) + content(found[3], tmp_path, 100) == b"bd"
    for reference in (found[0], found[2]):
        with pytest.raises(RejectedInput, match=r"too_large: .*101.*raise decode\.max_text_bytes"):
            content(reference, tmp_path, 100)


def test_labels_and_splits_are_checked_as_for_every_reader(tmp_path: Path, listed: Listed) -> None:
    make(tmp_path, {"train/pay.txt": b"a", "test/Pay/1.txt": b"b", "dev/pay/1.txt": b"c"})
    options = {"labels": ["pay"], "split_map": {"train": "adapter_train", "test": "meta"}}
    found = {r.source_path: r.error_code for r in listed("text_folder", tmp_path, options)}
    assert found == {"dev/pay/1.txt": "bad_record", "test/Pay/1.txt": "label_unknown", "train/pay.txt#0": None}
