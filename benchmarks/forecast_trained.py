"""How often does a 95 % interval hold what the whole procedure is worth, training included? Simulated worlds, models fitted in every fold.

The truth is the mean over all simulated sets: what this procedure gives on average, with as many examples to learn from. The learner is
least squares on failure, whose AUROC is that of a linear classifier and which takes a thousandth of a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.row import Row
from gold.forecast import Scored, bootstrap
from gold.forecast.settings import ForecastSettings
from gold.scores import Bools
from gold.statistics.estimate import Codes, Floats
from lake.identity import rng

LEVEL, FIGURE, POINTS = 0.95, "auroc", 2.0
EXAMPLES, REPEATED, FOLDS, RESAMPLES = 150, 4, 5, 60


@dataclass(frozen=True)
class Learned:
    """`confidence`, `metric`: weights of a confidence, and of the first of `metrics` explanation metrics, in the logit of failure."""

    meaning: str
    confidence: float
    metric: float
    metrics: int


WORLDS = (
    Learned("nothing is known, 2 metrics", 0.0, 0.0, 2),
    Learned("nothing is known, 10 metrics", 0.0, 0.0, 10),
    Learned("confidence knows, 2 metrics do not", 0.7, 0.0, 2),
    Learned("confidence knows, 10 metrics do not", 0.7, 0.0, 10),
    Learned("confidence and one of 10 metrics know", 0.7, 0.5, 10),
)


@dataclass(frozen=True)
class Held:
    """Shares of sets whose interval holds the procedure's mean: of AUROC of both kinds of features, and of their gain over confidence; the
    same without `training_variance`; and the sd of the figure over the bootstrap's standard error."""

    figure: float
    gain: float
    plain_figure: float
    plain_gain: float
    ratio_of_figure: float
    ratio_of_gain: float


def held(world: Learned, sets: int, training: float) -> Held:
    """Counted over `sets` simulated sets, each from its own generator."""
    answers = np.empty((sets, 2, 2))  # set, (figure, gain), (value, plain half width)
    errors = np.empty((sets, 2))
    for number in range(sets):
        generator = rng(number, "", "bench", world.meaning)
        given, examples = _forecasts(world, generator)
        found = bootstrap(given, examples, RESAMPLES, LEVEL, generator, wanted=[FIGURE])
        for place, answer in enumerate((found.estimate("both", FIGURE), found.difference("both", "confidence", FIGURE))):
            value, error = answer.value or 0.0, answer.standard_error or 0.0
            # An end may have been cut to [0, 1]: the wider side has the whole half width.
            answers[number, place] = value, max(value - (answer.low or 0.0), (answer.high or 0.0) - value)
            errors[number, place] = error
    far = np.abs(answers[:, :, 0] - answers[:, :, 0].mean(axis=0))
    plain = (far <= answers[:, :, 1]).mean(axis=0)
    wide = (far <= answers[:, :, 1] * np.sqrt(1.0 + training)).mean(axis=0)
    ratio = answers[:, :, 0].std(axis=0, ddof=1) / np.sqrt((errors**2).mean(axis=0))
    return Held(*(float(one) for one in (*wide, *plain, *ratio)))


def rows_of(sets: int) -> list[Row]:
    """One row per world."""
    training = ForecastSettings().training_variance
    return [_row(world, held(world, sets, training), sets, training) for world in WORLDS]


def _forecasts(world: Learned, generator: np.random.Generator) -> tuple[dict[str, Scored], Codes]:
    """Cross-validated by example; features are the example's, as those of clean inputs are."""
    examples = np.repeat(np.arange(EXAMPLES), REPEATED)
    confidence, metrics = generator.standard_normal((EXAMPLES, 1)), generator.standard_normal((EXAMPLES, world.metrics))
    own = 0.7 * generator.standard_normal(EXAMPLES)
    logit = -1.0 + world.confidence * confidence[:, 0] + world.metric * metrics[:, 0] + own
    failed = generator.random(len(examples)) < 1.0 / (1.0 + np.exp(-logit))[examples]
    folds = (generator.permutation(EXAMPLES) % FOLDS)[examples]
    sets = {"confidence": confidence, "both": np.hstack([confidence, metrics])}
    zeros = np.zeros_like(folds)
    return {name: Scored(_out_of_fold(x[examples], failed, folds), failed, folds, zeros, False) for name, x in sets.items()}, examples


def _out_of_fold(x: Floats, failed: Bools, folds: Codes) -> Floats:
    found, wide = np.empty(len(x)), np.hstack([np.ones((len(x), 1)), x])
    for fold in range(FOLDS):
        test = folds == fold
        weights, *_ = np.linalg.lstsq(wide[~test], failed[~test].astype(np.float64), rcond=None)
        found[test] = wide[test] @ weights
    return found


def _row(world: Learned, found: Held, sets: int, training: float) -> Row:
    least = 100 * min(found.figure, found.gain)
    return Row(
        what=f"coverage of 95 % intervals with training in every fold: {world.meaning}",
        figure=f"the lesser of the two shares (AUROC, gain in AUROC) of {sets:,} simulated sets that hold the procedure's mean",
        value=round(least, 1),
        unit="%",
        aim=f"≥ {100 * LEVEL - POINTS:g}",
        met=least >= 100 * LEVEL - POINTS,
        details={
            "figure": round(100 * found.figure, 1),
            "gain": round(100 * found.gain, 1),
            "figure_without_training_variance": round(100 * found.plain_figure, 1),
            "gain_without_training_variance": round(100 * found.plain_gain, 1),
            "true_sd_of_figure_over_the_bootstraps": round(found.ratio_of_figure, 2),
            "true_sd_of_gain_over_the_bootstraps": round(found.ratio_of_gain, 2),
            "training_variance": training,
            "folds": FOLDS,
            "examples": EXAMPLES,
        },
    )
