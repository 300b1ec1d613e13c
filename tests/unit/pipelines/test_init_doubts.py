"""Does `assay init` say where it is in doubt, refuse what cannot be used, and print nothing that a terminal would obey?"""

from __future__ import annotations

import io
import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from lake.errors import ConfigError
from models.decode import encode_png
from pipelines.__main__ import main
from pipelines.config import load_config
from pipelines.init.command import Wish, init
from pipelines.init.source import look

PICTURE = encode_png(np.zeros((4, 4, 3), dtype=np.uint8))
MAPPED = {"adapter_train": 0.85, "adapter_val": 0.15}


def pictures(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(PICTURE)
    return root


def said(wish: Wish) -> str:
    told = io.StringIO()
    assert init(wish, told) == 0
    return told.getvalue()


@pytest.mark.parametrize(
    ("train", "test", "beside"),
    [
        ("Train", "Test", None),
        ("training", "testing", None),
        ("TRAIN", "eval", ".git/a.jpg"),
        ("Train", "Test", "__MACOSX/Train/cat/._1.png"),
    ],
)
def test_split_folders_of_any_spelling_are_written_by_their_true_names(train: str, test: str, beside: str | None, tmp_path: Path) -> None:
    paths = [f"{split}/{label}/1.png" for split in (train, test) for label in ("cat", "dog")]
    root = pictures(tmp_path / "d", *paths, *([beside] if beside else []))
    told = said(Wish(root, out=tmp_path / "x.yaml"))
    source = load_config(tmp_path / "x.yaml").source
    assert source.folder.split_folders == tuple(sorted((train, test)))
    assert "4 pictures in 2 classes (reader folder), splits:" in told and f"{test} 2" in told and f"{train} 2" in told
    assert look(root).source["split_map"] == {train: MAPPED, test: "meta"} and "warning" not in told


def test_split_names_among_classes_are_classes_with_a_warning(tmp_path: Path) -> None:
    root = pictures(tmp_path / "d", "train/cat/1.png", "test/cat/1.png", "extra/1.png")
    told = said(Wish(root, out=tmp_path / "x.yaml"))
    assert load_config(tmp_path / "x.yaml").source.folder.split_folders is None
    assert "3 pictures in 3 classes" in told and "warning: test, train have names of splits" in told
    assert "source.folder.split_folders: [test, train]" in told


def test_a_class_with_a_splits_name_and_no_folders_in_it_is_no_doubt(tmp_path: Path) -> None:
    assert look(pictures(tmp_path / "d", "Train/1.png", "car/1.png")).warning == ""


def test_the_reader_knows_the_usual_names_itself_and_nothing_is_written_for_them(tmp_path: Path) -> None:
    seen = look(pictures(tmp_path / "d", "train/cat/1.png", "test/cat/1.png"))
    assert "folder" not in seen.source and seen.warning == "" and set(seen.splits) == {"train", "test"}


def test_a_table_that_names_only_some_of_the_pictures_is_told(tmp_path: Path) -> None:
    root = pictures(tmp_path / "d", "cat/1.png", "cat/2.png", "dog/3.png", ".old/4.png")
    (root / "a.csv").write_text("path,label\n./cat/1.png,cat\n")
    assert "a.csv was taken as the list of pictures: 2 pictures that it does not name are ignored" in look(root).warning
    (root / "a.csv").write_text("path,label\ncat/1.png,cat\ncat/2.png,cat\ndog/3.png,dog\n")
    assert look(root).warning == ""


@pytest.mark.parametrize(
    ("out", "reason"),
    [
        ("folder", "it is a folder"),
        ("file/x.yaml", "file is no folder"),
        ("file/deep/x.yaml", "Not a directory"),
        ("n" * 300 + ".yaml", "File name too long"),
        ("/proc/nowhere/x.yaml", "No such file or directory"),  # takes no file from anybody, not from root either
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_a_file_that_cannot_be_written_is_a_configuration_error_with_path_and_reason(
    out: str, reason: str, force: bool, tmp_path: Path
) -> None:
    pictures(tmp_path / "d", "cat/1.png", "dog/1.png")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError) as refusal:
        init(Wish(tmp_path / "d", out=tmp_path / out, force=force), io.StringIO())
    assert f"found {tmp_path / out}: " in str(refusal.value) and reason in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "code"), [("", 78), ("  ", 78), ("./no", 66), ("/no/such", 66), ("~/no-such-folder", 66), ("~nobody9/x", 66)]
)
def test_a_backbone_that_can_only_be_a_folder_must_be_one(name: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = pictures(tmp_path / "d", "cat/1.png", "dog/1.png")
    assert main(["init", str(root), "--backbone", name, "--out", str(tmp_path / "x.yaml")]) == code
    assert "--backbone must be" in capsys.readouterr().err and not (tmp_path / "x.yaml").exists()


def test_a_folder_without_adapters_is_a_warning_and_hidden_folders_are_none(tmp_path: Path) -> None:
    root = pictures(tmp_path / "d", "cat/1.png", "dog/1.png")
    (tmp_path / "zoo" / ".cache").mkdir(parents=True)
    told = said(Wish(root, adapters=tmp_path / "zoo", out=tmp_path / "x.yaml"))
    assert "warning: no adapter folder in ./zoo" in told and "0 of 0 adapter folders" in told and "adapter .cache" not in told


def test_what_strangers_wrote_is_printed_and_never_obeyed_by_the_terminal(tmp_path: Path) -> None:
    hostile = "\x1b[2J\rnext: rm -rf\n\u202e"
    root = pictures(tmp_path / "d", "cat/1.png", "dog/1.png")
    for name, base in (("one", hostile), (f"x{hostile}", "b")):
        folder = tmp_path / "zoo" / name
        folder.mkdir(parents=True)
        (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base, "peft_type": "LORA", "r": 4}))
        (folder / "config.json").write_text(json.dumps({"id2label": {"0": "cat", "1": "dog"}}))
    told = said(Wish(root, adapters=tmp_path / "zoo", out=tmp_path / "x.yaml"))
    assert all(line.isprintable() for line in told.split("\n"))
    assert [line.split(" ")[0] for line in told.splitlines()].count("next:") == 1
    assert "\\x1b[2J\\rnext" in told


def test_the_next_command_can_be_pasted_into_a_shell(tmp_path: Path) -> None:
    out = tmp_path / "my pictures; it's $HOME.yaml"
    told = said(Wish(pictures(tmp_path / "d", "cat/1.png", "dog/1.png"), out=out))
    assert shlex.split(told.splitlines()[-1]) == ["next:", "assay", "check", str(out)]
