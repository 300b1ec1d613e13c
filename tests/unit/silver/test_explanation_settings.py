"""Which explanations may be asked of which kind of input, and do settings from before texts keep their rows?"""

from __future__ import annotations

import typing
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import ValidationError

from lake.fill import Inputs
from lake.identity import settings_id
from models.backbone import Backbone
from models.baselines import BASELINES as PICTURE_BASELINES
from models.decode import DecodeLimits
from models.images import Preprocessing
from models.scoring import Scoring
from models.text_masked_value import TEXT_BASELINES
from silver.build import silver_ids, silver_settings
from silver.inversion.settings import PokingSettings
from silver.methods import MethodSettings
from silver.settings import COMPUTED, ExplanationSettings, MetricGroup, check_modality, default_explanations
from silver.specs import ATTRIBUTIONS, EXPLANATION_METRICS, PREDICTIONS
from xai.fits import LimeFit, ShapleyFit
from xai.masks import Masking
from xai.presets import BASELINES, DEFAULT, DEFAULT_TEXT, DROP_TEXT, KI, Baseline, Preset

META = Inputs("d", "examples", "sha", lambda: typing.cast("typing.Any", None), 3)


@dataclass(frozen=True)
class Fixed(Scoring):
    """Settings that no upgrade of a library changes; `kind` is the column of the inputs."""

    kind: str = "image"

    @property
    def column(self) -> str:
        return self.kind

    def settings(self) -> dict[str, object]:
        return {"fixed": 1}


