"""What do all methods of one adapter and one batch of texts share? One clean forward, one draw of masks, one memory of p under masks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int64
from numpy.typing import NDArray

from lake.identity import rng
from models.any_scoring import Included, Logits
from models.scored_adapter import ScoredAdapter
from models.text_scoring import TextScoring
from models.texts import Texts
from silver.explainers.block import PerUnit
from silver.methods import MethodSettings
from xai.masks import drawn_masks
from xai.units import Keep
from xai.value import Value, deduplicated_baselines


@dataclass(frozen=True)
class TextBlock:
    """Texts under one adapter, of which `methods` will be asked. Each part is computed when it is first wanted, and then remembered."""

    scoring: TextScoring
    adapter: ScoredAdapter
    inputs: Texts
    example_ids: tuple[str, ...]
    methods: tuple[str, ...]
    settings: MethodSettings
    aimed: Int64[NDArray[np.int64], " texts"] | None = None

    @cached_property
    def clean(self) -> tuple[Logits, PerUnit | None]:
        """Logits in the dataset's label order and, where `attention` is among the methods, the last layer's CLS attention summed into
        words: one forward, with the same logits to the bit. Rows that are not finite are tried once more in float32."""
        if "attention" not in self.methods:
            return self.scoring.logits(self.adapter, self.inputs), None
        logits, shares = self.scoring.scorer(self.adapter).explain(self.inputs)
        bad = np.flatnonzero(~(np.isfinite(logits).all(axis=1) & np.isfinite(shares).all(axis=1)))
        if len(bad):
            logits[bad], shares[bad] = self.scoring.scorer(self.adapter, "float32").explain(self.inputs[bad])
        return logits[:, list(self.adapter.label_order)], shares

    @property
    def logits(self) -> Logits:
        return self.clean[0]

    @property
    def included(self) -> Included:
        """Which places are words inside the model's limit."""
        return self.inputs.included

    @cached_property
    def targets(self) -> Int64[NDArray[np.int64], " texts"]:
        """The class that is explained of each text, in the dataset's label order: the predicted one, unless the block is `aimed` at
        another. Of logits that hold a NaN that means nothing: refused."""
        if self.aimed is not None:
            return self.aimed
        return np.asarray(self.logits.argmax(axis=1), dtype=np.int64)

    @cached_property
    def masks(self) -> Keep:
        """The draw that LIME, KernelSHAP and CAP share: keyed by seed and example, so it is the same under every adapter."""
        return drawn_masks([rng(self.settings.seed, name, "masks") for name in self.example_ids], self.included, self.settings.masks)

    @cached_property
    def value(self) -> Value:
        """p(target) under masks of words, every distinct one asked once; of the whole text the clean forward knows it already."""
        flat = self.scoring.value(self.adapter, self.inputs, self.targets, self.settings.baseline)
        whole = self.scoring.shares(self.adapter, self.logits)[np.arange(len(self.targets)), self.targets]
        return deduplicated_baselines({self.settings.baseline: flat}, len(self.inputs), self.included, whole.tolist())[
            self.settings.baseline
        ]
