"""Does `assay check` find before a run what the run would reject or end with? No Spark is started here."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines.check.command import check, next_command
from pipelines.check.findings import Checked, write_findings
from pipelines.check.source import check_source
from tests.adapter_folders import edit_tensors, peft_model, save_peft, small_backbone
from tests.lakes import DIGITS, config_of, make_source

ROOT = Path(__file__).resolve().parents[3]
FOREIGN = ("good", "pickled", "strangers", "truncated")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source with bad pictures, a backbone, and a folder of four adapters, one of them usable."""
    folder = tmp_path_factory.mktemp("check")
    make_source(folder / "pictures")
    backbone = small_backbone(folder / "backbone")
    good = save_peft(peft_model(backbone, DIGITS), folder / "zoo" / "good", DIGITS)
    for name in FOREIGN[1:]:
        shutil.copytree(good, folder / "zoo" / name)
    weights = folder / "zoo" / "pickled" / "adapter_model.safetensors"
    weights.rename(weights.with_name("adapter_model.bin"))
    (folder / "zoo" / "strangers" / "config.json").write_text('{"id2label": {"0": "cat"}}')
    cut = folder / "zoo" / "truncated" / "adapter_model.safetensors"
    cut.write_bytes(cut.read_bytes()[:-10])
    return folder


def tree(place: Path, **changes: Any) -> dict[str, Any]:
    return {
        "dataset": "d",
        "lake": "lake",
        "source": {"reader": "folder", "root": str(place / "pictures")},
        "backbone": {"name": str(place / "backbone")},
        "scoring": {"dtype": "float32", "batch_size": 4},
        "embeddings": {"dtype": "float32", "batch_size": 4},
    } | changes


def checked(tmp_path: Path, settings: dict[str, Any]) -> tuple[int, str]:
    config = config_of(tmp_path / "c.yaml", settings)
    told = io.StringIO()
    return check(config, config.lake, "c.yaml", told), told.getvalue()


def row(told: str, what: str) -> str:
    """The line of one thing looked at, and the advice below it."""
    lines = told.splitlines()
    at = next(i for i, line in enumerate(lines) if line[6:].startswith(what))
    below = lines[at + 1] if at + 1 < len(lines) and "->" in lines[at + 1] else ""
    return f"{lines[at]} {below.strip()}"


def test_what_headers_and_decoding_reject_is_counted_by_code(place: Path, tmp_path: Path) -> None:
    code, told = checked(tmp_path, tree(place))
    # 125 pictures: 120 digits, two copies, corrupt.jpg, truncated.jpg, empty.png; a header tells two of the three damaged.
    assert "125 in" in row(told, "pictures") and "rejected: 2 decode_error" in row(told, "pictures") and "1 other files" in told
    assert row(told, "pictures").startswith("warn") and "10 (0, 1, 2, 3, …)" in row(told, "labels")
    assert "adapter_train 62, adapter_val 12, meta 50" in row(told, "splits")
    assert code == 0 and told.endswith("next: assay run c.yaml --dry-run\n")


def test_pictures_of_no_class_are_no_part_of_what_is_tried_and_are_divided_as_the_run_does(place: Path, tmp_path: Path) -> None:
    """Half of the labels are outside: of ten pictures drawn from all some would have no class to be right about."""
    outside = ["0", "1", "2", "3", "4"]
    n_outside = sum(len(list((place / "pictures" / label).iterdir())) for label in outside)
    source = {"reader": "folder", "root": str(place / "pictures"), "outside_labels": outside}
    code, told = checked(tmp_path, tree(place, source=source))
    assert code == 0 and "10 of 10 decoded whole" in row(told, "tried") and "5 (5, 6, 7, 8, …)" in row(told, "labels")
    rest = 125 - n_outside
    shares = f"adapter_train {round(0.5 * rest)}, adapter_val {round(0.1 * rest)}, meta {round(0.4 * rest)}, outside {n_outside} (expected)"
    assert shares in row(told, "splits")