def scoring(kind: str = "image") -> Fixed:
    plain = Preprocessing(size=14, resize_to=14, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    return Fixed(Backbone("toy", Path(), None, "", "dinov2", 14, 14, 1, 1, 1, 1), plain, DecodeLimits(), "float32", 4, kind=kind)


SHIPPED = ExplanationSettings(groups=(MetricGroup(preset="default", controls=("random", "reverse")), MetricGroup(preset="ki", controls=())))

# Computed with the code as it was before texts could be asked for anything (commit c839213).
SAME = {"predictions": "b3afa98dacd9e4cd", "attributions": "fcb289398cb60389"}
PINNED = {
    "default": SAME | {"explanation_metrics": "4901ef3e2426d5f5"},
    "shipped": SAME | {"explanation_metrics": "4901ef3e2426d5f5"},
    "seed": SAME | {"explanation_metrics": "3c633aca0e9caf3c"},
}


def test_rows_of_pictures_keep_the_identity_they_had_before_there_was_a_choice() -> None:
    before = {"default": ExplanationSettings(), "shipped": SHIPPED, "seed": ExplanationSettings(seed=5)}
    found = {name: silver_ids(META, scoring(), explanations).told() for name, explanations in before.items()}
    assert found == PINNED
    idle = ExplanationSettings(method_settings=MethodSettings(ig_steps=4))  # says nothing about attention
    assert silver_ids(META, scoring(), idle).told() == PINNED["default"]


def test_asking_for_inversion_makes_rows_beside_the_others_and_changes_none_of_them() -> None:
    def ids(**given: object) -> dict[str, str]:
        own = PokingSettings(**({"pokes": 5} | given))
        return silver_ids(META, scoring(), ExplanationSettings(inversion=own)).told()

    first = ids()
    assert {name: first[name] for name in PINNED["default"]} == PINNED["default"]
    assert ids(methods=("attention",)) == ids(controls=()) == first  # which rows are asked for is no setting of a row
    others = [
        ids(**{name: value})["inversion"] for name, value in (("n", 65), ("pokes", 6), ("repeats", 2), ("magnitude", 0.1), ("seed", 1))
    ]
    assert len({first["inversion"], *others}) == 6
    assert "inversion" not in ExplanationSettings().model_dump()


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"methods": ("attention", "attention")}, "none may stand twice"),
        ({"pokes": 1}, "greater than or equal to 2"),
        ({"magnitude": 0.0}, "greater than 0"),
        ({"controls": ("oracle",)}, "'random' or 'output_echo'"),
        ({"n_pert": 3}, "Extra inputs"),
    ],
)
def test_what_inversion_cannot_mean_is_refused(given: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        PokingSettings(**given)


def test_inversion_is_asked_of_explained_methods_by_baselines_that_there_are() -> None:
    lime, zero = PokingSettings(methods=("lime",)), PokingSettings(baseline="zero")
    with pytest.raises(ValueError, match=r"inversion.methods: lime must be among explanations.methods, found there attention"):
        check_modality(ExplanationSettings(inversion=lime), "image")
    with pytest.raises(ValueError, match="text inputs have mask, drop, found zero"):
        check_modality(default_explanations("text", ExplanationSettings(inversion=zero)), "text")
    check_modality(ExplanationSettings(inversion=zero), "image")
    with pytest.raises(ValueError, match=r"the name inversion is that of the rows of explanations\.inversion"):
        ExplanationSettings(groups=(MetricGroup(preset=Preset(name="inversion")),))


def test_rows_of_texts_keep_the_identity_they_had_before_pictures_could_be_asked_for_more() -> None:
    # Computed with the code as it was (commit 312fc5a).
    own = default_explanations("text")
    found = {"attributions": "d824b84effdf7bea", "explanation_metrics": "c366194ab64b90d0"}
    assert silver_ids(META, scoring("text"), own).told() == {"predictions": SAME["predictions"]} | found
    dropped = default_explanations("text", ExplanationSettings(method_settings=MethodSettings(ig_steps=8, baseline="drop")))
    found = {"attributions": "481135cf2bcd8384", "explanation_metrics": "540ac85c0e67b21f"}
    assert silver_ids(META, scoring("text"), dropped).told() == {"predictions": SAME["predictions"]} | found


def test_of_pictures_nothing_new_stands_in_the_settings() -> None:
    written = silver_settings(META, scoring(), ExplanationSettings())
    base = {"fixed": 1, "examples": "examples"}
    assert written[PREDICTIONS] == base and written[ATTRIBUTIONS] == base | {"explained": "predicted class"}
    assert set(written[EXPLANATION_METRICS]) == {*base, "explanations"}
    assert set(typing.cast("dict[str, object]", written[EXPLANATION_METRICS]["explanations"])) == {"groups", "seed"}


def test_of_texts_every_choice_makes_other_rows_and_a_further_method_does_not() -> None:
    own = default_explanations("text")
    first = silver_ids(META, scoring("text"), own)
    assert silver_ids(META, scoring("text"), own.model_copy(update={"methods": (*own.methods, "cap")})) == first
    for changed in (
        MethodSettings(masks=Masking(n=200)),
        MethodSettings(lime=LimeFit(width=0.5)),
        MethodSettings(shapley=ShapleyFit()),
        MethodSettings(ig_steps=8),
        MethodSettings(baseline="drop"),
        MethodSettings(seed=1),
    ):
        other = silver_ids(META, scoring("text"), own.model_copy(update={"method_settings": changed}))
        assert other.predictions == first.predictions and other.attributions != first.attributions
        assert other.explanation_metrics != first.explanation_metrics
    turned = silver_ids(META, scoring("text"), own.model_copy(update={"methods": ("ig", "attention")}))  # reverse is of ig now
    assert turned.attributions == first.attributions and turned.explanation_metrics != first.explanation_metrics
    written = silver_settings(META, scoring("text"), own)
    assert written[EXPLANATION_METRICS]["reverse_of"] == "attention"
    assert written[ATTRIBUTIONS]["method_settings"] == MethodSettings().model_dump(mode="json")
    known = silver_ids(META, scoring("text"), ExplanationSettings(truth="grammar", methods=own.methods, groups=own.groups))
    assert known.attributions == first.attributions and known.explanation_metrics != first.explanation_metrics


def test_the_default_shapley_values_know_how_masks_are_drawn_and_the_literal_ones_can_be_asked_for() -> None:
    assert MethodSettings().shapley.keep_probability == MethodSettings().masks.keep_probability == 0.7
    assert (MethodSettings().masks.n, MethodSettings().ig_steps, MethodSettings().baseline) == (100, 32, "mask")
    assert MethodSettings.model_validate({"shapley": {"keep_probability": None}}).shapley == ShapleyFit()
    for wrong in ({"masks": {"keep_probability": 0.5}}, {"shapley": {"keep_probability": 0.6}}):
        with pytest.raises(ValidationError, match="Set both"):
            MethodSettings.model_validate(wrong)
    half = {"masks": {"keep_probability": 0.5}, "shapley": {"keep_probability": 0.5}}
    assert MethodSettings.model_validate(half).shapley.keep_probability == 0.5


def test_texts_are_asked_for_their_own_methods_where_the_user_says_nothing() -> None:
    own = default_explanations("text")
    assert own.methods == ("attention", "ig", "occlusion", "lime", "kernel_shap")
    assert own.groups == (MetricGroup(preset=DEFAULT_TEXT, controls=("random", "reverse")),)
    check_modality(own, "text")
    given = ExplanationSettings(methods=("ig",), seed=4)
    assert default_explanations("text", given) == ExplanationSettings(methods=("ig",), seed=4, groups=own.groups)
    named = default_explanations("text", ExplanationSettings(truth="grammar"))
    assert named.groups[0].controls == ("random", "reverse", "oracle")
    assert default_explanations("text", default_explanations("text", given)) == default_explanations("text", given)
    assert default_explanations("image") == ExplanationSettings() and default_explanations("image", SHIPPED) is SHIPPED
    check_modality(default_explanations("image"), "image")


def test_patches_are_hidden_by_the_mean_where_more_than_attention_is_asked_and_nobody_says_otherwise() -> None:
    more = ExplanationSettings(methods=("attention", "lime"), method_settings=MethodSettings(ig_steps=4))
    own = default_explanations("image", more)
    assert own.method_settings == MethodSettings(ig_steps=4, baseline="mean") and own.methods == more.methods
    check_modality(own, "image")
    assert default_explanations("image", own) == own and ExplanationSettings.model_validate_json(own.model_dump_json()) == own
    for baseline in BASELINES["image"]:
        named = more.model_copy(update={"method_settings": MethodSettings(baseline=baseline)})
        assert default_explanations("image", named) is named
        check_modality(named, "image")
    assert default_explanations("text", more).method_settings.baseline == "mask"


def test_of_pictures_asked_for_more_every_choice_makes_other_rows_and_a_further_method_does_not() -> None:
    own = default_explanations("image", ExplanationSettings(methods=("attention", "occlusion")))
    first = silver_ids(META, scoring(), own)
    assert first.attributions != SAME["attributions"] and first.predictions == SAME["predictions"]
    assert silver_ids(META, scoring(), own.model_copy(update={"methods": ("attention", "ig")})) == first
    for changed in (MethodSettings(baseline="zero"), MethodSettings(baseline="mean", ig_steps=8)):
        assert silver_ids(META, scoring(), own.model_copy(update={"method_settings": changed})).attributions != first.attributions


def test_what_a_modality_has_not_is_refused_and_what_it_has_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = default_explanations("image", ExplanationSettings(methods=("attention", "ig", "lime")))
    check_modality(asked, "image")
    monkeypatch.setitem(COMPUTED, "image", ("attention",))  # as it was; today both have all methods
    with pytest.raises(ValueError, match=r"of image inputs attention can be computed, found ig, lime"):
        check_modality(asked, "image")
    monkeypatch.undo()
    for modality, baseline, theirs in (("image", "mask", "mean, zero, blur, drop"), ("text", "blur", "mask, drop")):
        wrong = ExplanationSettings(methods=("lime",), method_settings=MethodSettings(baseline=baseline))
        with pytest.raises(ValueError, match=rf"method_settings\.baseline: units of {modality} .* by {theirs}, found {baseline}"):
            check_modality(wrong, modality)
    with pytest.raises(ValueError, match=r"'default' hides units by mean, which text inputs have not .*default_text, drop_text"):
        check_modality(ExplanationSettings(), "text")
    with pytest.raises(ValueError, match=r"'ki' hides units by mean, zero"):
        check_modality(ExplanationSettings(groups=(MetricGroup(preset=KI),)), "text")
    with pytest.raises(ValueError, match=r"'default_text' hides units by mask, which image inputs have not .*default, ki, drop_text"):
        check_modality(ExplanationSettings(groups=(MetricGroup(preset=DEFAULT_TEXT),)), "image")
    with pytest.raises(ValueError, match="words of texts, found image"):
        check_modality(ExplanationSettings(truth="grammar"), "image")
    check_modality(ExplanationSettings(groups=(MetricGroup(preset=DEFAULT), MetricGroup(preset=DROP_TEXT))), "image")  # patches drop too


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (
            {"methods": ("rollout",)},
            "methods must be among attention, attention_rollout, ig, occlusion, lime, kernel_shap, cap, got rollout",
        ),
        ({"methods": ()}, "at least one"),
        ({"methods": ("lime", "lime")}, "none twice"),
        ({"truth": "gramar"}, "truth must be one of grammar or null"),
        ({"groups": [{"preset": "default_text", "controls": ["oracle"]}]}, "oracle needs explanations.truth"),
        ({"groups": [{"preset": "default_text", "controls": ["lime"]}]}, "controls must be among random, reverse, oracle, got lime"),
        ({"groups": [{"preset": "kj"}]}, "preset must be one of default, ki, default_text, drop_text or"),
        ({"groups": [{"preset": "ki"}, {"preset": "ki"}]}, "name of its own"),
        ({"method_settings": {"ig_steps": 0}}, "greater than or equal to 1"),
        ({"method_settings": {"baseline": "grey"}}, "'drop' or 'mask'"),
        ({"method_settings": {"masks": {"n": 2}}}, "greater than or equal to 3"),
    ],
)
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        ExplanationSettings.model_validate(wrong)


def test_settings_written_down_are_read_back() -> None:
    changed = ExplanationSettings(methods=("ig",), method_settings=MethodSettings(ig_steps=4), truth="grammar")
    for settings in (ExplanationSettings(), SHIPPED, default_explanations("text"), changed):
        assert ExplanationSettings.model_validate(settings.model_dump(mode="json")) == settings
        assert ExplanationSettings.model_validate_json(settings.model_dump_json()) == settings
    assert settings_id(changed) != settings_id(ExplanationSettings(methods=("ig",)))


def test_baselines_of_a_modality_are_those_that_its_models_know() -> None:
    assert set(BASELINES["image"]) == set(PICTURE_BASELINES) and BASELINES["text"] == TEXT_BASELINES
    assert {name for names in BASELINES.values() for name in names} == set(typing.get_args(Baseline))
