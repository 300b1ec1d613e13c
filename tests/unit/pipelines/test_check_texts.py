"""Does `assay check` find before a run what a run of texts would reject or end with? No Spark is started here."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from pipelines.check.command import check
from pipelines.check.findings import Checked
from pipelines.check.label_scorer import check_label_scorer
from pipelines.check.text_source import check_text_source
from tests import language_models
from tests.lakes import config_of
from tests.unit.pipelines.text_places import N_PLACES, write_place

CAP = {"name": "cap", "rank": 2, "use_dora": False, "kind": "cap_hybrid", "priors": {"sources": ["cap"], "n": 5, "ig_steps": 2}}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_place(tmp_path_factory.mktemp("check-texts"))
    language_models.save(folder / "llama")
    return folder


def tree(place: Path, **changes: Any) -> dict[str, Any]:
    return {
        "dataset": "d",
        "lake": "lake",
        "source": {"reader": "table", "root": str(place / "data")},
        "execution": {"max_rejected_share": 0.2},
        "backbone": {"name": str(place / "backbone")},
        "scoring": {"dtype": "float32", "batch_size": 4},
        "embeddings": {"dtype": "float32", "batch_size": 4},
    } | changes


def checked(tmp_path: Path, settings: dict[str, Any]) -> tuple[int, list[str]]:
    config = config_of(tmp_path / "c.yaml", settings)
    told = io.StringIO()
    return check(config, config.lake, "c.yaml", told), told.getvalue().splitlines()


def rows(told: list[str], what: str) -> list[str]:
    """The lines of one thing looked at, each with the advice below it."""
    found = [place for place, line in enumerate(told) if line[6:].startswith(what)]
    return [" ".join([told[place].strip(), *(line.strip() for line in told[place + 1 : place + 2] if "->" in line)]) for place in found]


def test_every_record_that_the_run_would_reject_is_counted_with_its_reason(place: Path, tmp_path: Path) -> None:
    code, told = checked(tmp_path, tree(place, adapters={"folders": [str(place / "zoo")]}))
    (texts,) = rows(told, "texts")
    assert f"{N_PLACES} in" in texts and "1 stand more than once" in texts and texts.startswith("warn")
    assert "rejected: 2 label_conflict, 1 empty_text, 1 label_missing" in texts
    reasons = " ".join(rows(told, "rejected"))
    assert "empty_text, first all.csv#40: " in reasons and "label_missing, first all.csv#41: " in reasons
    assert "label_conflict, first all.csv#42: the same text has the labels card, alarm" in reasons
    assert code == 0 and told[-1] == "next: assay run c.yaml --dry-run"


def test_splits_are_those_of_the_run_each_content_once(place: Path, tmp_path: Path) -> None:
    source = {"reader": "table", "root": str(place / "data"), "outside_labels": ["alarm"], "split_map": {"all": "meta"}}
    (splits,) = rows(checked(tmp_path, tree(place, source=source))[1], "splits")
    # of 40 texts every second is an alarm, which is outside here
    assert "meta 20, outside 20" in splits


def test_a_label_that_the_configuration_does_not_list_is_unknown(place: Path, tmp_path: Path) -> None:
    source = {"reader": "table", "root": str(place / "data"), "labels": ["card", "other"]}
    code, told = checked(tmp_path, tree(place, source=source))
    assert "label_unknown" in rows(told, "texts")[0] and code == 65  # half of the data


def test_every_offered_adapter_is_judged_by_the_runs_own_rules(place: Path, tmp_path: Path) -> None:
    _, told = checked(tmp_path, tree(place, adapters={"folders": [str(place / "zoo")]}))
    assert "of 10 tried texts right" in rows(told, "adapter good")[0] and rows(told, "adapter good")[0].startswith("ok")
    for name, reason in (("strangers", "label_mismatch"), ("pickled", "pickle")):
        (line,) = rows(told, f"adapter {name}")
        assert f"rejected: {reason}" in line and line.startswith("warn")


def test_texts_longer_than_the_model_reads_are_told(place: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    long = " ".join(["card"] * 600)
    (tmp_path / "data" / "a.csv").write_text(f"text,label\n{long},card\nset an alarm,alarm\n")
    _, told = checked(tmp_path, tree(place, source={"reader": "table", "root": str(tmp_path / "data")}))
    assert "1 have more than 510 words" in rows(told, "long texts")[0]
    assert "1 of them cut at 64" in rows(told, "tokenizer")[0] and rows(told, "tokenizer")[0].startswith("warn")


def test_recipes_of_one_shape_are_tried_once_and_a_steered_one_with_its_scorer(place: Path, tmp_path: Path) -> None:
    recipes = [{"name": "a", "rank": 2}, {"name": "b", "rank": 2, "seed": 1, "shots": 5}, CAP]
    changes: dict[str, Any] = {"adapters": {"recipes": recipes}, "priors": {"scorer": {"name": str(place / "llama")}}}
    code, told = checked(tmp_path, tree(place, **changes))
    assert code == 0 and "trains" in rows(told, "adapter a and 1 alike")[0] and not rows(told, "adapter b")
    assert "steered by a prior with 2 steps: trains" in rows(told, "adapter cap")[0]
    assert "512 are read; p of the first tried text's label is" in rows(told, "label scorer")[0]


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"source": {"reader": "table", "root": "nowhere"}}, 66, "source.root must be a folder"),
        ({"backbone": {"name": "./no/such/folder"}}, 66, "set backbone.name to that folder"),
        ({"splits": {"adapter_train": 1.0, "adapter_val": 0.0, "meta": 0.0}}, 78, "meta would be empty"),
        ({"execution": {"max_rejected_share": 0.0}}, 65, "the run would refuse the data"),
    ],
)  # fmt: skip
def test_each_thing_that_would_stop_a_run_has_the_runs_exit_code(
    place: Path, tmp_path: Path, changes: dict[str, Any], code: int, words: str
) -> None:
    found, told = checked(tmp_path, tree(place, **changes))
    assert found == code and words in "\n".join(told)


def test_a_backbone_to_come_is_tried_by_one_of_its_shape(place: Path, tmp_path: Path) -> None:
    pretrain = {"name": "tiny", "width": 32, "depth": 1, "heads": 2, "epochs": 500, "n_tokens": 32}
    recipes = [{"name": "a", "rank": 2}]
    code, told = checked(tmp_path, tree(place, backbone={"pretrain": pretrain}, adapters={"recipes": recipes}))
    assert code == 0 and "pre-trained by the run" in rows(told, "backbone")[0] and rows(told, "adapter a")[0].startswith("ok")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.yaml"]  # nothing was written


@pytest.mark.parametrize(
    ("scorer", "code", "words"),
    [
        ({"name": "./nowhere"}, 66, "set priors.scorer.name to that folder"),
        ({"train": {"max_tokens": 20}}, 78, "0 of 10 tried texts"),
        ({"train": {}}, 0, "10 of 10 tried texts"),
    ],
)
def test_a_label_scorer_that_is_not_there_or_reads_too_little_is_told(
    place: Path, tmp_path: Path, scorer: dict[str, Any], code: int, words: str
) -> None:
    changes: dict[str, Any] = {"adapters": {"recipes": [CAP]}, "priors": {"scorer": scorer}}
    config, found = config_of(tmp_path / "c.yaml", tree(place, **changes)), Checked()
    texts = check_text_source(config, Checked())
    assert texts is not None
    check_label_scorer(config, texts, found)
    assert found.code == code and any(words in f"{finding.found} {finding.fix}" for finding in found.findings)


@pytest.mark.parametrize(
    ("short_goes", "code", "words"),
    [
        # of 100 words the long ones take 100 x 4 + 99 bytes and their number, more than all 300 tokens; "card lost" takes 9
        ("adapter_train", 0, "0 of 10 tried texts surely fit its priors.scorer.train.max_tokens with the prompt; training texts of 9 to"),
        ("meta", 78, "no training text does: the shortest has"),
    ],
)
def test_ten_texts_too_long_for_the_label_scorer_are_a_warning_while_a_training_text_fits(
    short_goes: str, code: int, words: str, tmp_path: Path
) -> None:
    long = "".join(f"{' '.join(['card'] * 100)} {n},{('card', 'alarm')[n % 2]}\n" for n in range(40))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "long.csv").write_text(f"text,label\n{long}")
    (tmp_path / "data" / "short.csv").write_text("text,label\ncard lost,card\n")
    source = {"reader": "table", "root": str(tmp_path / "data"), "split_map": {"long": "adapter_train", "short": short_goes}}
    recipes: dict[str, Any] = {"adapters": {"recipes": [CAP]}, "priors": {"scorer": {"train": {"max_tokens": 300}}}}
    config, found = config_of(tmp_path / "c.yaml", tree(tmp_path, source=source, **recipes)), Checked()
    texts = check_text_source(config, Checked())
    assert texts is not None
    check_label_scorer(config, texts, found)
    (row,) = found.findings
    assert found.code == code and row.state == ("bad" if code else "warn") and words in row.found
