"""Is an explanation used or merely told afterwards? Reliance, faithfulness and inversion score of a method, as it is and refined.

What a method says of an input, of its pokes and of the pokes of one unit of each comes in as arrays (`answers` has them of methods that ask
under masks); from there on it is arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64
from numpy.typing import NDArray

from xai.inversion.refine import Refined, reproduce_by_poking, shapley_stability, shrink
from xai.inversion.scores import movement, partial_reliance
from xai.metrics import faithfulness, inversion_score, reliance
from xai.units import BatchIncluded, BatchUnits64, PerRow

PerInput = Float[NDArray[np.floating], "batch inputs units"]
OwnUnit = Float[NDArray[np.floating], "batch inputs units repeats"]
Kept = Bool[NDArray[np.bool_], "batch inputs units repeats"]
Marginals = Float[NDArray[np.floating], "batch inputs units sizes"]
Output = Float64[NDArray[np.float64], "batch inputs"]

AS_IT_IS = "none"
STABILITY = "shapley_stability"


@dataclass(frozen=True)
class Form:
    """One way to refine. `strength`: lambda."""

    name: str
    strength: float
    scale_free: bool


FORMS = (
    Form("literal", 0.1, False), Form("scale_free", 0.1, True), Form("scale_free", 1.0, True), Form("scale_free", 10.0, True),
)  # fmt: skip


@dataclass(frozen=True)
class Pokes:
    """How the model answered: `output` float64[batch, inputs] is M of each example and of its pokes, `effect` float64[batch, units] is
    |M(x) - M(x, unit at its baseline)| of the examples. `kept`: a poke of one unit kept the prediction. `marginals` [batch, inputs, units,
    sizes]: mean marginal contribution by size of coalition, for the form shapley_stability; None: left out."""

    output: Output
    effect: BatchUnits64
    kept: Kept
    marginals: Marginals | None = None


@dataclass(frozen=True)
class Inversion:
    """Of one refinement, [batch] each: R, F and IS as `scores` has them. `attribution` [batch, units] of the input itself."""

    attribution: BatchUnits64
    reliance: PerRow
    faithfulness: PerRow
    inversion_score: PerRow
    partial_reliance: PerRow


@dataclass(frozen=True)
class Inverted:
    """`by`: (form, lambda) -> its figures; ("none", 0) is the attribution as it is, ("shrink", lambda) the control of the scale-free form
    of that lambda. `refined`: what refining did to the input's own attribution, by (form, lambda)."""

    by: Mapping[tuple[str, float], Inversion]
    refined: Mapping[tuple[str, float], Refined]


def inverted(
    given: PerInput,
    own: OwnUnit,
    pokes: Pokes,
    included: BatchIncluded,
    truth: PerInput | None = None,
    forms: tuple[Form, ...] = FORMS,
    p: float = 2.0,
) -> Inverted:
    """R, F and IS of a method on every example, and of its refinements by Reproduce-by-Poking, recomputed at every poked input.

    given [batch, inputs, units]: attributions of each example (first) and of its pokes; own [batch, inputs, units, repeats]: of each
    poke of one unit of each input, that unit's number; included [batch, units]. `truth`: attribution by the truth at every input; None
    where it is not known: partial reliance is null then. The stability of marginals is refined with lambda 1. Raises ValueError when shapes
    differ.
    """
    batch, inputs, units = given.shape
    if own.shape[:3] != given.shape or pokes.kept.shape != own.shape or included.shape != (batch, units):
        raise ValueError(
            f"own and kept must be [{batch}, {inputs} inputs, {units} units, repeats] and included [{batch}, {units}], got {own.shape}, "
            f"{pokes.kept.shape} and {included.shape}"
        )
    flat = given.reshape(-1, units).astype(np.float64)
    inside = np.repeat(included, inputs, axis=0)
    true_moved = None if truth is None else movement(truth[:, 0], truth[:, 1:], included)

    def figures(attribution: BatchUnits64) -> Inversion:
        apart = attribution.reshape(batch, inputs, units)
        moved = movement(apart[:, 0], apart[:, 1:], included)
        r = reliance(moved, pokes.output[:, 0], pokes.output[:, 1:])
        f = faithfulness(apart[:, 0], pokes.effect, included)
        m, poked = pokes.output[:, 0], pokes.output[:, 1:]
        partial = np.full(batch, np.nan) if true_moved is None else partial_reliance(moved, m, poked, true_moved)
        return Inversion(apart[:, 0], r, f, inversion_score(r, f, p), partial)

    by: dict[tuple[str, float], Inversion] = {(AS_IT_IS, 0.0): figures(flat)}
    refined: dict[tuple[str, float], Refined] = {}
    for form in forms:
        found = reproduce_by_poking(
            flat, own.reshape(-1, *own.shape[2:]), pokes.kept.reshape(-1, *own.shape[2:]), form.strength, form.scale_free, inside
        )
        by[form.name, form.strength] = figures(found.values)
        refined[form.name, form.strength] = _of_examples(found, inputs)
        if form.scale_free:
            by["shrink", form.strength] = figures(shrink(flat, found.values))
    if pokes.marginals is not None:
        found = shapley_stability(flat, pokes.marginals.reshape(-1, *pokes.marginals.shape[2:]), 1.0, inside)
        by[STABILITY, 1.0], refined[STABILITY, 1.0] = figures(found.values), _of_examples(found, inputs)
    return Inverted(by, refined)


def _of_examples(found: Refined, inputs: int) -> Refined:
    """Of the examples themselves, without their pokes."""
    return Refined(*(getattr(found, name)[::inputs] for name in Refined.__dataclass_fields__))
