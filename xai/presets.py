"""Which metrics are meant, and which reading of them? Families, step, baselines, spacing and entropy's epsilon under one name."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from xai.units import Sizes

Baseline = Literal["mean", "zero", "blur", "drop", "mask"]
Spacing = Literal["exact", "even"]
Family = Literal["complexity", "curves", "removal"]

FAMILIES: tuple[Family, ...] = ("complexity", "curves", "removal")  # the order of a row's columns
PICTURE_FAMILIES: tuple[Family, ...] = ("complexity", "curves")
# What can stand for a removed unit, by modality (METHODS 0).
BASELINES: dict[str, tuple[Baseline, ...]] = {"image": ("mean", "zero", "blur", "drop"), "text": ("mask", "drop")}
POINTS_PER_CURVE = 10  # KI: a step is a tenth of the units


class Preset(BaseModel):
    """How explanation metrics are computed; part of the settings that identify a row.

    `step`: units changed per point, the last step shorter; None = max(1, N // 10) of each example's N units.
    `deletion_baseline`, `insertion_baseline`: what stands for a removed unit (images: mean, zero, blur, drop; text: mask, drop).
    `spacing`: x of a point is the share of units changed (`exact`), or the points are evenly spaced over 0 to 1 although the
    last step is shorter (`even`). `entropy_epsilon` is added to every share before the logarithm.

    `families`: `complexity` is entropy and sparsity, `curves` deletion and insertion, `removal` comprehensiveness and sufficiency.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    step: int | None = Field(default=None, ge=1)
    deletion_baseline: Baseline = "mean"
    insertion_baseline: Baseline = "mean"
    spacing: Spacing = "exact"
    entropy_epsilon: float = Field(default=0.0, ge=0.0, lt=1.0)
    families: tuple[Family, ...] = PICTURE_FAMILIES

    @field_validator("families")
    @classmethod
    def _ordered(cls, value: tuple[Family, ...]) -> tuple[Family, ...]:
        if not value or len(set(value)) != len(value):
            raise ValueError(f"families must be at least one of {', '.join(FAMILIES)}, none twice, got {list(value)}")
        return tuple(family for family in FAMILIES if family in value)  # one set, one settings hash

    @model_serializer(mode="wrap")
    def _as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without `families` where it is the default: settings from before there was a choice keep their hash, and rows their identity."""
        written: dict[str, Any] = handler(self)
        if self.families == PICTURE_FAMILIES:
            written.pop("families", None)
        return written

    def steps(self, n_units: Sizes) -> Sizes:
        """Units changed per point for examples of `n_units` units."""
        if self.step is not None:
            return np.full_like(n_units, self.step)
        return np.maximum(1, n_units // POINTS_PER_CURVE)


# METHODS 2 and 9: one baseline for both curves, so that deletion and insertion speak of the same removal.
DEFAULT = Preset(name="default")

# For text, where a removed word becomes the tokenizer's mask token and positions stay, or leaves the text (METHODS 0).
DEFAULT_TEXT = Preset(name="default_text", deletion_baseline="mask", insertion_baseline="mask", families=FAMILIES)
DROP_TEXT = Preset(name="drop_text", deletion_baseline="drop", insertion_baseline="drop", families=FAMILIES)

# The study's own variant. One thing is not reproduced, on purpose: on an all-zero map its code gives entropy 0 and Gini 1 (a
# certain explanation of nothing), where an all-zero map is uniform here: entropy 1 and Gini 0, in this preset too.
KI = Preset(name="ki", deletion_baseline="mean", insertion_baseline="zero", spacing="even", entropy_epsilon=1e-10)

PRESETS: tuple[Preset, ...] = (DEFAULT, KI, DEFAULT_TEXT, DROP_TEXT)
