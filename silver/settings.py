"""Which explanations are computed, and how are they scored?"""

from __future__ import annotations

from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from models.modality import AnyRecipe
from silver.inversion.settings import PokingSettings, check_inversion
from silver.methods import MethodSettings
from silver.specs import INVERSION
from silver.truth import TRUTHS
from xai.attribution import METHODS
from xai.presets import BASELINES, DEFAULT, DEFAULT_TEXT, KI, PRESETS, Baseline, Preset

# What silver.attribute and silver.measure can make of each kind of input (silver.explainers holds a function for each).
COMPUTED: dict[str, tuple[str, ...]] = {
    kind: tuple(method.name for method in METHODS if kind in method.modalities and not method.control) for kind in ("image", "text")
}
ATTENTION_ALONE = ("attention",)  # what pictures are asked where the user says nothing
PICTURE_BASELINE: Baseline = "mean"  # hides patches where pictures are asked for more and the user names none
CONTROLS = tuple(method.name for method in METHODS if method.control and method.needs == "nothing")
KNOWN_CONTROLS = tuple(method.name for method in METHODS if method.control)
TEXT_METHODS = ("attention", "ig", "occlusion", "lime", "kernel_shap")  # asked for where the user says nothing; cap on demand


class MetricGroup(BaseModel):
    """One preset and the controls that are scored under it beside every attribution method.

    `reverse` turns the first of the methods round; `oracle` needs a `truth`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: Preset
    controls: tuple[str, ...] = CONTROLS

    @field_validator("preset", mode="before")
    @classmethod
    def _by_name(cls, value: object) -> object:
        """A preset may be given by its name: default, ki (pictures), default_text, drop_text (texts)."""
        named = {preset.name: preset for preset in PRESETS}
        if isinstance(value, str) and value not in named:
            raise ValueError(f"preset must be one of {', '.join(named)} or a record with a name of its own, got {value!r}")
        return named[value] if isinstance(value, str) else value

    @field_validator("controls")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if alien := [name for name in value if name not in KNOWN_CONTROLS]:
            raise ValueError(f"controls must be among {', '.join(KNOWN_CONTROLS)}, got {', '.join(alien)}")
        return value


class ExplanationSettings(BaseModel):
    """`methods`: attribution methods to compute. `groups`: presets under which they are scored, each a metric_group of the table.
    `method_settings`: how the methods beyond attention are computed. `truth`: name of the world whose decisive words are known (grammar);
    then every row says how well it points at them, and the control `oracle` can be scored. `inversion`: whether explanations are used or
    merely told, asked of a sub-sample; null: not at all.

    Gains over random order are null in a group without the control `random`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    methods: tuple[str, ...] = ATTENTION_ALONE
    groups: tuple[MetricGroup, ...] = (MetricGroup(preset=DEFAULT), MetricGroup(preset=KI, controls=()))
    seed: int = Field(default=0, ge=0)
    method_settings: MethodSettings = MethodSettings()
    truth: str | None = None
    inversion: PokingSettings | None = None

    @field_validator("methods")
    @classmethod
    def _computable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = tuple(dict.fromkeys(name for names in COMPUTED.values() for name in names))
        if alien := [name for name in value if name not in known]:
            raise ValueError(f"methods must be among {', '.join(known)}, got {', '.join(alien)}")
        if not value or len(set(value)) != len(value):
            raise ValueError(f"methods must be at least one, none twice, got {', '.join(value) or 'none'}")
        return value

    @field_validator("truth")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value not in TRUTHS:
            raise ValueError(f"truth must be one of {', '.join(TRUTHS)} or null, got {value!r}")
        return value

    @model_validator(mode="after")
    def _distinct(self) -> ExplanationSettings:
        names = [group.preset.name for group in self.groups]
        if len(set(names)) != len(names) or not names:
            raise ValueError(f"groups must be at least one, each with a preset name of its own, got {names}")
        if INVERSION in names:
            raise ValueError(f"groups: the name {INVERSION} is that of the rows of explanations.inversion; give the preset another")
        if self.truth is None and (blind := [group.preset.name for group in self.groups if "oracle" in group.controls]):
            raise ValueError(f"the control oracle needs explanations.truth ({', '.join(TRUTHS)}), found none for group {', '.join(blind)}")
        return self

    @model_serializer(mode="wrap")
    def _as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without the keys that pictures have no use for where they say nothing: settings from before these keys keep their hash."""
        written: dict[str, Any] = handler(self)
        if self.method_settings == MethodSettings():
            written.pop("method_settings", None)
        if self.truth is None:
            written.pop("truth", None)
        if self.inversion is None:
            written.pop("inversion", None)
        return written


def default_explanations(modality: str, given: ExplanationSettings | None = None) -> ExplanationSettings:
    """What is asked about a dataset of this modality, `image` or `text`, where the user says nothing; `given` is what he does say.

    Texts: attention, integrated gradients, occlusion, LIME and KernelSHAP under `default_text` with the controls random and reverse, and
    oracle where a truth is named. Pictures: the record's own defaults; where they are asked for more than attention, patches are hidden by
    `mean`.
    """
    given = ExplanationSettings() if given is None else given
    if modality != "text":
        return _hiding_patches(given)
    controls = ("random", "reverse") if given.truth is None else ("random", "reverse", "oracle")
    defaults = {"methods": TEXT_METHODS, "groups": (MetricGroup(preset=DEFAULT_TEXT, controls=controls),)}
    return given.model_copy(update={key: value for key, value in defaults.items() if key not in given.model_fields_set})


def _hiding_patches(given: ExplanationSettings) -> ExplanationSettings:
    own = given.method_settings
    if given.methods == ATTENTION_ALONE or "baseline" in own.model_fields_set:
        return given
    return given.model_copy(update={"method_settings": own.model_copy(update={"baseline": PICTURE_BASELINE})})


def check_modality(explanations: ExplanationSettings, modality: str) -> None:
    """Raises ValueError when something is asked that this modality, `image` or `text`, has not: a method, a baseline, a truth."""
    if alien := [method for method in explanations.methods if method not in COMPUTED[modality]]:
        raise ValueError(
            f"explanations.methods: of {modality} inputs {', '.join(COMPUTED[modality])} can be computed, found {', '.join(alien)}"
        )
    baseline = explanations.method_settings.baseline
    hides = modality == "text" or explanations.methods != ATTENTION_ALONE  # attention alone hides nothing
    if hides and baseline not in BASELINES[modality]:
        raise ValueError(
            f"explanations.method_settings.baseline: units of {modality} inputs can be hidden by {', '.join(BASELINES[modality])}, found "
            f"{baseline}; name one of these, or leave it out"
        )
    for group in explanations.groups:
        found = {group.preset.deletion_baseline, group.preset.insertion_baseline}
        if foreign := sorted(found - set(BASELINES[modality])):
            fitting = (
                preset.name for preset in PRESETS if {preset.deletion_baseline, preset.insertion_baseline} <= set(BASELINES[modality])
            )
            raise ValueError(
                f"explanations.groups: preset {group.preset.name!r} hides units by {', '.join(foreign)}, which {modality} inputs have not "
                f"(theirs are {', '.join(BASELINES[modality])}); use a preset such as {', '.join(fitting)}"
            )
    if explanations.truth is not None and modality != "text":
        raise ValueError(f"explanations.truth: {explanations.truth!r} speaks of the words of texts, found {modality} inputs; leave it out")

    if explanations.inversion is not None:
        check_inversion(explanations.inversion, explanations.methods, modality)


def _filled(defaults: dict[str, Any], recipe: Any) -> list[Any]:
    """A recipe with the defaults it does not say; one per seed where it, or they, say `seeds`. The recipe's own seed or seeds win."""
    if not isinstance(recipe, dict):
        return [recipe]
    kept = {key: value for key, value in defaults.items() if key not in ("seed", "seeds") or not {"seed", "seeds"} & set(recipe)}
    plain = kept | recipe
    if "seeds" not in plain:
        return [plain]
    seeds = plain.pop("seeds")
    if "seed" in plain or not isinstance(seeds, list) or not seeds or not all(type(seed) is int for seed in seeds):
        raise ValueError(f"recipe {plain.get('name')}: give seed, or seeds as a list of whole numbers, found seeds {seeds!r}")
    drawn = [key for key, by in (("shots_seed", "shots"), ("label_noise_seed", "label_noise")) if plain.get(by) and key not in plain]
    named = [{"name": f"{plain['name']}-s{seed}"} if "name" in plain else {} for seed in seeds]  # without a name it is refused below
    return [plain | name | {"seed": seed} | dict.fromkeys(drawn, seed) for name, seed in zip(named, seeds, strict=True)]