def test_every_offered_adapter_is_judged_by_the_runs_own_rules(place: Path, tmp_path: Path) -> None:
    code, told = checked(tmp_path, tree(place, adapters={"folders": [str(place / "zoo")]}))
    assert code == 0
    assert row(told, "adapter good").startswith("ok") and "of 10 tried pictures right" in row(told, "adapter good")
    for name, reason in (("pickled", "pickle"), ("strangers", "label_mismatch"), ("truncated", "bad_safetensors")):
        assert f"rejected: {reason}" in row(told, f"adapter {name}") and row(told, f"adapter {name}").startswith("warn")


def test_without_any_usable_adapter_the_data_are_refused(place: Path, tmp_path: Path) -> None:
    for name in FOREIGN[1:]:
        shutil.copytree(place / "zoo" / name, tmp_path / "zoo" / name)
    code, told = checked(tmp_path, tree(place, adapters={"folders": [str(tmp_path / "zoo")]}))
    assert code == 65 and "none of 3 usable" in told and "mend what is marked bad" in told


def test_an_adapter_that_cannot_score_a_picture_is_told(place: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(place / "zoo" / "good", tmp_path / "zoo" / "hot")
    # finite weights whose sums are beyond float32
    edit_tensors(folder, lambda tensors: {n: t.sign() * 3e38 if "classifier.weight" in n else t for n, t in tensors.items()})
    _, told = checked(tmp_path, tree(place, adapters={"folders": [str(tmp_path / "zoo")]}))
    assert "nonfinite" in row(told, "adapter hot")


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"source": {"reader": "folder", "root": "nowhere"}}, 66, "source.root must be a folder"),
        ({"backbone": {"name": "./no/such/folder"}}, 66, "set backbone.name to that folder"),
        ({"adapters": {"folders": ["nowhere"]}}, 66, "is not a folder"),
        ({"splits": {"adapter_train": 1.0, "adapter_val": 0.0, "meta": 0.0}}, 78, "meta would be empty"),
        ({"execution": {"max_rejected_share": 0.0}}, 65, "the run would refuse the data"),
    ],
)  # fmt: skip
def test_each_thing_that_would_stop_a_run_has_the_runs_exit_code(
    place: Path, tmp_path: Path, changes: dict[str, Any], code: int, words: str
) -> None:
    found, told = checked(tmp_path, tree(place, **changes))
    assert found == code and words in told


def test_recipes_of_one_shape_are_tried_once_and_a_backbone_to_come_by_one_of_its_shape(place: Path, tmp_path: Path) -> None:
    pretrain = {"name": "tiny", "width": 32, "depth": 2, "heads": 2, "epochs": 500}
    recipes = [{"name": "a", "rank": 2, "seed": 0}, {"name": "b", "rank": 2, "seed": 1}]
    code, told = checked(tmp_path, tree(place, backbone={"pretrain": pretrain}, adapters={"recipes": recipes}))
    assert code == 0 and "pre-trained by the run" in row(told, "backbone")
    assert row(told, "adapter a and 1 alike").startswith("ok") and "adapter b" not in told


def findings(tmp_path: Path, settings: dict[str, Any]) -> str:
    """What a check says of a source alone."""
    found, told = Checked(), io.StringIO()
    check_source(config_of(tmp_path / "c.yaml", settings), found)
    write_findings(found.findings, told)
    return told.getvalue()


@pytest.mark.parametrize(("folder", "warned"), [({}, True), ({"split_folders": []}, False), ({"split_folders": ["Train", "Test"]}, False)])
def test_split_folders_that_are_read_as_classes_are_a_warning_until_somebody_decides(
    folder: dict[str, Any], warned: bool, place: Path, tmp_path: Path
) -> None:
    for split in ("Train", "Test"):
        for label in ("0", "1"):
            shutil.copytree(place / "pictures" / label, tmp_path / "d" / split / label)
    source = {"reader": "folder", "root": str(tmp_path / "d"), "folder": folder}
    line = row(findings(tmp_path, tree(place, source=source)), "labels")
    assert line.startswith("warn" if warned else "ok")
    assert ("write source.folder.split_folders: [Test, Train]" in line) == warned


