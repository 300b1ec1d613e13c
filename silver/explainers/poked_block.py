"""How is an example explained together with its pokes, by methods that ask p under masks? Under its own masks, through one memory of p."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.any_scoring import AnyScoring, Included
from silver.explainers.block import Block
from silver.methods import MethodSettings
from xai.units import Keep
from xai.value import Value


@dataclass(frozen=True)
class PokedBlock:
    """An example's block, `n` rows wide: the example, then its pokes. `value` is p(target) of all of them under masks."""

    clean: Block
    value: Value
    n: int

    @property
    def scoring(self) -> AnyScoring:
        return self.clean.scoring

    @property
    def settings(self) -> MethodSettings:
        return self.clean.settings

    @property
    def included(self) -> Included:
        return np.repeat(self.clean.included, self.n, axis=0)

    @property
    def masks(self) -> Keep:
        return np.repeat(self.clean.masks, self.n, axis=0)
