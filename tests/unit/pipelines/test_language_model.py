"""Is a language model that cannot be had told before anything is computed, and only where something would ask it? No JVM is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lake.errors import MissingInputError
from pipelines.__main__ import main
from pipelines.config import Config, load_config
from pipelines.language_model import require_language_model

LAYERS = ("bronze", "silver", "ood", "gold")
NOWHERE = "./nowhere"


def written(folder: Path, scorer: dict[str, Any], *sources: str, control: str | None = None) -> Path:
    """A configuration of texts with one plain and one steered recipe; with no source and no control, of the plain one alone."""
    steered = {"name": "steered", "kind": "cap_hybrid", "use_dora": False, "priors": {"sources": list(sources), "control": control}}
    tree = {
        "dataset": "words",
        "source": {"reader": "intents"},
        "backbone": {"pretrain": {"name": "small"}},
        "priors": {"scorer": scorer},
        "adapters": {"recipes": [{"name": "plain"}, *([steered] if sources or control else [])]},
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


@pytest.mark.parametrize("command", [["run"], ["train"], ["run", "--dry-run"], ["run", "--layers", "gold"]], ids=" ".join)
def test_a_model_that_is_not_in_reach_is_66_before_a_lake_is_opened(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, {"name": NOWHERE}, "cap", "ig")
    assert main([*command, str(path), "--lake", str(tmp_path / "lake")]) == 66
    told = capsys.readouterr()
    assert f"priors.scorer.name: '{tmp_path / 'nowhere'}' is no folder here and cannot be downloaded now" in told.err
    assert told.out == "" and not (tmp_path / "lake").exists()


@pytest.mark.parametrize("more", [[], ["--dry-run"]], ids=["run", "dry run"])
def test_every_configuration_is_looked_at_before_the_first_is_run(
    more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first is whole: were it begun, there would be a lake."""
    (tmp_path / "first").mkdir()
    first = written(tmp_path / "first", {"train": {}}, "cap")
    second = written(tmp_path, {"name": NOWHERE}, "cap")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("dataset: words\nlayerz: 3\n")
    for path, code, said in ((second, 66, "priors.scorer.name"), (tmp_path / "no.yaml", 66, "no.yaml"), (wrong, 78, "layerz")):
        assert main(["run", str(first), str(path), "--lake", str(tmp_path / "lake"), *more]) == code
        assert said in capsys.readouterr().err and not (tmp_path / "lake").exists()


def told(config: Config, *layers: str) -> bool:
    try:
        require_language_model(config, layers or LAYERS)
    except MissingInputError:
        return True
    return False


def test_it_is_asked_for_where_a_prior_is_read_from_it_and_nowhere_else(tmp_path: Path) -> None:
    def config(scorer: dict[str, Any], *sources: str, control: str | None = None) -> Config:
        return load_config(written(tmp_path, scorer, *sources, control=control))

    here = {"name": NOWHERE}
    assert [told(config(here, *own)) for own in (("cap",), ("lime",), ("shap",), ("ig", "shap"))] == [True] * 4
    assert told(config(here, "cap", control="shuffled"))
    # a twin, chance, and cross-entropy ask none; neither does bronze
    assert not told(config(here, "ig")) and not told(config(here, control="random")) and not told(config(here))
    assert not told(config(here, "cap"), "bronze") and told(config(here, "cap"), "bronze", "silver")
    assert not told(config({"train": {}}, "cap"))
    (tmp_path / "lm").mkdir()
    assert not told(config({"name": "./lm"}, "cap"))  # it is there; whether it can be used is seen when it is read


def test_its_folder_is_relative_to_the_file_and_a_name_on_the_hub_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lm").mkdir()
    monkeypatch.chdir("/")
    for name, expected in (("lm", str(tmp_path / "lm")), ("./lm", str(tmp_path / "lm")), ("owner/model", "owner/model")):
        assert load_config(written(tmp_path, {"name": name}, "cap")).priors.scorer.name == expected
