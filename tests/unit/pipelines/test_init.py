"""Is the configuration that `assay init` writes the right one for what lies there?"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lake.errors import ConfigError, MissingInputError
from models.decode import encode_png
from pipelines.config import Config, load_config
from pipelines.init.adapters import Told, adapters_in, common_base
from pipelines.init.command import Wish, init
from pipelines.init.source import dataset_name, look, split_map

LABELS = ("cat", "dog")


def picture(path: Path, value: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(np.full((4, 4, 3), value, dtype=np.uint8)))


def class_folders(root: Path) -> Path:
    for n, label in enumerate(LABELS):
        picture(root / label / "1.png", n)
    return root


def split_folders(root: Path) -> Path:
    for split in ("train", "test"):
        class_folders(root / split)
    return root


def manifest(root: Path) -> Path:
    class_folders(root / "any")
    (root / "list.csv").write_text("file,class,split\nany/cat/1.png,cat,train\nany/dog/1.png,dog,test\n")
    return root


def npz(root: Path) -> Path:
    root.mkdir()
    np.savez(root / "a.npz", x_train=np.zeros((2, 4, 4), np.uint8), y_train=np.arange(2), x_test=np.zeros((1, 4, 4), np.uint8), y_test=[0])
    return root


def pet(root: Path) -> Path:
    (root / "annotations").mkdir(parents=True)
    for name, lines in (("trainval", "cat_1 1 1 1\ndog_1 2 2 1\n"), ("test", "cat_2 1 1 1\n")):
        (root / "annotations" / f"{name}.txt").write_text(lines)
    for name in ("cat_1", "dog_1", "cat_2"):
        picture(root / "images" / f"{name}.jpg")
    return root


def adapter(folder: Path, base: str | None = "some/base", labels: tuple[str, ...] | None = LABELS) -> Path:
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base, "peft_type": "LORA", "r": 4}))
    if labels is not None:
        (folder / "config.json").write_text(json.dumps({"id2label": dict(enumerate(labels))}))
    return folder


def written(wish: Wish, out: Path) -> tuple[Config, str]:
    told = io.StringIO()
    assert init(wish, told) == 0
    return load_config(out), told.getvalue()


SPLIT = {"train": {"adapter_train": 0.85, "adapter_val": 0.15}, "test": "meta"}


@pytest.mark.parametrize(
    ("make", "reader", "n", "mapped"),
    [
        (class_folders, "folder", 2, None), (split_folders, "folder", 4, SPLIT), (manifest, "manifest", 2, SPLIT), (npz, "npz", 3, SPLIT),
        (pet, "pet", 3, {"trainval": SPLIT["train"], "test": "meta"}),
    ],
)  # fmt: skip
def test_each_layout_gets_its_reader_and_its_test_pictures_become_meta(
    make: Callable[[Path], Path], reader: str, n: int, mapped: object, tmp_path: Path
) -> None:
    seen = look(make(tmp_path / "data"))
    assert (seen.source["reader"], seen.n_examples, seen.source.get("split_map")) == (reader, n, mapped)


def test_what_is_written_loads_and_finds_the_same_pictures(tmp_path: Path) -> None:
    root = manifest(tmp_path / "My Pictures-2")
    config, told = written(Wish(root, out=tmp_path / "x.yaml"), tmp_path / "x.yaml")
    assert config.dataset == "my_pictures_2" and config.source.root == str(root)
    assert config.source.manifest.model_dump() == {"file": "list.csv", "path": "file", "label": "class", "split": None, "id": None}
    assert "2 pictures in 2 classes (reader manifest)" in told and f"next: assay check {tmp_path / 'x.yaml'}" in told


def test_without_adapters_the_three_of_the_study_are_trained_on_its_backbone(tmp_path: Path) -> None:
    config, _ = written(Wish(class_folders(tmp_path / "d"), out=tmp_path / "x.yaml"), tmp_path / "x.yaml")
    assert config.backbone.name == "facebook/dinov2-base"
    assert [(r.rank, r.lora_alpha, r.epochs) for r in config.adapters.recipes] == [(4, 8, 15), (16, 32, 15), (32, 64, 15)]


def test_adapters_bring_their_base_and_are_not_trained(tmp_path: Path) -> None:
    for name in ("one", "two"):
        adapter(tmp_path / "zoo" / name)
    adapter(tmp_path / "zoo" / "third", base="other/base", labels=("cat", "cow"))
    wish = Wish(class_folders(tmp_path / "d"), adapters=tmp_path / "zoo", out=tmp_path / "x.yaml")
    config, told = written(wish, tmp_path / "x.yaml")
    assert config.backbone.name == "some/base" and config.adapters.recipes == ()
    assert config.adapters.folders == (str(tmp_path / "zoo"),)
    assert "adapter third: label_mismatch: lacks 1 of the data's 2 labels, has 1 others" in told


def test_a_local_base_is_found_beside_the_adapters_by_the_name_they_record(tmp_path: Path) -> None:
    adapter(tmp_path / "zoo" / "one", base="/somewhere/else/tiny")
    (tmp_path / "backbones" / "tiny").mkdir(parents=True)
    (tmp_path / "backbones" / "tiny" / "config.json").write_text("{}")
    wish = Wish(class_folders(tmp_path / "d"), adapters=tmp_path / "zoo", out=tmp_path / "x.yaml")
    assert written(wish, tmp_path / "x.yaml")[0].backbone.name == str(tmp_path / "backbones" / "tiny")


def test_a_file_that_is_there_is_never_overwritten_unasked(tmp_path: Path) -> None:
    out = tmp_path / "x.yaml"
    out.write_text("mine")
    with pytest.raises(ConfigError, match="--force"):
        init(Wish(class_folders(tmp_path / "d"), out=out), io.StringIO())
    assert out.read_text() == "mine"
    assert written(Wish(tmp_path / "d", out=out, force=True), out)[0].dataset == "d"


def test_a_folder_without_pictures_is_a_missing_input_that_names_the_layouts(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "note.txt").write_text("no picture")
    with pytest.raises(MissingInputError, match=r"class folders .*manifest\.csv"):
        look(tmp_path / "d")


def test_an_adapter_given_for_the_folder_around_it_is_refused_with_that_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"give {tmp_path / 'zoo'}"):
        adapters_in(adapter(tmp_path / "zoo" / "one"))


@pytest.mark.parametrize("hostile", ["a\nlake: /etc", "x: {", "é\u2028y", "\x7fz"])
def test_what_strangers_wrote_stays_inside_its_comment(hostile: str, tmp_path: Path) -> None:
    adapter(tmp_path / "zoo" / "one", base=hostile, labels=None)
    wish = Wish(class_folders(tmp_path / "d"), adapters=tmp_path / "zoo", out=tmp_path / "x.yaml")
    config, _ = written(wish, tmp_path / "x.yaml")
    assert config.lake == str(tmp_path / "d-lake") and config.backbone.name == hostile


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["train", "val", "test"], {"train": "adapter_train", "val": "adapter_val", "test": "meta"}),
        (["train", "valid"], {"train": SPLIT["train"], "valid": "meta"}),
        (["Training", "Testing"], {"Training": SPLIT["train"], "Testing": "meta"}),
        (["test"], None), ([None], None), ([None, "train", "test"], None), (["train", "test", "extra"], None),
    ],
)  # fmt: skip
def test_splits_with_usual_names_are_mapped_and_others_left_to_shares(names: list[str | None], expected: object) -> None:
    assert split_map(Counter(names)) == expected


@pytest.mark.parametrize(("name", "expected"), [("caltech101-44", "caltech101_44"), ("2024 Photos!", "data_2024_photos"), ("Ä", "data")])
def test_a_dataset_is_named_by_its_folder_within_the_pattern(name: str, expected: str) -> None:
    assert dataset_name(Path("/") / name) == expected


def test_the_base_most_adapters_name_is_taken_and_damaged_ones_do_not_vote(tmp_path: Path) -> None:
    assert common_base([Told("a", "x"), Told("b", "y"), Told("c", "y"), Told("d", problem="bad_config: …")]) == "y"
    assert common_base([Told("a")]) is None
    (adapter(tmp_path / "zoo" / "one") / "adapter_config.json").write_text("{")
    assert adapters_in(tmp_path / "zoo")[0].problem.startswith("bad_config")
