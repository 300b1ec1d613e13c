"""How fast are intervals of a forecast's figures, and do 95 % of them hold the truth?

The naive way, per resample: take the rows of the drawn examples, let scikit-learn's `roc_auc_score` sort them. A few of its resamples are
made, in turns with ours, and the rest is extrapolated. Coverage is counted in worlds whose truth is known: of given
forecasts (`forecast_worlds`), and of forecasts that are learned in every fold (`forecast_trained`).
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.forecast_trained import rows_of as trained
from benchmarks.forecast_worlds import ADAPTERS, EXAMPLES, LEVEL, Coverage, World, coverage
from benchmarks.row import Row
from benchmarks.timing import in_turns, ratio, seconds_of, spread
from gold.forecast import FIGURES, Scored, bootstrap
from gold.scores import Bools
from gold.statistics.estimate import Codes, Floats
from lake.identity import rng

AIM_TIMES, AIM_SECONDS, AIM_MIB, POINTS = 50.0, 60.0, 2048.0, 2.0


@dataclass(frozen=True)
class Size:
    """`many`: rows and resamples of the large frame; `frame`: rows and resamples of the typical one; `naive`: naive resamples per round."""

    many: tuple[int, int]
    frame: tuple[int, int]
    examples: int
    forecasts: int
    naive: int
    rounds: int
    sets: int


SIZES = {False: Size((1_000_000, 1_000), (100_000, 200), 5_000, 12, 10, 3, 1_000), True: Size((20_000, 20), (2_000, 20), 100, 2, 2, 2, 10)}
N_ADAPTERS = 12


def measure(folder: Path, quick: bool) -> list[Row]:
    """Times the naive way, seconds of the large frame and of the typical one, and coverage. Nothing is kept in `folder`."""
    size = SIZES[quick]
    worlds = {world: coverage(world, size.sets, 200) for world in (EXAMPLES, ADAPTERS)}
    covered = [row for world, found in worlds.items() for row in _coverage_rows(world, found, size.sets)]
    return [
        _naive_row(size),
        _many_row(size),
        *(_frame_row(size, adapters_too) for adapters_too in (False, True)),
        *covered,
        *trained(size.sets),
    ]


def frame(n_rows: int, n_examples: int, n_forecasts: int, by_adapter: bool) -> tuple[dict[str, Scored], Codes]:
    """Forecasts without ties (the slowest case) over rows of 12 adapters; five folds by example, or as many per adapter."""
    generator, rows = np.random.default_rng(0), np.arange(n_rows)
    examples, adapters = rows % n_examples, rows // n_examples % N_ADAPTERS
    failed = generator.random(n_rows) < 0.2
    folds = examples % 5 + 5 * adapters * by_adapter
    risks = [np.clip(0.6 * generator.random(n_rows) + 0.1 * failed, 0.0, 1.0) for _ in range(n_forecasts)]
    return {f"forecast {number}": Scored(risk, failed, folds, adapters, True) for number, risk in enumerate(risks)}, examples


def naive_aurocs(risk: Floats, failed: Bools, examples: Codes, resamples: int, auroc: Callable[[Bools, Floats], float]) -> list[float]:
    """One AUROC per resample of examples, each from copies of their rows."""
    members = np.split(np.argsort(examples, kind="stable"), np.flatnonzero(np.diff(np.sort(examples))) + 1)
    generator, found = np.random.default_rng(1), []
    for _ in range(resamples):
        rows = np.concatenate([members[drawn] for drawn in generator.integers(len(members), size=len(members))])
        found.append(float(auroc(failed[rows], risk[rows])))
    return found


def lean_auroc(failed: Bools, risk: Floats) -> float:
    """AUROC without ties by one sort and one sum, the least that a way which sorts can do."""
    ordered = failed[np.argsort(risk)]
    n_failed = int(ordered.sum())
    return float(np.cumsum(~ordered)[ordered].sum() / (n_failed * (len(ordered) - n_failed)))


def _naive_row(size: Size) -> Row:
    n_rows, resamples = size.frame
    forecasts, examples = frame(n_rows, size.examples, 1, by_adapter=False)
    given = forecasts["forecast 0"]
    alone = {"one": Scored(given.risk, given.failed, np.zeros_like(examples), given.adapters, True)}  # the naive way knows no folds
    naive = partial(naive_aurocs, given.risk, given.failed, examples, size.naive)
    ways = {
        "ours": lambda: bootstrap(alone, examples, resamples, LEVEL, rng(0, "", "bench"), wanted=["auroc"]),
        "naive": lambda: naive(roc_auc_score),
        "lean": lambda: naive(lean_auroc),
    }
    alone["one"].figures(wanted=["auroc"])  # rows are put in order before the first round
    seconds = in_turns(ways, size.rounds)
    for name in ("naive", "lean"):
        seconds[name] = [spent * resamples / size.naive for spent in seconds[name]]
    value = ratio(seconds["naive"], seconds["ours"])
    return Row(
        what=f"bootstrap of AUROC, {n_rows:,} rows of {size.examples:,} examples",
        figure="times the naive way (rows of the drawn examples copied, scikit-learn's AUROC)",
        value=round(value, 1),
        unit="x",
        aim=f"≥ {AIM_TIMES:g}",
        met=value >= AIM_TIMES,
        details={
            "milliseconds_per_resample": round(1000 * statistics.median(seconds["ours"]) / resamples, 3),
            "naive_milliseconds_per_resample": round(1000 * statistics.median(seconds["naive"]) / resamples, 1),
            "times_a_naive_way_with_one_sort_and_no_checks": round(ratio(seconds["lean"], seconds["ours"]), 1),
            "naive_resamples": f"{size.naive} per round, extrapolated to {resamples}",
            "rounds": size.rounds,
            "spread": round(spread(seconds["ours"]), 3),
        },
        limited_by="memory: per resample the weights are gathered twice and summed once, as integers; nothing is sorted or copied",
    )


def _many_row(size: Size) -> Row:
    n_rows, resamples = size.many
    forecasts, examples = frame(n_rows, size.examples, 1, by_adapter=False)
    seconds = seconds_of(lambda: bootstrap(forecasts, examples, resamples, LEVEL, rng(0, "", "bench"), wanted=["auroc"]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Row(
        what=f"bootstrap of AUROC, {n_rows:,} rows of {size.examples:,} examples",
        figure=f"seconds for {resamples:,} resamples, rows put in order included",
        value=round(seconds, 2),
        unit="s",
        aim=f"≤ {AIM_SECONDS:g}",
        met=seconds <= AIM_SECONDS and peak <= AIM_MIB,
        details={"peak_mib_of_the_process": round(peak), "aim_mib": AIM_MIB, "threads": 1},
        limited_by="memory bandwidth: weights of a million rows do not stay in the second-level cache",
    )


def _frame_row(size: Size, adapters_too: bool) -> Row:
    n_rows, resamples = size.frame
    forecasts, examples = frame(n_rows, size.examples, size.forecasts, by_adapter=adapters_too)
    before = time.process_time()
    seconds = seconds_of(lambda: bootstrap(forecasts, examples, resamples, LEVEL, rng(0, "", "bench"), adapters_too))
    of_cpu = time.process_time() - before
    drawn, draws = ("examples, adapters and cells", 3 * resamples) if adapters_too else ("examples", resamples)
    return Row(
        what=f"bootstrap over {drawn}, {size.forecasts} forecasts of {n_rows:,} rows, {N_ADAPTERS} adapters",
        figure=f"seconds for all {len(FIGURES)} figures, {resamples} resamples",
        value=round(seconds, 2),
        unit="s",
        aim=f"≤ {AIM_SECONDS:g}",
        met=seconds <= AIM_SECONDS,
        details={"folds": 5 * N_ADAPTERS if adapters_too else 5, "draws": draws, "threads": 1, "cpu_seconds": round(of_cpu, 1)},
        limited_by="some 40 passes over the rows per draw, for all figures together; forecasts whose rows tie have less to pass over",
    )


def _coverage_rows(world: World, found: Coverage, sets: int) -> list[Row]:
    kind = f"{world.columns} held-out adapters" if world.adapters_too else f"{world.columns} rows each"
    about = (
        ("AUROC of one forecast", found.figure, found.plain_figure, found.truth[0]),
        ("paired difference of AUROC", found.difference, found.plain_difference, found.truth[1]),
    )
    return [
        Row(
            what=f"95 % interval, {world.n_examples} examples, {kind}, {sets} simulated sets",
            figure=f"sets whose interval holds the truth, {name}",
            value=round(100 * share, 1),
            unit="%",
            aim=f"{100 * LEVEL:g} ± {POINTS:g}",
            met=abs(100 * (share - LEVEL)) <= POINTS,
            details={
                "plain_percentiles_over_examples": round(100 * plain, 1),
                "truth": round(truth, 4),
                "standard_error_over_sd_of_the_difference": round(found.error_ratio, 3),
                "error_of_the_coverage": round(100 * float(np.sqrt(LEVEL * (1 - LEVEL) / sets)), 1),
            },
        )
        for name, share, plain, truth in about
    ]
