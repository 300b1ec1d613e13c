"""What do all methods of one adapter and one batch of examples share? One clean forward, one draw of masks, one memory of p under masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Int64
from numpy.typing import NDArray

from lake.identity import rng
from models.any_scoring import AnyScoring, Included, Inputs, Logits
from models.scored_adapter import ScoredAdapter
from silver.explainers.kinds import KINDS, PerUnit
from silver.methods import MethodSettings
from xai.masks import drawn_masks
from xai.units import Keep
from xai.value import Value, deduplicated_baselines

# (a scorer, examples) -> arrays with one row per example.
Ask = Callable[[Any, Inputs], tuple[Float32[NDArray[np.float32], "examples columns"], ...]]


class Explained(NamedTuple):
    """Attributions, 0 where an example has no unit, and their standard errors over the draw of masks (`xai.estimate.Estimate`): 0 where
    nothing is drawn, NaN where the masks are too few to tell; None for a method that estimates nothing (attention)."""

    values: PerUnit
    error: PerUnit | None = None


@dataclass(frozen=True)
class Block:
    """Pictures or texts under one adapter, of which `methods` will be asked. Each part is computed when it is first wanted, and then
    remembered. The largest of `logits` names the class that every method explains, unless `aimed` does (int[n], in the
    dataset's label order)."""

    scoring: AnyScoring
    adapter: ScoredAdapter
    inputs: Inputs
    example_ids: tuple[str, ...]
    methods: tuple[str, ...]
    settings: MethodSettings
    aimed: Int64[NDArray[np.int64], " examples"] | None = None

    @cached_property
    def clean(self) -> tuple[Logits, PerUnit | None]:
        """Logits in the dataset's label order and, where `attention` is among the methods, the last layer's CLS attention to the units: one
        forward, with the same logits to the bit. Rows that are not finite are tried once more in float32."""
        if "attention" not in self.methods:
            return self.scoring.logits(self.adapter, self.inputs), None
        logits, shares = self.asked(KINDS[self.scoring.column].looks)
        return logits[:, list(self.adapter.label_order)], shares

    @property
    def logits(self) -> Logits:
        return self.clean[0]

    @cached_property
    def included(self) -> Included:
        """Which places are units: all patches of a picture, the words of a text inside the model's limit."""
        return KINDS[self.scoring.column].units(self.scoring, self.inputs)

    @cached_property
    def targets(self) -> Int64[NDArray[np.int64], " examples"]:
        """The class that is explained of each example, in the dataset's label order: the predicted one, where none is `aimed` at. Of logits
        that hold a NaN that means nothing: refused."""
        if self.aimed is not None:
            return self.aimed
        return np.asarray(self.logits.argmax(axis=1), dtype=np.int64)

    @cached_property
    def masks(self) -> Keep:
        """The draw that LIME, KernelSHAP and CAP share: keyed by seed and example, so it is the same under every adapter."""
        return drawn_masks([rng(self.settings.seed, name, "masks") for name in self.example_ids], self.included, self.settings.masks)

    @cached_property
    def value(self) -> Value:
        """p(target) under masks of units, every distinct one asked once; of the whole example the clean forward knows it already."""
        baseline = self.settings.baseline
        flat = self.scoring.value(self.adapter, self.inputs, self.targets, baseline)
        whole = self.scoring.shares(self.adapter, self.logits)[np.arange(len(self.targets)), self.targets]
        return deduplicated_baselines({baseline: flat}, len(self.inputs), self.included, whole.tolist())[baseline]

    def asked(self, ask: Ask) -> tuple[Float32[NDArray[np.float32], "examples columns"], ...]:
        """What `ask` finds with the adapter's scorer; of rows that are not finite, what it finds with that of float32."""
        found = ask(self.scoring.scorer(self.adapter), self.inputs)
        bad = np.flatnonzero(~np.logical_and.reduce([np.isfinite(part).all(axis=1) for part in found]))
        if len(bad):
            again = ask(self.scoring.scorer(self.adapter, "float32"), self.inputs[bad])
            for part, better in zip(found, again, strict=True):
                part[bad] = better
        return found
