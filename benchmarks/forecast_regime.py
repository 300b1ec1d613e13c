"""How long does one regime take, all feature sets, both learners, all figures with intervals, and the verdict?"""

from __future__ import annotations

import resource
import time
from pathlib import Path

import numpy as np

from benchmarks.forecast_planted import Planted, frame
from benchmarks.row import Row
from gold.forecast.features import FEATURE_SETS
from gold.forecast.figures import FIGURES
from gold.forecast.judge import judge
from gold.forecast.learners import FOREST, LEARNERS, Learner
from gold.forecast.regimes import REGIMES
from gold.forecast.rows import XAI
from gold.forecast.settings import ForecastSettings
from silver.specs import PROVENANCE

AIM_SECONDS, AIM_MIB, RESAMPLES = 180.0, 2048.0, ForecastSettings().resamples
BOTH = Planted("both", "confidence knows much of failure and explanation metrics a little", confidence=1.0, xai=0.3)
SIZES = {False: (1_000, 10, 10), True: (40, 8, 2)}  # examples, adapters, cells
N_XAI = 32  # with five of confidence, two of the embedding and the confidence on the corrupted input: 40 features
NAMES = ("ki", "grouped", "leave_adapter_out")


def measure(folder: Path, quick: bool) -> list[Row]:
    """Seconds of each regime, one after the other on one thread. Nothing is kept in `folder`."""
    resamples = 20 if quick else RESAMPLES
    rows = [_row(name, SIZES[quick], resamples, LEARNERS) for name in NAMES]
    return [*rows, _row("ki", SIZES[quick], resamples, (*LEARNERS, FOREST))]


def _row(name: str, size: tuple[int, int, int], resamples: int, learners: tuple[Learner, ...]) -> Row:
    rows = frame(BOTH, np.random.default_rng(0), *size, N_XAI)
    last = next(column for column in reversed(rows.columns) if column.startswith(XAI))
    rows = rows.rename(columns={last: f"{XAI}slots__{PROVENANCE}__exemplar_distance"})  # so that every feature set is asked
    regime = next(regime for regime in REGIMES if regime.name == name)
    before, started = time.process_time(), time.monotonic()
    found = judge(rows, regime, ForecastSettings(resamples=resamples), learners)
    seconds, of_cpu = time.monotonic() - started, time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    extra = FOREST in learners
    told = "both learners and the forest" if extra else "both learners"
    return Row(
        what=f"forecast under {name}, {len(rows):,} rows of {size[0]:,} examples, {size[1]} adapters, {N_XAI + 8} features",
        figure=f"CPU seconds of {len(FEATURE_SETS)} feature sets, {told}, {len(FIGURES)} figures with {resamples} resamples",
        value=round(of_cpu, 1),
        unit="s",
        aim="stated" if extra else f"≤ {AIM_SECONDS:g}",
        met=None if extra else of_cpu <= AIM_SECONDS and peak <= AIM_MIB,
        details={
            "wall_seconds": round(seconds, 1),
            "threads": 1,
            "peak_mib_of_the_process": round(peak),
            "aim_mib": AIM_MIB,
            "forecasts": sum(record["auroc"] is not None for record in found.comparison),
            "blocks": max(int(str(record["n_blocks"])) for record in found.comparison),
        },
        limited_by="trees (half) and passes over the rows for the intervals (a third)",
    )
