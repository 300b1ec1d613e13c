"""What decides a text adapter's weights is in its recipe's hash, and nothing else is; pictures' hashes are what they were."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from models.recipe import Recipe, recipe_sha256
from models.text_recipe import PriorRecipe, TextRecipe, twin_of
from tests.text_training_worlds import hybrid, recipe
from xai.masks import Masking
from xai.priors import Fusion


def digest(**changes: Any) -> str:
    return recipe_sha256(TextRecipe.model_validate({"name": "a", **changes}), "backbone", "data")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"rank": 4}, "f597caafcda4c48ddb748383ad9f87f4"),
        ({"rank": 16, "update_scale": 4, "use_rslora": False, "seed": 3}, "34ebc414a9dcaa2294d859fcbe1ea0ee"),
        (
            {"rank": 4, "precision": "bfloat16", "train_share": 0.5, "targets": ("value",), "augmentation": {"rotation_degrees": 5}},
            "4369f335c148ea9ad919f9d7b9c26af9",
        ),
    ],
)
def test_the_hashes_of_picture_recipes_are_those_from_before_there_were_text_recipes(settings: dict[str, Any], expected: str) -> None:
    """Written down with the code before the fields moved to a shared record: another hash would train every adapter anew."""
    assert recipe_sha256(Recipe.model_validate({"name": "a", **settings}), "backbone", "data") == expected


def test_what_decides_the_weights_changes_the_hash_of_a_text_recipe() -> None:
    prior = {"kind": "cap_hybrid", "use_dora": False, "priors": {"sources": ["cap"]}}
    changed: list[dict[str, Any]] = [
        {},
        {"tuning": "full"},
        {"rank": 4},
        {"shots": 5},
        {"shots": 5, "shots_seed": 1},
        {"label_noise": 0.1},
        {"label_noise": 0.1, "label_noise_seed": 1},
        {"patience": 2},
        {"clip_norm": 1.0},
        {"warm_share": 0.1},
        {"precision": "bfloat16"},
        {"seed": 1},
        prior,
        prior | {"priors": {"sources": ["cap", "ig"]}},
        *(
            prior | {"priors": {"sources": ["cap"], key: value}}
            for key, value in {"beta": 2, "fusion": "max", "n": 50, "ig_steps": 4}.items()
        ),
        prior | {"priors": {"sources": ["cap"], "control": "shuffled"}},
        prior | {"priors": {"control": "random"}},
    ]
    assert len({digest(**change) for change in changed}) == len(changed)


def test_names_unread_settings_and_the_order_of_sources_are_not_in_the_hash() -> None:
    assert digest(name="b", alpha=16.0) == digest()  # 2 x rank, written out
    assert digest(shots_seed=3, label_noise_seed=4) == digest()
    assert digest(tuning="full", rank=4, use_dora=False, dropout=0.5) == digest(tuning="full")
    two = [{"kind": "cap_hybrid", "use_dora": False, "priors": {"sources": sources}} for sources in (["shap", "cap"], ["cap", "shap"])]
    assert digest(**two[0]) == digest(**two[1])


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "cap_hybrid"},
        {"priors": {"sources": ["cap"]}},
        {"kind": "cap_hybrid", "priors": {}},
        {"kind": "cap_hybrid", "priors": {"sources": ["cap", "cap"]}},
        {"kind": "cap_hybrid", "priors": {"sources": ["cap"], "control": "random"}},
        {"kind": "cap_hybrid", "priors": {"control": "shuffled"}},
        {"kind": "cap_hybrid", "priors": {"sources": ["grad"]}},
        {"shots": 0},
        {"label_noise": 1.0},
        {"augmentation": {}},
    ],
)
def test_a_text_recipe_that_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TextRecipe.model_validate({"name": "a", "use_dora": False, **wrong})


def test_steering_under_dora_is_refused_with_what_to_set_and_everything_else_is_taken() -> None:
    steered: dict[str, Any] = {"name": "a", "kind": "cap_hybrid", "priors": {"sources": ["cap"]}}
    with pytest.raises(ValidationError, match=r"is not its derivative .*Set use_dora: false, for the arms that it is compared with too"):
        TextRecipe.model_validate(steered)
    for fine in (steered | {"use_dora": False}, steered | {"tuning": "full"}, {"name": "a"}):
        TextRecipe.model_validate(fine)


def test_full_tuning_has_its_own_learning_rate_unless_one_is_given() -> None:
    full = TextRecipe.model_validate({"name": "a", "tuning": "full"})
    assert (full.learning_rate, TextRecipe(name="a").learning_rate) == (2e-5, 3e-4)
    assert digest(tuning="full", learning_rate=2e-5) == digest(tuning="full") != digest(tuning="full", learning_rate=3e-4)
    assert twin_of(full.model_copy(update={"learning_rate": 1e-3})).learning_rate == 1e-3
    # written down with the code before there was a default of its own
    assert digest(tuning="full", learning_rate=3e-4) == "165548ac28f875f9b23ca8f953f52122"
    assert digest() == "9e5b9c857bc301924ba2a843d0e5b2eb"


def test_fusion_and_the_least_number_of_masks_are_those_of_whoever_makes_the_priors() -> None:
    assert get_args(PriorRecipe.model_fields["fusion"].annotation) == get_args(Fusion.model_fields["way"].annotation)
    assert PriorRecipe.model_fields["n"].metadata == Masking.model_fields["n"].metadata
    assert PriorRecipe.model_fields["n"].default == Masking.model_fields["n"].default
    with pytest.raises(ValidationError, match="greater than or equal to 3"):
        PriorRecipe(sources=("cap",), n=2)


def test_arms_are_named_by_their_sources_and_control() -> None:
    assert recipe().arm == "none"
    assert hybrid(priors={"sources": ["shap", "cap"]}).arm == "cap+shap"
    assert hybrid(priors={"sources": ["shap", "cap"], "control": "shuffled"}).arm == "shuffled:cap+shap"
    assert hybrid(priors={"sources": [], "control": "random"}).arm == "random"


def test_the_twin_is_the_recipe_without_its_priors() -> None:
    own = hybrid(shots=5, shots_seed=2, label_noise=0.1, update_scale=4.0)
    assert recipe_sha256(twin_of(own), "b", "d") == recipe_sha256(
        recipe(shots=5, shots_seed=2, label_noise=0.1, update_scale=4.0, use_dora=False), "b", "d"
    )
