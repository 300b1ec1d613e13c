"""Do pictures stored as arrays (npz, scikit-learn's digits) come out exactly, and are hostile files refused unopened?"""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from bronze.readers import reader_named
from bronze.reference import Listing, Reference
from lake.errors import ConfigError
from models.errors import RejectedInput

Listed = Callable[..., Listing]


def pixels(reader: str, reference: Reference, root: Path) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(reader_named(reader).content(reference, root, 2**20))))


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (3, 4, 5), dtype=np.uint8),
        "y_train": np.array([1, 0, 2], dtype=np.uint8),
        "x_test": rng.integers(0, 256, (2, 6, 7), dtype=np.uint8),
        "y_test": np.array([[0], [1]]),
        "train_index": np.arange(3),
    }


def test_an_npz_gives_its_pictures_exactly_splits_in_code_point_order(
    tmp_path: Path, listed: Listed, arrays: dict[str, np.ndarray]
) -> None:
    np.savez_compressed(tmp_path / "set.npz", **arrays)
    found = list(listed("npz", tmp_path))
    labelled = [("0", "test"), ("1", "test"), ("1", "train"), ("0", "train"), ("2", "train")]
    expected = [(f"set.npz#{ordinal}", label, split) for ordinal, (label, split) in enumerate(labelled)]
    assert [(r.source_path, r.label, r.source_split) for r in found] == expected
    for reference, grey in zip(found, [*arrays["x_test"], *arrays["x_train"]], strict=True):
        np.testing.assert_array_equal(pixels("npz", reference, tmp_path), grey)


def test_colour_pictures_and_text_labels_are_read(tmp_path: Path, listed: Listed) -> None:
    colour = np.random.default_rng(1).integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)
    np.savez(tmp_path / "set.npz", x_all=colour, y_all=np.array(["cat", "dög"]))
    found = list(listed("npz", tmp_path))
    assert [(r.label, r.source_split) for r in found] == [("cat", "all"), ("dög", "all")]
    np.testing.assert_array_equal(pixels("npz", found[1], tmp_path), colour[1])


def test_label_names_beside_the_file_replace_class_numbers(tmp_path: Path, listed: Listed, arrays: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "set.npz", **arrays)
    (tmp_path / "labels.txt").write_text("T-shirt/top\nTrouser\n")
    listing = listed("npz", tmp_path)
    assert [r.label for r in listing] == ["T-shirt/top", "Trouser", "Trouser", "T-shirt/top", None]
    assert [r.error_code for r in listing] == [None] * 4 + ["label_unknown"]
    assert listing.ignored == 1  # labels.txt
    assert [r.label for r in listed("npz", tmp_path, {"npz": {"label_names": None}})] == ["0", "1", "1", "0", "2"]
    (tmp_path / "labels.txt").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="UTF-8"):
        list(listed("npz", tmp_path))


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("y_train", None, "bad_record"),
        ("y_train", np.zeros(4, int), "bad_record"),
        ("y_train", np.zeros(3), "bad_record"),
        ("y_train", np.array([{}, {}, {}], dtype=object), "pickle"),
        ("x_train", np.array([{}, {}, {}], dtype=object), "pickle"),
        ("x_train", np.zeros((3, 4, 5), np.float32), "bad_record"),
        ("x_train", np.zeros((3, 4, 5, 4), np.uint8), "bad_record"),
        ("x_train", np.zeros((3, 0, 5), np.uint8), "bad_record"),
    ],
)
def test_arrays_that_do_not_fit_refuse_their_file_and_no_other(
    tmp_path: Path, listed: Listed, arrays: dict[str, np.ndarray], name: str, value: np.ndarray | None, code: str
) -> None:
    np.savez(tmp_path / "good.npz", **arrays)
    np.savez(tmp_path / "bad.npz", **{key: array for key, array in (arrays | {name: value}).items() if array is not None})
    found = list(listed("npz", tmp_path))
    assert (found[0].source_path, found[0].error_code) == ("bad.npz", code)
    assert [r.error_code for r in found[1:]] == [None] * 5


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_npz_is_refused(tmp_path: Path, listed: Listed, content: bytes) -> None:
    (tmp_path / "bad.npz").write_bytes(content)
    (reference,) = listed("npz", tmp_path)
    assert reference.error_code == "bad_record"


