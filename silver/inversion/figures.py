"""What do an attribution and those of its pokes say? Arrays in, the metrics of one row out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64
from numpy.typing import NDArray

from silver.inversion.settings import PokingSettings
from xai.inversion import movement, reproduce_by_poking
from xai.metrics import faithfulness, inversion_score, reliance

Units = Float64[NDArray[np.float64], " units"]


@dataclass(frozen=True)
class Outputs:
    """What the model does with one example, its pokes, and itself without one unit; M is p(target of the clean input).

    `clean`: M(x). `whole` [pokes]: of pokes of the whole input. `effect` [units]: |M(x) - M(x, unit j at its baseline)|. `kept`
    [units, repeats]: True where a poke of that unit alone left the predicted class as it was, `alone` its M.
    """

    clean: float
    whole: Float64[NDArray[np.float64], " pokes"]
    effect: Units
    kept: Bool[NDArray[np.bool_], "units repeats"]
    alone: Float64[NDArray[np.float64], "units repeats"]

    @property
    def finite(self) -> bool:
        return bool(math.isfinite(self.clean) and all(np.isfinite(part).all() for part in (self.whole, self.effect, self.alone)))


@dataclass(frozen=True)
class Poked:
    """Attributions of one example's own units: of itself [units], of its whole pokes [pokes, units], and each unit's own where that unit
    alone was poked [units, repeats]."""

    clean: Units
    whole: Float[NDArray[np.floating], "pokes units"]
    own: Float[NDArray[np.floating], "units repeats"]

    @property
    def finite(self) -> bool:
        return bool(all(np.isfinite(part).all() for part in (self.clean, self.whole, self.own)))


def figures(outputs: Outputs, poked: Poked, settings: PokingSettings) -> dict[str, float | None]:
    """The metrics of group `inversion`, as `xai.metrics.METRICS` has them; null where there is nothing to correlate.

    Reproduce-by-Poking is scale-free with lambda `settings.strength` and at the clean input alone: what is left of R and F afterwards would
    need the pokes of every poked input, and is asked where the truth is known.
    """
    clean = poked.clean[None]
    r = reliance(movement(clean, poked.whole[None]), np.array([outputs.clean]), outputs.whole[None])
    f = faithfulness(clean, outputs.effect[None])
    refined = reproduce_by_poking(clean, poked.own[None], outputs.kept[None], settings.strength, scale_free=True)
    found = {
        "reliance": r,
        "faithfulness": f,
        "inversion_score": inversion_score(r, f, settings.p),
        "rbp_mean_delta": refined.mean_delta,
        "rbp_mass_kept": refined.mass_kept,
        "rbp_rejected": refined.rejected,
    }
    return {name: float(value[0]) if math.isfinite(value[0]) else None for name, value in found.items()}
