"""How sure is a figure of a forecast, and the difference of two? Bootstrap over examples, or over examples and adapters.

All forecasts are resampled by the same draws, so differences are paired. Models are not fitted again, so that the draws' noise is that of
the test rows alone. What the models learned from, and how rows were cut into folds, adds its own: in simulated worlds the true standard
error of a cross-validated AUROC, and of a gain in it, was 0.8 to 1.4 times that of the draws, most where the features know nothing
(models of two folds chase the noise of each other's rows; `benchmarks/forecast_trained.py`). `training` widens by it. The verdict asks
for two gains at once; how often it errs is counted in planted worlds, `benchmarks/forecast_claims.py`.
A draw gives every row the count of its example. Where adapters are the unit that is held out, there are as many draws that give it the
count of its adapter, and as many of its cell (example and adapter together): `spread` makes one interval of the three.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gold.forecast.figures import FIGURES, LIMITS, Scored
from gold.forecast.spread import spread
from gold.statistics import cluster_counts
from gold.statistics.estimate import Codes, Floats

MIN_ADAPTERS = 8


@dataclass(frozen=True)
class Estimated:
    """A figure, or the difference of two, with both ends of its interval and its standard error.

    `reason` says why what is None is None.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    standard_error: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Units:
    """A way to draw rows: by unit. codes int64[n] in 0..n_units-1; `are_adapters`: a unit drawn twice is two adapters."""

    codes: Codes
    n_units: int
    are_adapters: bool


@dataclass(frozen=True)
class Bootstrap:
    """Figures, and their draws float64[ways, resamples] (NaN where a draw has none), by forecast and figure.

    `withheld`: why there are no intervals at all; draws are empty then.
    """

    scored: Mapping[str, Scored]
    values: Mapping[str, Mapping[str, float]]
    draws: Mapping[str, Mapping[str, Floats]]
    ways: tuple[Units, ...]
    level: float
    training: float = 0.0
    withheld: str | None = None

    def estimate(self, name: str, figure: str) -> Estimated:
        """One figure of one forecast; its interval is cut to the figure's range."""
        value = self.values[name][figure]
        if not np.isfinite(value):
            return Estimated(reason=self.scored[name].reason(figure))
        return self._estimated(value, self.draws[name][figure], LIMITS[figure])

    def difference(self, name: str, other: str, figure: str) -> Estimated:
        """Figure of `name` minus figure of `other`, paired: both met the same draws."""
        value = self.values[name][figure] - self.values[other][figure]
        if not np.isfinite(value):
            reasons = {key: self.scored[key].reason(figure) for key in (name, other)}
            return Estimated(reason="; ".join(f"{key}: {reason}" for key, reason in reasons.items() if reason))
        return self._estimated(value, self.draws[name][figure] - self.draws[other][figure], (-np.inf, np.inf))

    def _estimated(self, value: float, draws: Floats, limits: tuple[float, float]) -> Estimated:
        if self.withheld is not None:
            return Estimated(value, reason=self.withheld)
        finite = draws[:, np.isfinite(draws).all(axis=0)]
        if finite.shape[1] < max(2, draws.shape[1] / 2):
            return Estimated(value, reason="the figure does not exist in most resamples")
        found = spread(value, finite, [way.n_units for way in self.ways], self.level, self.training)
        low, high = np.clip((found.low, found.high), *limits)
        return Estimated(value, float(low), float(high), found.standard_error)


def bootstrap(
    scored: Mapping[str, Scored],
    examples: Codes,
    resamples: int,
    level: float,
    rng: np.random.Generator,
    adapters_too: bool = False,
    wanted: Sequence[str] = FIGURES,
    training: float = 0.0,
) -> Bootstrap:
    """The wanted figures of every forecast with paired draws; examples int[n] are the codes of the rows' examples.

    `adapters_too`: adapters are the unit that is held out and are drawn as well; with fewer than 8 of them intervals are withheld.
    `training`: as in `spread`; 0 where forecasts are given and nothing was learned.
    Raises ValueError unless all forecasts are about the same rows (outcomes, folds and adapters alike).
    """
    first = _checked(scored, examples)
    values = {name: forecast.figures(wanted=wanted) for name, forecast in scored.items()}
    ways = _ways(examples, first.adapters) if adapters_too else (_units(examples),)
    withheld = _obstacle(ways)
    made = 0 if withheld else resamples
    draws = {name: {figure: np.full((len(ways), made), np.nan) for figure in wanted} for name in scored}
    for place, weights, copies in _drawn(ways, made, rng):
        for name, forecast in scored.items():
            for figure, value in forecast.figures(weights, wanted, copies).items():
                draws[name][figure][place] = value
    return Bootstrap(scored, values, draws, ways, level, training, withheld)


def _units(names: Codes, are_adapters: bool = False) -> Units:
    found, codes = np.unique(names, return_inverse=True)
    return Units(codes, len(found), are_adapters)


def _ways(examples: Codes, adapters: Codes) -> tuple[Units, ...]:
    """Examples, adapters, and the cells in which they meet."""
    of_examples, of_adapters = _units(examples), _units(adapters, are_adapters=True)
    return of_examples, of_adapters, _units(of_examples.codes * of_adapters.n_units + of_adapters.codes)


def _obstacle(ways: tuple[Units, ...]) -> str | None:
    if ways[0].n_units < 2:
        return "an interval over examples needs at least two of them"
    if len(ways) > 1 and ways[1].n_units < MIN_ADAPTERS:
        return f"{ways[1].n_units} adapters are held out in turn; an interval over adapters needs at least {MIN_ADAPTERS}"
    return None


def _drawn(ways: tuple[Units, ...], resamples: int, rng: np.random.Generator) -> Iterator[tuple[tuple[int, int], Codes, Codes | None]]:
    """(way, resample), the weight of each row, and how often its adapter was drawn (None where adapters are not): int64[n]."""
    for number, way in enumerate(ways):
        for place, counts in enumerate(cluster_counts(way.n_units, resamples, rng)):
            weights = counts.take(way.codes)
            yield (number, place), weights, weights if way.are_adapters else None


def _checked(scored: Mapping[str, Scored], examples: Codes) -> Scored:
    """The first forecast, when all are about the same rows."""
    if not scored or any(len(forecast) != len(examples) for forecast in scored.values()):
        sizes = {name: len(forecast) for name, forecast in scored.items()}
        raise ValueError(f"there must be forecasts of one row per entry of examples ({len(examples)}), got {sizes}")
    first, *others = scored.values()
    fields = ("failed", "folds", "adapters")
    if not all(np.array_equal(getattr(first, field), getattr(other, field)) for other in others for field in fields):
        raise ValueError("forecasts must be about the same rows in the same order: outcomes, folds or adapters differ")
    return first
