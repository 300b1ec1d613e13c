"""Which pokes of one example are there, and what noise does each get?

Noise is keyed by seed, example, unit and number of the poke: the same under every adapter, whatever partition or batch it is drawn in.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32, Int64
from numpy.typing import NDArray

from lake.identity import rng
from models.any_scoring import AnyScoring, Included, Inputs
from silver.inversion.settings import PokingSettings
from xai.inversion import all_at_once, one_by_one

Noise = Float32[NDArray[np.float32], "pokes ..."]
ALL = "all"


@dataclass(frozen=True)
class Pokes:
    """Of one example (`inputs` holds it alone): first those of the whole input, then each of its own units `repeats` times alone.

    `included` [1, places]: which places are its units.
    """

    scoring: AnyScoring
    inputs: Inputs
    example_id: str
    included: Included
    settings: PokingSettings

    @property
    def units(self) -> Int64[NDArray[np.int64], " units"]:
        """Places of the example's own units."""
        return np.flatnonzero(self.included[0])

    @property
    def n_whole(self) -> int:
        return self.settings.pokes

    @property
    def touched(self) -> Bool[NDArray[np.bool_], "pokes places"]:
        """Which units each poke touches."""
        whole = all_at_once(self.included.shape[1], self.n_whole) & self.included
        return np.concatenate([whole, one_by_one(self.included.shape[1], self.settings.repeats)[self._alone]])

    def __len__(self) -> int:
        return self.n_whole + self.settings.repeats * len(self.units)

    def key(self, poke: int) -> tuple[str | int, int]:
        """(unit or "all", number of the poke): what noise, and every other draw about this poke, is keyed by."""
        if poke < self.n_whole:
            return ALL, poke
        unit, number = divmod(poke - self.n_whole, self.settings.repeats)
        return int(self.units[unit]), number

    def noise(self, rows: NDArray[np.int64], pokes: NDArray[np.int64]) -> Noise:
        """Standard normal numbers of some pokes of the one example there is; `rows` are all 0."""
        return np.stack([self._whole[poke] if poke < self.n_whole else self._drawn(int(poke)) for poke in pokes])

    @cached_property
    def _whole(self) -> Noise:
        """Kept: a method asks about them under many masks, and they are large; the others are drawn again."""
        return np.stack([self._drawn(poke) for poke in range(self.n_whole)])

    @property
    def _alone(self) -> NDArray[np.int64]:
        repeats = self.settings.repeats
        return (self.units[:, None] * repeats + np.arange(repeats)).ravel()

    def _drawn(self, poke: int) -> NDArray[np.float32]:
        unit, number = self.key(poke)
        generator = rng(self.settings.seed, self.example_id, "poke", unit, number)
        return self.scoring.noise(self.inputs, None if unit == ALL else int(unit), generator)
