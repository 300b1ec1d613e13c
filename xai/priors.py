"""What becomes of attributions that train another model: cut, scaled, fused, and made meaningless for control?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, field_validator

from xai.ragged import per_unit
from xai.units import BatchIncluded, BatchUnits, BatchUnits64

Source = Literal["cap", "ig", "lime", "shap"]
Way = Literal["mean", "max"]

SIGNED: tuple[Source, ...] = ("cap", "lime", "shap")  # clipped at 0; |IG| is summed per word and has no sign (METHODS 9)


class Fusion(BaseModel):
    """Which priors are fused and how; part of the settings that identify a row.

    `sources`: any subset of cap, ig, lime, shap; their order does not matter. `way`: element-wise `mean` or `max`. `clip`: negative
    scores of cap, lime and shap count as 0; without it they keep their sign.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: tuple[Source, ...]
    way: Way = "mean"
    clip: bool = True

    @field_validator("sources")
    @classmethod
    def _distinct(cls, value: tuple[Source, ...]) -> tuple[Source, ...]:
        if not value or len(set(value)) != len(value):
            raise ValueError(f"sources must be at least one, none twice, got {list(value)}")
        return tuple(sorted(value))  # one set, one settings hash, one order of additions


def prior(values: BatchUnits, source: Source, included: BatchIncluded, clip: bool = True) -> BatchUnits64:
    """One source's attributions [batch, units] as a prior: clipped at 0 (cap, lime, shap), then of L2 norm 1 per example.

    In [0, 1] when clipped, higher matters more; excluded units are 0. Nothing left is uniform over the units; a non-finite unit makes
    its example NaN, never 0. Raises ValueError on a negative score of `ig`, whose |.| is summed. Source: METHODS 5 and 9 (choice).
    """
    if source not in SIGNED and (np.where(included, values, 0.0) < 0.0).any():
        raise ValueError(f"{source}: scores must not be negative, found some; sum the absolute values of a word's parts first")
    return normalised(np.maximum(values, 0.0) if clip and source in SIGNED else values, included)


def normalised(values: BatchUnits, included: BatchIncluded) -> BatchUnits64:
    """Every example scaled to L2 norm 1 over its units; 1 / sqrt(N) on each when all are 0; NaN when one is not finite."""
    return per_unit(_unit_length, values, included)


def _unit_length(packed: NDArray[Any]) -> BatchUnits64:
    exact = packed.astype(np.float64)
    largest = np.abs(exact).max(axis=1, keepdims=True)
    finite = np.isfinite(largest)
    # Scaled by the largest first, so that no square overflows or vanishes.
    scaled = np.divide(exact, largest, out=np.ones_like(exact), where=(largest > 0.0) & finite)
    return np.where(finite, scaled / np.sqrt((scaled**2).sum(axis=1, keepdims=True)), np.nan)


def fused(priors: Mapping[str, BatchUnits], fusion: Fusion, included: BatchIncluded) -> BatchUnits64:
    """Element-wise mean or max of the sources' priors (each from `prior`), of L2 norm 1 again, [batch, units].

    An example that is NaN in one source is NaN. A single source is itself. Raises ValueError when a source of the fusion is lacking or
    shapes differ.
    """
    if lacking := [source for source in fusion.sources if source not in priors]:
        raise ValueError(f"fusion needs the priors {', '.join(lacking)}, got {sorted(priors)}; extract them first")
    shapes = {source: priors[source].shape for source in fusion.sources}
    if set(shapes.values()) != {included.shape}:
        raise ValueError(f"priors must have the shape of `included`, {included.shape}, got {shapes}")
    together = np.stack([np.asarray(priors[source], dtype=np.float64) for source in fusion.sources])
    return normalised(together.mean(axis=0) if fusion.way == "mean" else together.max(axis=0), included)


def shuffled(values: BatchUnits, generators: Sequence[np.random.Generator], included: BatchIncluded) -> BatchUnits64:
    """The control of the same numbers on other words: a uniform permutation of each example's units, from its own generator.

    Only included units change places, so padding changes nothing. Every permutation is possible, the one that changes nothing too.
    Generators are advanced. Raises ValueError when there is not one per example.
    """
    _one_each(generators, included)
    moved = np.zeros(values.shape, dtype=np.float64)
    for row, own, generator, units in zip(moved, values, generators, included, strict=True):
        row[units] = own[units][generator.permutation(int(units.sum()))]
    return moved


def random_prior(generators: Sequence[np.random.Generator], included: BatchIncluded) -> BatchUnits64:
    """The control that knows nothing: absolute standard normal numbers per unit, of L2 norm 1, from each example's own generator.

    Generators are advanced by one number per included unit. Raises ValueError when there is not one per example.
    """
    _one_each(generators, included)
    noise = np.zeros(included.shape, dtype=np.float64)
    for row, generator, units in zip(noise, generators, included, strict=True):
        row[units] = np.abs(generator.standard_normal(int(units.sum())))
    return normalised(noise, included)


def _one_each(generators: Sequence[np.random.Generator], included: BatchIncluded) -> None:
    if len(generators) != len(included):
        raise ValueError(f"each of {len(included)} examples needs a generator of its own, got {len(generators)}")
