"""What does the model, and what does each method, say of one example and its pokes?

Methods that ask p under masks ask it of all pokes through one memory, so that no answer is computed twice. The others explain poked inputs
as they explain any, for the class that the clean input has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray
from scipy.special import softmax

from models.any_scoring import AnyScoring, Included, Inputs
from models.scored_adapter import ScoredAdapter
from silver.explainers import block_of, explained
from silver.explainers.kinds import PerUnit
from silver.explainers.poked_block import PokedBlock
from silver.inversion.figures import Outputs, Poked
from silver.inversion.pokes import Pokes
from silver.methods import MethodSettings
from xai.attribution import METHODS
from xai.inversion import poked_value
from xai.masks import one_hidden
from xai.value import Value, evaluated

CHUNK = 64  # poked inputs that are held at once
BY_MASKS = frozenset(method.name for method in METHODS if method.needs == "value")
OCCLUSION = "occlusion"

Attributions = dict[str, Poked]


@dataclass(frozen=True)
class Example:
    """One example under one adapter. `inputs` holds it alone; `target` is its predicted class, in the dataset's label order; `given`:
    method -> its stored attribution of the example's own units. `removed`, `masked`: baselines of F and of the methods' masks."""

    scoring: AnyScoring
    adapter: ScoredAdapter
    inputs: Inputs
    example_id: str
    included: Included
    target: int
    given: dict[str, Float64[NDArray[np.float64], " units"]]
    settings: MethodSettings
    removed: str
    masked: str


def answers(example: Example, clean: float, pokes: Pokes) -> tuple[Outputs, Attributions]:
    """p(target) of the pokes and without each unit, and what the methods of `given` say of the pokes. `clean`: p(target) of the example."""
    direct = [method for method in example.given if method not in BY_MASKS]
    p, predicted, values = _directly(example, direct, pokes)
    values |= _by_masks(example, [method for method in example.given if method in BY_MASKS], pokes)
    kept = (predicted[pokes.n_whole :] == example.target).reshape(len(pokes.units), -1)
    alone = p[pokes.n_whole :].reshape(len(pokes.units), -1)
    outputs = Outputs(clean, p[: pokes.n_whole], _effects(example), kept, alone)
    return outputs, {method: _apart(example.given[method], found, pokes) for method, found in values.items()}


def _directly(
    example: Example, methods: list[str], pokes: Pokes
) -> tuple[Float64[NDArray[np.float64], " pokes"], NDArray[np.int64], dict[str, PerUnit]]:
    """p(target) and predicted class of every poke, and its attributions by methods that look inside the model: the same forward, where it
    gives both."""
    p, predicted = [], []
    found: dict[str, list[PerUnit]] = {method: [] for method in methods}
    for start in range(0, len(pokes), CHUNK):
        numbers = np.arange(start, min(start + CHUNK, len(pokes)))
        inputs = example.scoring.poked(example.inputs, pokes.noise(np.zeros_like(numbers), numbers), pokes.settings.magnitude)
        aimed = np.full(len(numbers), example.target)
        names = [example.example_id] * len(numbers)
        block = block_of(example.scoring, example.adapter, inputs, names, methods, example.settings, aimed)
        p.append(softmax(block.logits.astype(np.float64), axis=1)[:, example.target])
        predicted.append(block.logits.argmax(axis=1))
        for method in methods:
            found[method].append(explained(block, method).values)
    return np.concatenate(p), np.concatenate(predicted), {method: np.concatenate(parts) for method, parts in found.items()}


def _by_masks(example: Example, methods: list[str], pokes: Pokes) -> dict[str, PerUnit]:
    """Attributions of every poke by methods that ask p under masks; those of the clean input are the same for all (METHODS 9)."""
    if not methods:
        return {}
    targets, touched = np.array([example.target]), pokes.touched
    flat = example.scoring.poked_value(example.adapter, example.inputs, targets, example.masked, pokes.noise, pokes.settings.magnitude)
    value = poked_value(flat, 1, touched)
    clean = block_of(example.scoring, example.adapter, example.inputs, [example.example_id], methods, example.settings, targets)
    block: Any = PokedBlock(clean, value, 1 + len(pokes))  # it has what a method asks of a block
    found = {method: explained(block, method).values[1:] for method in methods if method != OCCLUSION}
    return found | ({OCCLUSION: _occluded(value, example.included, touched)} if OCCLUSION in methods else {})


def _occluded(value: Value, included: Included, touched: NDArray[np.bool_]) -> PerUnit:
    """Occlusion of the pokes [pokes, places], of the units that each touched; 0 elsewhere. Where one unit was poked, only its own is asked
    for: a forward per poke, since without that unit the poked input is the input."""
    keep = np.repeat(one_hidden(included), 1 + len(touched), axis=0)
    keep[0, 1:] = included  # of the clean input the stored attribution is used
    np.copyto(keep[1:, 1:], included[0], where=~touched[..., None])
    p = evaluated(value, keep)[1:]
    return np.where(touched, p[:, :1] - p[:, 1:], 0.0).astype(np.float32)


def _effects(example: Example) -> Float64[NDArray[np.float64], " units"]:
    """|p - p without unit j| of the example's own units."""
    flat = example.scoring.value(example.adapter, example.inputs, np.array([example.target]), example.removed)
    keep = one_hidden(example.included)[0]
    p = np.asarray(flat(np.zeros(len(keep), dtype=np.int64), keep), dtype=np.float64)
    return np.asarray(np.abs(p[0] - p[1:])[example.included[0]])


def _apart(clean: Float64[NDArray[np.float64], " units"], found: PerUnit, pokes: Pokes) -> Poked:
    own = found[pokes.n_whole :, pokes.units].reshape(len(pokes.units), -1, len(pokes.units))
    each = np.arange(len(pokes.units))
    return Poked(clean, found[: pokes.n_whole, pokes.units], own[each, :, each])
