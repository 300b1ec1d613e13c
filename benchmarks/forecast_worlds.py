"""How often does a 95 % interval of a forecast's figure hold the truth? Simulated worlds in which the truth is known.

`examples`: four rows per example, which share half of what decides failure and of what the forecasts see; folds by example. `adapters`:
every adapter meets every example and changes the failure rate and what each forecast is worth; every fold is one held-out adapter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gold.forecast import Scored, bootstrap
from gold.statistics.estimate import Codes
from lake.identity import rng

LEVEL = 0.95
FIGURE = "auroc"


@dataclass(frozen=True)
class World:
    """`columns`: rows per example: adapters where they are held out, else repetitions. `sd`: of what an adapter changes of a slope."""

    name: str
    n_examples: int
    columns: int
    adapters_too: bool
    sd: float


EXAMPLES = World("examples", 100, 4, adapters_too=False, sd=0.0)
ADAPTERS = World("adapters", 100, 12, adapters_too=True, sd=0.4)


@dataclass(frozen=True)
class Coverage:
    """Shares of sets whose interval holds the truth: of one forecast's AUROC, of a paired difference, and of both by plain percentiles of
    draws over examples. `error_ratio`: mean standard error of the difference / sd of the difference over the sets.
    """

    figure: float
    difference: float
    plain_figure: float
    plain_difference: float
    error_ratio: float
    truth: tuple[float, float]


def forecasts(world: World, n_examples: int, columns: int, generator: np.random.Generator, shared: bool) -> tuple[dict[str, Scored], Codes]:
    """Two forecasts of failure in a new set, and the rows' examples. Not `shared`: each column meets examples of its own."""
    shape, common = (n_examples, columns), (n_examples, 1 if shared else columns)
    normal = generator.standard_normal
    base, other = normal(common), normal(common)
    first, second = base + 0.5 * normal(shape), 0.5 * other + normal(shape)
    slopes = world.sd * normal((2, 1, columns))
    rate = (1.0 if world.adapters_too else 0.0) * 0.5 * normal((1, columns))
    logit = (1.0 + slopes[0]) * first + (0.5 + slopes[1]) * second + 0.7 * normal(common) + rate - 1.0
    failed = (generator.random(shape) < 1.0 / (1.0 + np.exp(-logit))).ravel()
    column, example = np.tile(np.arange(columns), n_examples), np.repeat(np.arange(n_examples), columns)
    folds = column if world.adapters_too else example % 2
    return {name: Scored(risk.ravel(), failed, folds, column, False) for name, risk in (("one", first), ("both", first + second))}, example


def truth(world: World) -> tuple[float, float]:
    """AUROC of `one`, and of `both` minus `one`, from a million rows of 5,000 columns, each with examples of its own."""
    found, _ = forecasts(world, 200, 5_000, rng(0, "", "bench", world.name, "truth"), shared=False)
    one, both = (found[name].figures(wanted=[FIGURE])[FIGURE] for name in ("one", "both"))
    return one, both - one


def coverage(world: World, sets: int, resamples: int) -> Coverage:
    """Counted over simulated sets, each from its own generator."""
    real = truth(world)
    hits, values, errors = np.zeros((2, 2)), [], []
    for number in range(sets):
        generator = rng(number, "", "bench", world.name)
        given, examples = forecasts(world, world.n_examples, world.columns, generator, shared=True)
        found = bootstrap(given, examples, resamples, LEVEL, generator, world.adapters_too, [FIGURE])
        difference = found.difference("both", "one", FIGURE)
        draws = {name: found.draws[name][FIGURE][0] for name in given}
        answers = (found.estimate("one", FIGURE), draws["one"]), (difference, draws["both"] - draws["one"])
        for place, (answer, drawn) in enumerate(answers):
            plain = np.quantile(drawn, [0.5 - LEVEL / 2.0, 0.5 + LEVEL / 2.0])
            low, high = answer.low or 0.0, answer.high or 0.0
            hits[:, place] += (low <= real[place] <= high, plain[0] <= real[place] <= plain[1])
        values.append(difference.value or 0.0)
        errors.append(difference.standard_error or 0.0)
    ratio = float(np.mean(errors) / np.std(values, ddof=1))
    (figure, difference), (plain_figure, plain_difference) = (hits / sets).tolist()
    return Coverage(figure, difference, plain_figure, plain_difference, ratio, real)
