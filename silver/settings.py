"""Which explanations are computed, and how are they scored?"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from models.modality import AnyRecipe
from xai.attribution import METHODS
from xai.presets import DEFAULT, KI, Preset

# What silver.attribute and silver.measure can make of a picture: the last layer's attention, and the controls that ask for nothing.
CONTROLS = tuple(method.name for method in METHODS if method.control and method.needs == "nothing")
COMPUTED = tuple(method.name for method in METHODS if method.needs == "attention")


class MetricGroup(BaseModel):
    """One preset and the controls that are scored under it beside every attribution method."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: Preset
    controls: tuple[str, ...] = CONTROLS

    @field_validator("preset", mode="before")
    @classmethod
    def _by_name(cls, value: object) -> object:
        """A preset may be given by its name: default or ki."""
        named = {preset.name: preset for preset in (DEFAULT, KI)}
        if isinstance(value, str) and value not in named:
            raise ValueError(f"preset must be one of {', '.join(named)} or a record with a name of its own, got {value!r}")
        return named[value] if isinstance(value, str) else value

    @field_validator("controls")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if alien := [name for name in value if name not in CONTROLS]:
            raise ValueError(f"controls must be among {', '.join(CONTROLS)}, got {', '.join(alien)}")
        return value


class ExplanationSettings(BaseModel):
    """`methods`: attribution methods to compute. `groups`: presets under which they are scored, each a metric_group of the table.

    Gains over random order are null in a group without the control `random`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    methods: tuple[str, ...] = ("attention",)
    groups: tuple[MetricGroup, ...] = (MetricGroup(preset=DEFAULT), MetricGroup(preset=KI, controls=()))
    seed: int = Field(default=0, ge=0)

    @field_validator("methods")
    @classmethod
    def _computable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if alien := [name for name in value if name not in COMPUTED]:
            raise ValueError(f"methods must be among {', '.join(COMPUTED)}, got {', '.join(alien)}")
        return value

    @model_validator(mode="after")
    def _distinct(self) -> ExplanationSettings:
        names = [group.preset.name for group in self.groups]
        if len(set(names)) != len(names) or not names:
            raise ValueError(f"groups must be at least one, each with a preset name of its own, got {names}")
        return self


class AdapterSettings(BaseModel):
    """Where adapters come from.

    `recipes`: trained here when no adapter of the same recipe, backbone, data and seed exists; `defaults` are filled into each.
    `folders`: folders of adapter folders (PEFT layout) made elsewhere. `labels`: their label order, where neither manifest nor
    config.json tells it. `threads`: per training task; part of what makes training repeatable.
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
        if isinstance(value, dict) and isinstance(value.get("defaults"), dict) and isinstance(value.get("recipes"), (list, tuple)):
            filled = [value["defaults"] | recipe if isinstance(recipe, dict) else recipe for recipe in value["recipes"]]
            return value | {"recipes": filled}
        return value

    @model_validator(mode="after")
    def _names_differ(self) -> AdapterSettings:
        names = [recipe.name for recipe in self.recipes]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"recipe names must differ, found {', '.join(twice)} more than once")
        return self
