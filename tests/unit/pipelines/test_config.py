"""What does a user learn whose configuration cannot be used?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gold.inversion.build import dataset_of
from gold.inversion.settings import DATASETS, DOMAINS
from gold.inversion.worlds import WORLDS
from lake.errors import ConfigError, MissingInputError
from models.text_pretraining import TextPretrainSettings
from models.text_recipe import TextRecipe
from pipelines.config import load_config

SMALL: dict[str, Any] = {"dataset": "d", "source": {"reader": "digits"}, "backbone": {"pretrain": {"name": "x"}}}


def written(folder: Path, tree: object) -> Path:
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"corruption": {}}, r"corruption: unknown key; did you mean 'corruptions'\?"),
        ({"gold": {"n_fold": 3}}, r"gold\.n_fold: unknown key; did you mean 'n_folds'\?"),
        ({"backbone": {"pretrain": {"widht": 3}}}, r"backbone\.pretrain\.widht: unknown key; did you mean 'width'\?"),
        ({"adapters": {"recipes": [{"name": "a", "rank": 4, "rnk": 4}]}}, r"adapters\.recipes\.0\.rnk: unknown key; did you mean 'rank'\?"),
        ({"scoring": {"zzz": 1}}, r"scoring\.zzz: unknown key; known keys here: batch_size, dtype"),
        ({"dataset": "../x"}, r"dataset: .*pattern"),
        ({"dataset": "a;b"}, r"dataset: .*pattern"),
        ({"backbone": {}}, r"give either backbone\.name .* or backbone\.pretrain"),
        ({"backbone": {"name": "a", "pretrain": {}}}, r"not both"),
        ({"adapters": {"recipes": [{"name": "a", "rank": 1}, {"name": "a", "rank": 2}]}}, r"recipe names must differ, found a"),
        ({"explanations": {"methods": ["atention"]}}, r"methods must be among attention"),
        ({"explanations": {"groups": [{"preset": "kii"}]}}, r"preset must be one of default, ki"),
        ({"gold_metric_group": "none_such"}, r"gold_metric_group must be one of explanations\.groups \(default, ki\)"),
        ({"corruptions": {"names": ["ki_contrasts"]}}, r"did you mean ki_contrast"),
        ({"source": {"reader": "folder"}}, r"root must name the folder"),
        ({"dataset": "world_digits"}, "dataset: .*'world_digits' names rows of probe worlds"),
        ({"dataset": "worlds"}, "dataset: .*call the dataset otherwise"),
        ({"provenance": {"arms": [{}], "corruptions": ["fogg"]}}, "no corruption is called 'fogg': did you mean fog?"),
        ({"provenance": {"arms": [{"sharing": []}]}}, "sharing: a list of no values stands for no network"),
    ],
)
def test_the_message_names_the_key_and_what_to_write(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(written(tmp_path, SMALL | change))


@pytest.mark.parametrize(
    ("text", "message"), [("a: [", "is not YAML"), ("- 1", "must hold keys and values, found list"), ("", "found NoneType")]
)
def test_a_file_that_is_no_configuration_says_so(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(path)


def test_a_missing_file_names_where_some_are(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match=r"no configuration at .*none\.yaml; the ones that ship are in .*configs"):
        load_config(tmp_path / "none.yaml")


def test_overrides_are_yaml_values_at_dotted_keys(tmp_path: Path) -> None:
    path = written(tmp_path, SMALL)
    found = load_config(path, ("gold.n_folds=3", "corruptions.names=[ki_contrast]", "scoring.dtype=float32"))
    assert (found.gold.n_folds, found.corruptions.names, found.scoring.dtype) == (3, ("ki_contrast",), "float32")
    wrong_ones = {"gold.n_folds": "key=value", "=3": "key=value", "dataset.x=3": "dataset holds no keys", "a=[": "not YAML"}
    for wrong, message in wrong_ones.items():
        with pytest.raises(ConfigError, match=message):
            load_config(path, (wrong,))


def test_paths_are_relative_to_the_file_not_to_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = SMALL | {"lake": "lake", "source": {"reader": "folder", "root": "data"}, "adapters": {"folders": ["../zoo"]}}
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir("/")
    found = load_config(written(tmp_path / "sub", tree))
    assert (found.lake, found.source.root) == (str(tmp_path / "sub" / "lake"), str(tmp_path / "sub" / "data"))
    assert found.adapters.folders == (str(tmp_path / "zoo"),)


def test_the_hash_moves_with_every_setting_and_not_with_how_it_was_written(tmp_path: Path) -> None:
    path = written(tmp_path, SMALL)
    assert load_config(path).sha256 == load_config(path, ("gold.n_folds=5",)).sha256  # 5 is the default
    assert load_config(path).sha256 != load_config(path, ("gold.n_folds=4",)).sha256


def test_defaults_fill_every_recipe_and_lose_against_its_own(tmp_path: Path) -> None:
    adapters = {"defaults": {"epochs": 3, "rank": 2}, "recipes": [{"name": "a"}, {"name": "b", "rank": 5}]}
    found = load_config(written(tmp_path, SMALL | {"adapters": adapters})).adapters.recipes
    assert [(recipe.name, recipe.epochs, recipe.rank) for recipe in found] == [("a", 3, 2), ("b", 3, 5)]


@pytest.mark.parametrize("seeds", [[], 3, ["0"], None])
def test_seeds_that_are_no_list_of_numbers_are_refused(tmp_path: Path, seeds: object) -> None:
    with pytest.raises(ConfigError, match="recipe a: give seed, or seeds as a list of whole numbers"):
        load_config(written(tmp_path, SMALL | {"adapters": {"recipes": [{"name": "a", "rank": 2, "seeds": seeds}]}}))


TEXTS = {"dataset": "words", "source": {"reader": "intents"}, "backbone": {"pretrain": {"name": "small"}}}


def test_a_reader_of_texts_brings_recipes_pretraining_and_explanations_of_texts(tmp_path: Path) -> None:
    found = load_config(written(tmp_path, TEXTS | {"adapters": {"recipes": [{"name": "a", "shots": 5}]}}))
    (recipe,) = found.adapters.recipes
    assert isinstance(recipe, TextRecipe) and recipe.shots == 5 and isinstance(found.backbone.pretrain, TextPretrainSettings)
    assert found.explanations.methods == ("attention", "ig", "occlusion", "lime", "kernel_shap")
    assert ([group.preset.name for group in found.explanations.groups], found.gold_metric_group) == (["default_text"], "default_text")
    assert found.cells[:2] == (("none", 0), ("keyword_addition", 1)) and found.modality == "text"
    written_out = found.model_dump(mode="json")
    assert "corruptions" not in written_out and {"attacks", "priors"} < set(written_out)


def test_seeds_stand_for_one_recipe_each_which_draws_its_own_shots_and_wrong_labels(tmp_path: Path) -> None:
    recipes = [
        {"name": "a", "shots": 5, "label_noise": 0.1, "label_noise_seed": 9}, {"name": "b", "seeds": [7]}, {"name": "c", "seed": 3},
    ]  # fmt: skip
    tree = TEXTS | {"adapters": {"defaults": {"seeds": [0, 4]}, "recipes": recipes}}
    found = load_config(written(tmp_path, tree)).adapters.recipes
    drawn = [(one.name, one.seed, one.shots_seed, one.label_noise_seed) for one in found if isinstance(one, TextRecipe)]
    assert drawn == [("a-s0", 0, 0, 9), ("a-s4", 4, 4, 9), ("b-s7", 7, 0, 0), ("c", 3, 0, 0)]


def hiding(baseline: str) -> dict[str, Any]:
    return {"methods": ["attention", "lime"], "method_settings": {"baseline": baseline}}


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (TEXTS | {"corruptions": {"names": ["ki"]}}, "corruptions: nothing of text inputs"),
        (SMALL | {"attacks": {"names": ["typos"]}}, "attacks: nothing of image inputs"),
        (
            SMALL | {"explanations": hiding("mask")},
            "explanations.method_settings.baseline: units of image inputs can be hidden by mean, zero",
        ),
        (
            TEXTS | {"explanations": hiding("mean")},
            "explanations.method_settings.baseline: units of text inputs can be hidden by mask, drop",
        ),
        (TEXTS | {"explanations": {"groups": [{"preset": "ki"}]}, "gold_metric_group": "ki"}, "preset 'ki' hides units by"),
        (TEXTS | {"adapters": {"recipes": [{"name": "a", "shotz": 5}]}}, "adapters.recipes.0.shotz: unknown key; did you mean 'shots'?"),
        (SMALL | {"adapters": {"recipes": [{"name": "a", "rank": 2, "shots": 5}]}}, "adapters.recipes.0.shots: unknown key"),
        (TEXTS | {"backbone": {"pretrain": {"patch_size": 4}}}, "backbone.pretrain.patch_size: unknown key"),
    ],
)
def test_what_is_of_the_other_modality_is_refused_by_its_key(tmp_path: Path, tree: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_config(written(tmp_path, tree))


def test_every_probe_world_has_a_name_that_no_dataset_may_have() -> None:
    assert {dataset_of(world.name) for world in WORLDS} | {DOMAINS} == set(DATASETS)


def test_exemplars_that_ask_for_no_head_are_out_of_the_hash_and_those_that_do_are_in_it(tmp_path: Path) -> None:
    path = written(tmp_path, SMALL)
    plain = load_config(path).sha256
    assert load_config(path, ("exemplars.k=3",)).sha256 == plain
    asked = [load_config(path, ("exemplars.heads=[{name: a}]", *more)).sha256 for more in ((), ("exemplars.k=3",))]
    assert len({plain, *asked}) == 3
    with pytest.raises(ConfigError, match=r"exemplars\.heads\.0\.hiden: unknown key; did you mean 'hidden'\?"):
        load_config(path, ("exemplars.heads=[{name: a, hiden: 3}]",))
