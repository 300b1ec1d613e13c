"""Is an explanation used or merely told afterwards? Reliance, faithfulness and inversion score of a method, as it is and refined.

One value function answers for an input, for pokes of the whole input, and for pokes of one unit of either, so that every method is asked
about all of them in one call and no forward is made twice (`poked`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from xai.inversion.poked import PokedFlat, one_by_one, poked_value
from xai.inversion.refine import Refined, reproduce_by_poking, shrink
from xai.inversion.scores import movement, partial_reliance
from xai.masks import one_hidden
from xai.metrics import faithfulness, inversion_score, reliance
from xai.units import BatchIncluded, BatchUnits, BatchUnits64, PerRow
from xai.value import Value, evaluated

Explain = Callable[[Value, BatchIncluded], BatchUnits]
"""A value over rows, and which units each row has -> attributions [rows, units]. Rows of one example must meet the same masks."""
Kept = Bool[NDArray[np.bool_], "inputs units repeats"]

AS_IT_IS = "none"


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
    explain: Explain,
    flat: PokedFlat,
    included: BatchIncluded,
    n_pokes: int,
    kept: Kept,
    truth: BatchUnits64 | None = None,
    forms: tuple[Form, ...] = FORMS,
    p: float = 2.0,
) -> Inverted:
    """R, F and IS of a method on every example, and of its refinements by Reproduce-by-Poking, recomputed at every poked input.

    included [batch, units]. `flat` answers for batch x (1 + n_pokes) inputs (each example, then its pokes) and, of each, for the pokes of
    one unit at a time that `kept` [inputs, units, repeats] describes: True where such a poke kept the prediction. `truth`: true effect of
    each unit at every input [inputs, units], None where it is not known: partial reliance is null then. M is p(target) of the intact
    input, the baseline is that of `flat`. Raises ValueError when shapes differ.
    """
    batch, units = included.shape
    inputs, repeats = batch * (1 + n_pokes), kept.shape[-1]
    if kept.shape != (inputs, units, repeats):
        raise ValueError(f"kept must be [{batch} x (1 + {n_pokes}), {units} units, repeats], got {kept.shape}")
    touched = one_by_one(units, repeats)
    value = poked_value(flat, inputs, touched)
    per_input = 1 + len(touched)
    wide = np.repeat(np.repeat(included, 1 + n_pokes, axis=0), per_input, axis=0)
    answered = np.asarray(explain(value, wide), dtype=np.float64).reshape(inputs, per_input, units)
    given, poked = answered[:, 0], answered[:, 1:].reshape(inputs, units, repeats, units)
    own = np.stack([poked[:, unit, :, unit] for unit in range(units)], axis=1)
    inside = np.repeat(included, 1 + n_pokes, axis=0)
    effect, output = _effects(value, included, n_pokes, per_input)
    true_moved = None if truth is None else _moved(truth, included, n_pokes)

    def figures(attribution: BatchUnits64) -> Inversion:
        moved = _moved(attribution, included, n_pokes)
        first = attribution.reshape(batch, 1 + n_pokes, units)[:, 0]
        r, f = reliance(moved, output[:, 0], output[:, 1:]), faithfulness(first, effect, included)
        partial = np.full(batch, np.nan) if true_moved is None else partial_reliance(moved, output[:, 0], output[:, 1:], true_moved)
        return Inversion(first, r, f, inversion_score(r, f, p), partial)

    by: dict[tuple[str, float], Inversion] = {(AS_IT_IS, 0.0): figures(given)}
    refined: dict[tuple[str, float], Refined] = {}
    for form in forms:
        found = reproduce_by_poking(given, own, kept, form.strength, form.scale_free, inside)
        by[form.name, form.strength] = figures(found.values)
        refined[form.name, form.strength] = _of_inputs(found, batch, n_pokes)
        if form.scale_free:
            by["shrink", form.strength] = figures(shrink(given, found.values))
    return Inverted(by, refined)


def _moved(attribution: BatchUnits64, included: BatchIncluded, n_pokes: int) -> NDArray[np.float64]:
    apart = attribution.reshape(len(included), 1 + n_pokes, -1)
    return movement(apart[:, 0], apart[:, 1:], included)


def _effects(value: Value, included: BatchIncluded, n_pokes: int, per_input: int) -> tuple[BatchUnits64, NDArray[np.float64]]:
    """|M(x) - M(x without unit j)| of the examples [batch, units], and M of all inputs [batch, 1 + pokes]."""
    batch, units = included.shape
    keep = np.repeat(np.repeat(one_hidden(included), 1 + n_pokes, axis=0), per_input, axis=0)
    asked = np.zeros_like(keep)
    asked[:] = keep[:, :1]  # poked inputs are asked as they are, and only examples with a unit hidden
    first = np.arange(0, len(keep), (1 + n_pokes) * per_input)
    asked[first] = keep[first]
    answers = evaluated(value, asked).reshape(batch, 1 + n_pokes, per_input, 1 + units)
    return np.abs(answers[:, 0, 0, :1] - answers[:, 0, 0, 1:]), answers[:, :, 0, 0]


def _of_inputs(found: Refined, batch: int, n_pokes: int) -> Refined:
    """Of the examples themselves, without their pokes."""
    first = np.arange(0, batch * (1 + n_pokes), 1 + n_pokes)
    return Refined(*(getattr(found, name)[first] for name in Refined.__dataclass_fields__))
