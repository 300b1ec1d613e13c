"""How many forward passes does a plan take? Asked of the engine's own rule: the masks of the metrics, each distinct one once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lake.identity import rng
from silver.methods import forwards_per_example
from silver.settings import ExplanationSettings
from xai.attribution import random, reverse
from xai.explain import explanation_metrics
from xai.value import deduplicated

ANY_EXAMPLE = "0" * 32


@dataclass
class Recorder:
    """A value function that answers one half and keeps the masks it was asked about."""

    masks: list[NDArray[np.bool_]] = field(default_factory=list)

    def __call__(self, rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> NDArray[np.float32]:
        self.masks.extend(np.array(keep))
        return np.full(len(rows), 0.5, dtype=np.float32)


def masks_per_picture(explanations: ExplanationSettings, n_units: int) -> dict[str, NDArray[np.bool_]]:
    """Baseline -> the distinct masks bool[m, n_units] that one picture and adapter are scored under, in the order they are asked for.

    Counted for attributions in random order. A picture whose attribution repeats another's order, or holds a NaN, needs fewer.
    """
    names = {name for group in explanations.groups for name in (group.preset.deletion_baseline, group.preset.insertion_baseline)}
    recorders: dict[str, Recorder] = {name: Recorder() for name in sorted(names)}
    values = {name: deduplicated(recorder, 1) for name, recorder in recorders.items()}
    own = {method: _any_order(n_units, method) for method in explanations.methods}
    controls = {name: _any_order(n_units, name) for name in ("random", "oracle")} | {"reverse": reverse(own[explanations.methods[0]])}
    for group in explanations.groups:
        explanation_metrics(own | {name: controls[name] for name in group.controls}, values, group.preset)
    return {name: np.stack(recorder.masks) for name, recorder in recorders.items()}


def looks_per_picture(explanations: ExplanationSettings, n_units: int) -> int:
    """Forwards behind the attributions of one picture under one adapter, the most that can be; a step of ig counts as one."""
    return forwards_per_example(explanations.methods, n_units, explanations.method_settings)


def looks_in_time(explanations: ExplanationSettings, n_units: int) -> int:
    """The forwards that take as long as `looks_per_picture`: a step of ig, which goes back through the model too, is three."""
    steps = explanations.method_settings.ig_steps if "ig" in explanations.methods else 0
    return looks_per_picture(explanations, n_units) + 2 * steps


def _any_order(n_units: int, what: str) -> NDArray[np.float32]:
    return random([rng(0, ANY_EXAMPLE, "order", what)], n_units)


def padded(n_rows: int, batch_size: int) -> int:
    """Rows that go through the model when `n_rows` are scored together: the last batch is filled up."""
    return -(-n_rows // batch_size) * batch_size
