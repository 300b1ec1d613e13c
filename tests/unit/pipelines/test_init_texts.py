"""Is the configuration that `assay init` writes for a folder of texts one that `assay check` accepts?"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lake.errors import ConfigError, MissingInputError
from pipelines.__main__ import main
from pipelines.check.command import check
from pipelines.config import Config, load_config
from pipelines.init.command import Wish, init
from pipelines.init.looked import look_any
from tests.unit.pipelines.test_init import picture
from tests.unit.pipelines.text_places import write_place

TWO = (("set an alarm", "alarm"), ("my card is lost", "card"))
SPLIT = {"train": {"adapter_train": 0.85, "adapter_val": 0.15}, "test": "meta"}


def table(path: Path, header: str = "text,label", records: tuple[tuple[str, ...], ...] = TWO) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *(",".join(record) for record in records)]) + "\n")
    return path


def csv_files(root: Path) -> Path:
    for name in ("train", "test"):
        table(root / f"{name}.csv")
    return root


def tsv(root: Path) -> Path:
    table(root / "all.tsv", "Utterance\tIntent", tuple(("\t".join(record),) for record in TWO))
    return root


def json_lines(root: Path) -> Path:
    root.mkdir()
    (root / "a.jsonl").write_text('{"id": 1, "query": "set an alarm", "intent": "alarm"}\n{"query": "my card", "intent": "card"}\n')
    return root


def parquet_shards(root: Path) -> Path:
    (root / "data").mkdir(parents=True)
    for split in ("train", "test"):
        pq.write_table(pa.table({"sentence": ["a b", "c d"], "label": [0, 1]}), root / "data" / f"{split}-00000-of-00001.parquet")
    return root


def class_files(root: Path) -> Path:
    for split in ("Train", "Test"):
        for label in ("alarm", "card"):
            (root / split).mkdir(parents=True, exist_ok=True)
            (root / split / f"{label}.txt").write_text(f"{label} one\n{label} two\n")
    return root


def class_folders(root: Path) -> Path:
    for text, label in TWO:
        (root / label).mkdir(parents=True)
        (root / label / "1.txt").write_text(text)
    return root


@pytest.mark.parametrize(
    ("make", "n", "source"),
    [
        (csv_files, 4, {"reader": "table", "split_map": SPLIT}),
        (tsv, 2, {"reader": "table", "table": {"text": "Utterance", "label": "Intent"}}),
        (json_lines, 2, {"reader": "table", "table": {"text": "query", "label": "intent"}}),
        (
            parquet_shards, 4,
            {"reader": "table", "split_map": SPLIT,
             "table": {"text": "sentence", "files": ["data/test-00000-of-00001.parquet", "data/train-00000-of-00001.parquet"]}},
        ),
        (
            class_files, 8,
            {"reader": "text_folder", "split_map": {"Train": SPLIT["train"], "Test": "meta"},
             "text_folder": {"split_folders": ["Test", "Train"]}},
        ),
        (class_folders, 2, {"reader": "text_folder"}),
    ],
)  # fmt: skip
def test_each_layout_gets_its_reader_and_what_it_must_be_told(
    make: Callable[[Path], Path], n: int, source: dict[str, object], tmp_path: Path
) -> None:
    seen = look_any(make(tmp_path / "data"))
    assert (seen.what, seen.n_examples, seen.source) == ("texts", n, source)


def written(wish: Wish, out: Path) -> tuple[Config, str]:
    told = io.StringIO()
    assert init(wish, told) == 0
    return load_config(out), told.getvalue()


def test_what_is_written_is_accepted_by_check_with_the_adapters_own_base(tmp_path: Path) -> None:
    place, out = write_place(tmp_path / "mine"), tmp_path / "x.yaml"
    config, told = written(Wish(place / "data", adapters=place / "zoo", out=out), out)
    assert (
        config.modality == "text" and config.backbone.name == str(place / "backbone") and config.adapters.folders == (str(place / "zoo"),)
    )
    assert "44 texts in 2 classes (reader table)" in told and "strangers: label_mismatch" in told
    assert check(config, config.lake, str(out), io.StringIO()) == 0


def test_a_table_in_a_folders_place_is_read_alone_and_names_the_dataset(tmp_path: Path) -> None:
    table(tmp_path / "other.csv")
    config, _ = written(Wish(table(tmp_path / "my-intents.csv"), out=tmp_path / "x.yaml"), tmp_path / "x.yaml")
    assert config.dataset == "my_intents" and config.source.table.files == ("my-intents.csv",)
    assert config.backbone.name == "roberta-base" and [recipe.rank for recipe in config.adapters.recipes] == [4, 16, 32]
    assert config.attacks.cells() and config.source.root == str(tmp_path)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("question,comment,label", r"all.csv must have one column that holds the texts, found question, comment .*--text COLUMN"),
        ("text,intent,topic", r"one column that holds the labels, found intent, topic .*--label COLUMN"),
        ("a,b,c", r"columns for a text and a label: all.csv has a, b, c.*--text COLUMN and --label COLUMN"),
        ("text,b,c", r"columns for a text and a label"),
    ],
)
def test_columns_that_are_not_clear_are_an_error_that_says_what_to_do(header: str, words: str, tmp_path: Path) -> None:
    table(tmp_path / "d" / "all.csv", header, (("x y", "u v", "w"),))
    with pytest.raises(ConfigError, match=words):
        look_any(tmp_path / "d")


def test_named_columns_end_the_doubt_and_a_name_that_is_not_there_is_told(tmp_path: Path) -> None:
    path = table(tmp_path / "d" / "all.csv", "question,comment,label", (("x y", "u v", "w"), ("z", "t", "s")))
    seen = look_any(path.parent, {"text": "comment", "label": None})
    assert seen.source["table"] == {"text": "comment"}
    with pytest.raises(ConfigError, match="'remark'"):
        look_any(path.parent, {"text": "remark", "label": None})


def test_tables_that_name_their_columns_differently_are_refused(tmp_path: Path) -> None:
    table(tmp_path / "d" / "a.csv")
    table(tmp_path / "d" / "b.csv", "sentence,label")
    with pytest.raises(ConfigError, match="alike"):
        look_any(tmp_path / "d")


def test_tables_without_the_columns_are_left_out_and_told(tmp_path: Path) -> None:
    table(tmp_path / "d" / "train.csv")
    table(tmp_path / "d" / "domains.csv", "label,domain")
    seen = look_any(tmp_path / "d")
    assert seen.source["table"] == {"files": ["train.csv"]} and "domains.csv has no such columns" in seen.warning


def test_queries_of_no_class_are_set_apart_and_have_no_say_in_the_splits(tmp_path: Path) -> None:
    root = csv_files(tmp_path / "d")
    table(root / "oos.csv", records=(("what is love", "oos"),))
    config, told = written(Wish(root, out=tmp_path / "x.yaml"), tmp_path / "x.yaml")
    assert config.source.outside_labels == ("oos",) and set(config.source.split_map or {}) == {"train", "test"}
    assert "4 texts in 2 classes" in told and "texts of no class: those labelled oos" in told


def test_pictures_go_before_texts_but_for_a_few_beside_a_table(tmp_path: Path) -> None:
    for n in range(3):
        picture(tmp_path / "d" / "cat" / f"{n}.png", n)
    table(tmp_path / "d" / "captions.csv")
    assert look_any(tmp_path / "d").what == "pictures"  # three pictures, two texts
    table(tmp_path / "d" / "captions.csv", records=TWO * 2)
    found = look_any(tmp_path / "d")
    assert found.what == "texts" and "3 pictures in folders are ignored" in found.warning


@pytest.mark.parametrize(
    ("header", "first", "there", "what", "reader"),
    [
        # a column called file or image whose values are no pictures that are there: part of a text's record
        ("file,sentence,label", "log-7.txt", False, "texts", "table"),
        ("image,text,label", "1.png", False, "texts", "table"),
        ("text,label,file", "set an alarm", False, "texts", "table"),
        # the pictures are there: they go first, but for a column that is called text and nothing else
        ("file,description,label", "1.png", True, "pictures", "manifest"),
        ("image,text,label", "1.png", True, "texts", "table"),
        # without a column of texts it is a list of pictures, which the check will miss
        ("image,width,label", "1.png", False, "pictures", "manifest"),
    ],
)
def test_a_column_that_is_called_file_or_image_makes_no_list_of_pictures_of_a_table_of_texts(
    header: str, first: str, there: bool, what: str, reader: str, tmp_path: Path
) -> None:
    table(tmp_path / "d" / "all.csv", header, ((first, "set an alarm", "alarm"), ("2.png", "my card is lost", "card")))
    if there:
        picture(tmp_path / "d" / "1.png")
    found = look_any(tmp_path / "d")
    assert (found.what, found.source["reader"]) == (what, reader) and found.n_examples == 2


def test_a_list_of_pictures_goes_before_a_table_of_captions_of_some_of_them(tmp_path: Path) -> None:
    for n in range(3):
        picture(tmp_path / "d" / f"{n}.png", n)
    table(tmp_path / "d" / "manifest.csv", "path,label", (("0.png", "cat"), ("1.png", "dog"), ("2.png", "cat")))
    table(tmp_path / "d" / "captions.csv", "image,text,label", (("0.png", "a cat", "cat"), ("1.png", "a dog", "dog")))
    found = look_any(tmp_path / "d")
    assert (found.what, found.source["reader"], found.n_examples) == ("pictures", "manifest", 3)


def test_a_folder_with_a_note_is_no_source_and_the_layouts_of_texts_are_named(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "note.txt").write_text("no text of a class")
    with pytest.raises(MissingInputError, match=r"class folders .*Texts are read from tables"):
        look_any(tmp_path / "d")


def test_the_command_line_hands_over_the_named_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = table(tmp_path / "d" / "all.csv", "question,comment,label", (("x y", "u v", "w"), ("z", "t", "s"))), tmp_path / "x.yaml"
    assert main(["init", str(path.parent), "--out", str(out)]) == 78
    assert "--text COLUMN" in capsys.readouterr().err
    assert main(["init", str(path.parent), "--out", str(out), "--text", "question"]) == 0
    assert load_config(out).source.table.text == "question"
