"""Which probe worlds are explained, how often, and under which pokes?"""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from xai.masks import Masking

WorldName = Literal["product", "linear", "adult", "shapes", "digits", "grammar"]
DOMAINS = "worlds"  # the dataset under which a domain's verdict over its worlds stands
# Names under which rows of probe worlds stand beside those of the lake's datasets: no dataset may have one.
DATASETS = (DOMAINS, *(f"world_{name}" for name in get_args(WorldName)))


class SizeSettings(BaseModel):
    """Examples of each domain, beside each other under every psi."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tabular: int = Field(default=40, ge=2, description="rows of a table")
    image: int = Field(default=8, ge=2, description="pictures")
    text: int = Field(default=8, ge=2, description="texts")


class InversionSettings(BaseModel):
    """Probe worlds: models trained where the truth is known, explained, poked, and tempted by an unused slot that echoes the output."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    worlds: tuple[WorldName, ...] = Field(default=(), description="which are explained; none: nothing is computed")
    seeds: tuple[int, ...] = Field(default=(0, 1, 2, 3, 4), description="of the models; intervals are over them")
    examples: SizeSettings = Field(default=SizeSettings(), description="how many are explained in each domain")
    trained_on: int = Field(default=2000, ge=50, description="rows that a model learns from")
    psi: tuple[float, ...] = Field(
        default=(0.0, 0.2, 0.4, 0.6, 0.8), description="how strongly the slot echoes the output; 0 is the placebo"
    )
    pokes: int = Field(default=20, ge=2, description="of the whole input, for R")
    repeats: int = Field(default=3, ge=1, description="pokes of each unit, for Reproduce-by-Poking")
    magnitude: float = Field(
        default=0.05, gt=0.0, description="sd of a poke as share of a feature's size, or of the norm of a word's embedding"
    )
    p: float = Field(default=2.0, gt=0.0, description="exponent of the inversion score")
    masks: Masking = Field(default=Masking(n=60), description="of LIME and KernelSHAP")
    enumerate_up_to: int = Field(default=6, ge=0, le=10, description="units up to which Shapley values are exact")
    ig_steps: int = Field(default=16, ge=1, description="midpoints of integrated gradients")
    background: int = Field(default=20, ge=1, description="training rows whose units stand in for a hidden one in that arm of F")
    sweep_repeats: tuple[int, ...] = Field(default=(1, 3, 5, 10), description="numbers of pokes in gold.inversion_sweep")
    sweep_magnitudes: tuple[float, ...] = Field(default=(0.01, 0.05, 0.1), description="sizes of pokes there")
    sweep_examples: int = Field(default=4, ge=0, description="examples that are swept; 0: none")
    level: float = Field(default=0.95, gt=0.0, lt=1.0, description="of intervals over seeds")
    adult: str | None = Field(default=None, description="folder of UCI Adult: train.csv and test.csv, with a header")

    @field_validator("psi")
    @classmethod
    def _with_placebo(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if 0.0 not in value or len(set(value)) != len(value) or min(value) < 0.0:
            raise ValueError(
                f"psi must hold 0, the placebo that others are measured against, nothing below it and none twice, got {list(value)}"
            )
        return tuple(sorted(value))

    @field_validator("seeds", "worlds", "sweep_repeats", "sweep_magnitudes")
    @classmethod
    def _distinct(cls, value: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
        least = {"seeds": (0, 1), "sweep_repeats": (1, 0), "sweep_magnitudes": (1e-9, 0)}
        if len(set(value)) != len(value):
            raise ValueError(f"none may be named twice, got {list(value)}")
        smallest, count = least.get(str(info.field_name), (None, 0))
        if len(value) < count or (smallest is not None and any(one < smallest for one in value)):
            raise ValueError(f"there must be at least {count} and none below {smallest:g}, got {list(value)}")
        return value