def test_an_array_too_large_for_a_worker_is_refused_by_its_header(tmp_path: Path, listed: Listed) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**6, 1000, 1000)})
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("x_train.npy", header.getvalue())
    (reference,) = listed("npz", tmp_path)
    assert reference.error_code == "too_large"


def test_damaged_pictures_refuse_each_of_their_rows(tmp_path: Path, listed: Listed, arrays: dict[str, np.ndarray]) -> None:
    path = tmp_path / "set.npz"
    large = np.random.default_rng(2).integers(0, 256, (2, 200, 300), dtype=np.uint8)  # beyond the buffer that reading a header fills
    np.savez(path, **(arrays | {"x_test": large}))
    content = bytearray(path.read_bytes())
    content[content.find(large[1, 100].tobytes())] ^= 1  # the archive's checksum no longer fits; headers and labels do
    path.write_bytes(bytes(content))
    found = list(listed("npz", tmp_path))
    assert [r.error_code for r in found] == [None] * 5
    for reference in found:
        with pytest.raises(RejectedInput, match="damaged"):
            reader_named("npz").content(reference, tmp_path, 2**20)


def test_an_ordinal_beyond_the_last_picture_is_refused(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "set.npz", **arrays)
    for reader, location, ordinal in (
        ("npz", "set.npz", 5),
        ("npz", "set.npz", -1),
        ("digits", "digits", 1797),
        ("digits", "digits", None),
    ):
        with pytest.raises(RejectedInput, match="bad_record"):
            reader_named(reader).content(Reference("x", location, ordinal), tmp_path, 2**20)


def test_other_files_beside_an_npz_are_ignored_and_links_out_refused(tmp_path: Path, listed: Listed, arrays: dict[str, np.ndarray]) -> None:
    root = tmp_path / "root"
    root.mkdir()
    np.savez(tmp_path / "out.npz", **arrays)
    (root / "README.md").write_text("x")
    (root / "set.npz").symlink_to(tmp_path / "out.npz")
    listing = listed("npz", root)
    assert [r.error_code for r in listing] == ["outside_root"]
    assert listing.ignored == 1


def test_the_digits_are_those_of_scikit_learn_with_ink_at_full_scale(listed: Listed, tmp_path: Path) -> None:
    found, truth = list(listed("digits", tmp_path)), load_digits()
    assert [r.label for r in found] == [str(label) for label in truth.target]
    assert [found[0].source_path, found[-1].source_path] == ["digits#0", "digits#1796"]
    for ordinal in (0, 1796):
        picture = pixels("digits", found[ordinal], tmp_path)
        # 0..16 times 255 / 16 = 15.9375: full ink 16 is 255, half ink 8 is 127.5 and rounds to even, 128
        np.testing.assert_array_equal(picture, np.rint(truth.images[ordinal] * 15.9375))


def test_the_real_mnist_and_fashion_mnist_are_read(shared_images: Path, listed: Listed) -> None:
    fashion = list(listed("npz", shared_images / "fashion-mnist"))
    assert Counter(r.source_split for r in fashion) == {"train": 10_000, "test": 2_000}
    assert "T-shirt/top" in {r.label for r in fashion}
    root = shared_images / "mnist"
    with np.load(root / "mnist.npz") as archive:
        tests, labels = archive["x_test"], archive["y_test"]
    found = list(listed("npz", root))
    assert [r.label for r in found[:2000]] == [str(label) for label in labels]
    np.testing.assert_array_equal(pixels("npz", found[1999], root), tests[1999])
