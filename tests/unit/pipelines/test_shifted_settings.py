"""Is a shifted source refused before anything is read when it cannot be one, and does a configuration without any stay what it was?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bronze.build import Source
from bronze.settings import DecodeSettings, SourceSettings, SplitSettings
from bronze.shifted.labels import refuse_when_too_many
from lake.errors import ConfigError, DataRefusedError, MissingInputError
from lake.identity import canonical_json
from pipelines.config import load_config
from pipelines.own_data import require_shifted

ROOT = Path(__file__).resolve().parents[3]
SMALL: dict[str, Any] = {"dataset": "d", "source": {"reader": "digits"}, "backbone": {"pretrain": {"name": "x"}}}


def one(name: str = "site", **source: Any) -> dict[str, Any]:
    return {"name": name, "source": {"reader": "folder", "root": "other"} | source}


def written(folder: Path, tree: object) -> Path:
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


@pytest.mark.parametrize(
    ("shifted", "message"),
    [
        ([one(), one()], "a name must stand once, found site again"),
        ([one("fog")], "fog is the name of a corruption or attack: choose another"),
        ([one("typos")], "typos is the name of a corruption or attack"),
        ([one("none")], "none is the name of a corruption"),
        ([one("Site A")], r"shifted\.0\.name: .*pattern"),
        ([one("natural:site")], r"shifted\.0\.name: .*pattern"),
        ([one("../x")], r"shifted\.0\.name: .*pattern"),
        ([one(reader="table")], "site must be of image inputs, as the dataset is; reader 'table' gives text"),
        ([one(labels=["a"])], "labels must be left out: a shifted source has the labels of the dataset"),
        ([one(split_map={"train": "meta"}, outside_labels=["oos"])], "split_map, outside_labels must be left out"),
        ([{"name": "site"}], r"shifted\.0\.source: Field required"),
        ([one() | {"severity": 2}], r"shifted\.0\.severity: unknown key; known keys here: name, source"),
        ([one(redaer="npz")], r"shifted\.0\.source\.redaer: unknown key; did you mean 'reader'"),
    ],
)
def test_the_message_says_what_is_wrong_with_it(tmp_path: Path, shifted: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(written(tmp_path, SMALL | {"shifted": shifted}))


def test_a_folder_is_relative_to_the_file_and_one_that_is_absent_is_told_by_the_sources_name(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, SMALL | {"shifted": [one()]}))
    assert config.shifted[0].source.root == str(tmp_path / "other") and config.shifted[0].corruption == "natural:site"
    with pytest.raises(MissingInputError, match=r"shifted site: source\.root must be a folder, found nothing at"):
        require_shifted(config)
    (tmp_path / "other").mkdir()
    require_shifted(config)


def test_a_configuration_without_any_has_the_hash_it_had(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, SMALL))
    assert "shifted" not in canonical_json(config) and config.sha256 == load_config(written(tmp_path, SMALL | {"shifted": []})).sha256
    assert config.sha256 != load_config(written(tmp_path, SMALL | {"shifted": [one()]})).sha256


def test_the_shipped_example_is_the_demos_digits_and_nothing_else_besides() -> None:
    demo, own = (load_config(ROOT / "configs" / f"{name}.yaml") for name in ("demo", "digits_mnist"))
    assert [shift.corruption for shift in own.shifted] == ["natural:mnist"]
    assert own.model_copy(update={"shifted": ()}).sha256 == demo.sha256


@pytest.mark.parametrize(
    ("codes", "advice"),
    [
        ({"label_unknown": 9}, r"labels must be those of the dataset, by name \(cat, dog\): rename"),
        ({"label_missing": 9}, "must have one of the dataset's labels"),
        ({"not_shifted": 9, "truncated": 1}, "The dataset holds the same contents"),
        ({"label_conflict": 9}, "or give the source another name"),
        ({"truncated": 9, "label_unknown": 0}, "Mend the data or raise the share"),
    ],
)
def test_too_many_rejected_inputs_are_refused_with_what_to_do(codes: dict[str, int], advice: str) -> None:
    source = Source("d", SourceSettings(reader="folder", root="x"), SplitSettings(), DecodeSettings(), 0.5)
    with pytest.raises(DataRefusedError, match=advice) as refusal:
        refuse_when_too_many(source, "site", ("cat", "dog"), 10, codes)
    assert "(0" not in str(refusal.value) and ", 0 " not in str(refusal.value)  # codes that nothing has are not told
    refuse_when_too_many(source, "site", ("cat", "dog"), 20, codes)  # at most half


def test_many_labels_are_not_all_named() -> None:
    source = Source("d", SourceSettings(reader="folder", root="x"), SplitSettings(), DecodeSettings(), 0.1)
    with pytest.raises(DataRefusedError, match=r"\(0, 1, 2, 3, 4, …\)"):
        refuse_when_too_many(source, "site", tuple(map(str, range(44))), 3, {"label_unknown": 3})
