"""Is every file below a folder of class folders an example, a refused row or counted, and nothing outside it ever opened?"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from bronze.readers import reader_named
from bronze.readers.walk import walk
from bronze.reference import Listing, Reference
from lake.errors import MissingInputError
from models.errors import RejectedInput

Listed = Callable[..., Listing]


def write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(path.encode())


def by_path(listing: Listing) -> dict[str, Reference]:
    return {reference.source_path: reference for reference in listing}


def test_the_class_folder_is_the_label_and_deeper_folders_belong_to_it(tmp_path: Path, listed: Listed) -> None:
    write(tmp_path, "cat/1.jpg", "cat/old/2.PNG", "dog/1.jpeg")
    found = [(reference.source_path, reference.label, reference.source_split) for reference in listed("folder", tmp_path)]
    assert found == [("cat/1.jpg", "cat", None), ("cat/old/2.PNG", "cat", None), ("dog/1.jpeg", "dog", None)]


def test_references_come_in_code_point_order_whatever_order_the_files_were_made_in(tmp_path: Path, listed: Listed) -> None:
    names = ["b.jpg", "B.jpg", "é.jpg", "_b.jpg", "10.jpg", "9.jpg"]
    orders = []
    for run, order in enumerate((names, names[::-1])):
        write(tmp_path / str(run), *(f"x/{name}" for name in order))
        orders.append([reference.source_path for reference in listed("folder", tmp_path / str(run))])
    assert orders[0] == orders[1] == ["x/10.jpg", "x/9.jpg", "x/B.jpg", "x/_b.jpg", "x/b.jpg", "x/é.jpg"]


def test_usual_top_folders_are_splits_only_when_all_of_them_are(tmp_path: Path, listed: Listed) -> None:
    write(tmp_path / "a", "train/cat/1.jpg", "test/dog/2.jpg")
    write(tmp_path / "b", "train/1.jpg", "car/2.jpg")
    assert [(r.label, r.source_split) for r in listed("folder", tmp_path / "a")] == [("dog", "test"), ("cat", "train")]
    assert [(r.label, r.source_split) for r in listed("folder", tmp_path / "b")] == [("car", None), ("train", None)]


def test_configured_split_folders_overrule_the_usual_names(tmp_path: Path, listed: Listed) -> None:
    write(tmp_path, "train/cat/1.jpg", "test/dog/2.jpg")
    assert [r.label for r in listed("folder", tmp_path, {"folder": {"split_folders": []}})] == ["test", "train"]
    assert [r.source_split for r in listed("folder", tmp_path, {"folder": {"split_folders": ["train"]}})] == [None, "train"]


@pytest.mark.parametrize("beside", [".cache/x/1.jpg", "__MACOSX/train/cat/._1.jpg", "classes/.DS_Store", "classes/"])
def test_hidden_empty_and_archive_folders_beside_splits_neither_undo_them_nor_become_classes(
    beside: str, tmp_path: Path, listed: Listed
) -> None:
    write(tmp_path, "train/cat/1.jpg", "test/dog/2.jpg")
    (tmp_path / beside).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / beside).mkdir() if beside.endswith("/") else write(tmp_path, beside)
    listing = listed("folder", tmp_path)
    assert [(r.label, r.source_split) for r in listing] == [("dog", "test"), ("cat", "train")]
    assert listing.ignored == (0 if beside.endswith("/") else 1)


def test_a_full_folder_beside_splits_still_makes_all_of_them_classes(tmp_path: Path, listed: Listed) -> None:
    write(tmp_path, "train/cat/1.jpg", "test/dog/2.jpg", "extra/note.txt")
    assert {r.source_split for r in listed("folder", tmp_path)} == {None}


def test_pictures_of_a_hidden_folder_make_no_class_unless_it_is_a_configured_split(tmp_path: Path, listed: Listed) -> None:
    write(tmp_path, "cat/1.jpg", ".old/dog/2.jpg")
    assert [r.label for r in listed("folder", tmp_path)] == ["cat"]
    assert [r.label for r in listed("folder", tmp_path, {"folder": {"split_folders": [".old"]}})] == ["dog", "cat"]


def test_files_that_are_no_pictures_are_counted_and_names_with_an_underscore_are_read(tmp_path: Path, listed: Listed) -> None:
    write(tmp_path, "README.md", "cat/_1.jpg", "_cat/2.jpg", "cat/notes.txt", "cat/.DS_Store")
    listing = listed("folder", tmp_path)
    assert list(by_path(listing)) == ["_cat/2.jpg", "cat/_1.jpg"]
    assert listing.ignored == 3


def test_a_picture_outside_any_class_folder_has_no_label(tmp_path: Path, listed: Listed) -> None:
    write(tmp_path, "1.jpg", "cat/2.jpg")
    found = by_path(listed("folder", tmp_path))
    assert found["1.jpg"].error_code == "label_missing"
    assert found["cat/2.jpg"].error_code is None


def test_labels_outside_the_configured_ones_are_refused_also_when_only_the_case_differs(tmp_path: Path, listed: Listed) -> None:
    write(tmp_path, "Cat/1.jpg", "cat/2.jpg", "emu/3.jpg")
    found = by_path(listed("folder", tmp_path, {"labels": ["cat", "dog"]}))
    assert {path: reference.error_code for path, reference in found.items()} == {
        "Cat/1.jpg": "label_unknown",
        "cat/2.jpg": None,
        "emu/3.jpg": "label_unknown",
    }
    assert "'cat' differs only in case" in (found["Cat/1.jpg"].message or "")


def test_a_source_split_without_a_place_in_the_split_map_is_refused(tmp_path: Path, listed: Listed) -> None:
    write(tmp_path, "train/cat/1.jpg", "dev/cat/2.jpg")
    found = by_path(listed("folder", tmp_path, {"split_map": {"train": "meta"}}))
    assert {path: reference.error_code for path, reference in found.items()} == {"dev/cat/2.jpg": "bad_record", "train/cat/1.jpg": None}


def test_folders_named_like_pictures_and_pipes_are_refused_and_files_in_them_counted(tmp_path: Path, listed: Listed) -> None:
    write(tmp_path, "cat/1.jpg", "cat/folder.jpg/2.jpg")
    os.mkfifo(tmp_path / "cat" / "pipe.jpg")
    os.mkfifo(tmp_path / "cat" / "pipe")
    listing = listed("folder", tmp_path)
    codes = {path: reference.error_code for path, reference in by_path(listing).items()}
    assert codes == {"cat/1.jpg": None, "cat/folder.jpg": "not_a_file", "cat/pipe": "not_a_file", "cat/pipe.jpg": "not_a_file"}
    assert listing.ignored == 1


def test_links_inside_the_root_are_followed_and_others_refused_unopened(tmp_path: Path, listed: Listed) -> None:
    write(tmp_path, "outside/secret.jpg", "rootbeside/x.jpg", "root/cat/1.jpg", "root/store/7/2.jpg")
    root = tmp_path / "root"
    (root / "cat" / "in.jpg").symlink_to(root / "store" / "7" / "2.jpg")
    (root / "cat" / "out.jpg").symlink_to(tmp_path / "outside" / "secret.jpg")
    (root / "cat" / "beside.jpg").symlink_to(tmp_path / "rootbeside" / "x.jpg")  # its path begins like the root's
    (root / "cat" / "nothing.jpg").symlink_to(root / "gone.jpg")
    (root / "dog").symlink_to(root / "store" / "7")
    (root / "emu").symlink_to(tmp_path / "outside")
    codes = {path: (reference.label, reference.error_code) for path, reference in by_path(listed("folder", root)).items()}
    assert codes == {
        "cat/1.jpg": ("cat", None),
        "cat/in.jpg": ("cat", None),
        "cat/out.jpg": ("cat", "outside_root"),
        "cat/beside.jpg": ("cat", "outside_root"),
        "cat/nothing.jpg": ("cat", "not_a_file"),
        "dog/2.jpg": ("dog", None),
        "emu": (None, "outside_root"),
        "store/7/2.jpg": ("store", None),
    }


def test_a_root_that_is_itself_a_link_is_the_folder_it_leads_to(tmp_path: Path, listed: Listed) -> None:
    write(tmp_path, "real/cat/1.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert by_path(listed("folder", tmp_path / "link"))["cat/1.jpg"].error_code is None


def test_links_in_a_circle_end(tmp_path: Path, listed: Listed) -> None:
    write(tmp_path, "cat/1.jpg")
    (tmp_path / "cat" / "up").symlink_to(tmp_path)
    (tmp_path / "self.jpg").symlink_to(tmp_path / "self.jpg")
    codes = {path: reference.error_code for path, reference in by_path(listed("folder", tmp_path)).items()}
    assert codes == {"cat/1.jpg": None, "cat/up": "not_a_file", "self.jpg": "not_a_file"}


def test_folders_that_link_each_other_are_walked_a_bounded_number_of_times(tmp_path: Path) -> None:
    for name in "abcdef":
        write(tmp_path, f"{name}/1.jpg")
        for other in "abcdef".replace(name, ""):
            (tmp_path / name / other).symlink_to(tmp_path / other)
    # 6 folders, then 5, 4, 3 choices for at most three links: 6 * (1 + 5 + 20 + 60) visits instead of 6! * e
    assert sum(found.kind == "file" for found in walk(tmp_path)) == 6 * 86


def test_a_name_that_is_no_utf8_is_stored_escaped_and_read(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / os.fsdecode(b"\xff.jpg")).write_bytes(b"content")
    (reference,) = listed("folder", tmp_path)
    assert reference.source_path == "cat/\\xff.jpg"
    assert reader_named("folder").content(reference, tmp_path, 100) == b"content"


def test_content_of_a_folder_is_bounded_and_stays_inside_the_root_when_files_change_after_listing(tmp_path: Path, listed: Listed) -> None:
    write(tmp_path, "secret", "root/cat/1.jpg", "root/cat/2.jpg", "root/cat/3.jpg")
    root, content = tmp_path / "root", reader_named("folder").content
    first, second, third = listed("folder", root)
    (root / "cat" / "2.jpg").unlink()
    (root / "cat" / "2.jpg").symlink_to(tmp_path / "secret")
    (root / "cat" / "3.jpg").unlink()
    os.mkfifo(root / "cat" / "3.jpg")
    assert content(first, root, 14) == b"root/cat/1.jpg"  # 14 bytes
    for reference, limit, code in ((first, 13, "too_large"), (second, 100, "outside_root"), (third, 100, "not_a_file")):
        with pytest.raises(RejectedInput) as refusal:
            content(reference, root, limit)
        assert refusal.value.code == code


@pytest.mark.parametrize("reader", ["folder", "npz", "manifest", "pet"])
def test_a_missing_root_is_an_error_that_tells_where_it_looked(tmp_path: Path, listed: Listed, reader: str) -> None:
    with pytest.raises(MissingInputError, match="nowhere"):
        listed(reader, tmp_path / "nowhere")


def test_a_giant_is_refused_by_its_length_before_it_is_read(tmp_path: Path, listed: Listed) -> None:
    write(tmp_path, "cat/1.jpg")
    os.truncate(tmp_path / "cat" / "1.jpg", 10**12)  # sparse: it takes no space on disk
    (reference,) = listed("folder", tmp_path)
    with pytest.raises(RejectedInput, match=r"has 1,000,000,000,000: raise decode\.max_bytes") as refusal:
        reader_named("folder").content(reference, tmp_path, 50)
    assert refusal.value.code == "too_large"


def test_a_root_that_is_a_file_is_an_error(tmp_path: Path, listed: Listed) -> None:
    (tmp_path / "x.jpg").write_bytes(b"x")
    with pytest.raises(MissingInputError, match="found a file"):
        listed("folder", tmp_path / "x.jpg")


def test_an_empty_folder_has_no_references(tmp_path: Path, listed: Listed) -> None:
    assert list(listed("folder", tmp_path)) == []


def test_the_real_caltech_folder_is_listed_by_split_and_class(shared_images: Path, listed: Listed) -> None:
    listing = listed("folder", shared_images / "caltech101-44")
    found = list(listing)
    # its README: 1,760 train (40 of each of 44 classes) and 879 test; README, labels.txt and manifest.csv are no pictures
    assert Counter(reference.source_split for reference in found) == {"train": 1760, "test": 879}
    assert set(Counter(r.label for r in found if r.source_split == "train").values()) == {40}
    assert len({reference.label for reference in found}) == 44
    assert not any(reference.error_code for reference in found)
    assert listing.ignored == 3