def test_labels_are_printed_and_never_obeyed_by_the_terminal(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "pictures" / "0", tmp_path / "d" / "a\x1b[2J\nok  b")
    told = findings(tmp_path, tree(place, source={"reader": "folder", "root": str(tmp_path / "d")}))
    assert "a\\x1b[2J\\nok  b" in told and all(line.isprintable() for line in told.split("\n"))


def test_the_next_command_is_what_was_checked_and_can_be_pasted(place: Path, tmp_path: Path) -> None:
    settings = tree(place)
    config = config_of(tmp_path / "c.yaml", settings)
    name, changed = "my c;.yaml", ("corruptions.names=[ki, all]", "gold.n_folds=3")
    told = next_command(config, config.lake, name, changed)
    assert shlex.split(told) == ["assay", "run", name, "--set", changed[0], "--set", changed[1], "--dry-run"]
    assert shlex.split(next_command(config, "a lake", name, ())) == ["assay", "run", name, "--lake", "a lake", "--dry-run"]
    del settings["lake"]
    assert next_command(config_of(tmp_path / "d.yaml", settings), None, "d.yaml", ()) == "assay run d.yaml --lake DIR --dry-run"


def test_a_check_starts_no_spark_and_writes_nothing(place: Path, tmp_path: Path) -> None:
    config_of(tmp_path / "c.yaml", tree(place, adapters={"folders": [str(place / "zoo")]}))
    program = "import sys; from pipelines.__main__ import main; sys.exit(main(['check', 'c.yaml']) or 'pyspark' in sys.modules)"
    given = os.environ | {"PYTHONPATH": str(ROOT)}
    answer = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=given, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.yaml"]


def test_a_shifted_source_is_read_and_what_would_stop_the_run_is_told_by_its_name(place: Path, tmp_path: Path) -> None:
    def found(*shifted: dict[str, Any]) -> tuple[int, str]:
        return checked(tmp_path, tree(place, shifted=list(shifted)))

    (tmp_path / "empty").mkdir()
    (tmp_path / "strange" / "cat").mkdir(parents=True)
    shutil.copy(place / "pictures" / "0" / "digit-000.png", tmp_path / "strange" / "cat" / "a.png")
    shutil.copytree(tmp_path / "strange" / "cat", tmp_path / "good" / "3")
    own = {
        name: {"name": name, "source": {"reader": "folder", "root": str(tmp_path / name)}} for name in ("good", "empty", "strange", "away")
    }
    code, told = found(own["good"])
    assert code == 0 and "1 in" in row(told, "shifted good") and "of 1 of the 10 labels; none rejected" in row(told, "shifted good")
    code, told = found(own["strange"])
    assert code == 65 and "1 label_unknown" in row(told, "shifted strange")
    assert "no input has a label of the dataset (0, 1, 2, 3, …): labels are matched by name" in row(told, "shifted strange")
    code, told = found({"name": "same", "source": {"reader": "folder", "root": str(place / "pictures")}})
    assert code == 65 and "is the dataset's own source: the same contents are no shift" in row(told, "shifted same")
    part = {"name": "part", "source": {"reader": "folder", "root": str(place / "pictures"), "limit": 1}}
    assert "own source" not in row(found(part)[1], "shifted part")  # read otherwise it may be one: the run looks at every content
    for name, reason in (("empty", "found no input in"), ("away", "must be a folder, found nothing")):
        code, told = found(own[name])
        assert code == 66 and reason in row(told, f"shifted {name}") and f"shifted {name}: " in told