class AdapterSettings(BaseModel):
    """Where adapters come from.

    `recipes`: trained here when no adapter of the same recipe, backbone, data and seed exists; `defaults` are filled into each.
    `folders`: folders of adapter folders (PEFT layout) made elsewhere. `labels`: their label order, where neither manifest nor
    config.json tells it. `threads`: per training task; part of what makes training repeatable.

    A recipe, or the defaults, may say `seeds: [0, 1, 2]` in place of `seed`: it is then one recipe per number, which is its seed (and
    chooses its shots and its wrong labels, where it has any) and ends its name: `cap` becomes `cap-s0`, `cap-s1`, `cap-s2`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    defaults: dict[str, Any] = Field(default_factory=dict)
    recipes: tuple[AnyRecipe, ...] = ()
    folders: tuple[str, ...] = ()
    labels: tuple[str, ...] | None = None
    threads: int = Field(default=1, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _with_defaults(cls, value: Any) -> Any:
        if not isinstance(value, dict) or not isinstance(value.get("recipes"), (list, tuple)):
            return value
        defaults = value.get("defaults", {})
        if not isinstance(defaults, dict):
            return value
        return value | {"recipes": [one for recipe in value["recipes"] for one in _filled(defaults, recipe)]}

    @model_validator(mode="after")
    def _names_differ(self) -> AdapterSettings:
        names = [recipe.name for recipe in self.recipes]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"recipe names must differ, found {', '.join(twice)} more than once")
        return self
