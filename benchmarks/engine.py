"""How much faster is an explanation here than in the KI study's own way, and are the numbers the same?

One picture and adapter costs entropy, Gini, deletion and insertion under preset `ki` (steps of a tenth of the patches, deletion on the
mean, insertion on black). Ours is the way of the pipeline: merged weights, one precision, the distinct masks of eight pictures in batches
of eight.
"""

from __future__ import annotations

import math
import shutil
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.ki_twin import study
from benchmarks.material import BASE, LABELS, SMALL_LABELS, TINY, decoded, pictures
from benchmarks.row import Row
from benchmarks.timing import ratio, seconds_of, spread
from benchmarks.varied import Varied, varied
from models.image_scorer import ImageScorer
from models.images import Preprocessing, normalise
from models.scorer import load_scorer
from xai.attribution import attention
from xai.explain import explanation_metrics
from xai.presets import KI, Preset
from xai.value import FlatValue, deduplicated_baselines

BATCH = 8
FIGURES = {"entropy": "entropy", "sparsity": "sparsity", "deletion": "deletion_normalised", "insertion": "insertion"}
DROP = KI.model_copy(update={"name": "ki_drop", "deletion_baseline": "drop", "insertion_baseline": "drop"})
WAYS = {"bf16": ("bfloat16", KI), "fp32": ("float32", KI), "drop": ("bfloat16", DROP)}
AIMS = {("bf16", "twin of 8"): 8.0, ("bf16", "twin of 1"): 12.0, ("drop", "twin of 8"): 14.0}
ALIKE = 0.995
FILLED = (
    "matrix products: at 256 patches 23 of the twin's 25 forwards are left (the intact input is shared by both curves, black is one answer "
    "per adapter), each near the GEMM peak of its precision: see the rows of the forward pass"
)
DROPPED = (
    "matrix products: at 256 patches the same 23 forwards run over the tokens that are left, 3,094 in all, those of 12.04 full forwards; "
    "patches that are gone instead of filled are another metric than the twin's"
)
LIMITED_BY = {"bf16": FILLED, "fp32": FILLED, "drop": DROPPED}

Floats = NDArray[np.float32]
Found = dict[str, list[float]]


def measure(folder: Path, quick: bool) -> list[Row]:
    """Speed-ups over the twin in batches of eight and one by one, as fills and as drops, and the correlation of the four figures."""
    size, labels, rounds = (TINY, SMALL_LABELS, 1) if quick else (BASE, LABELS, 2)
    root = folder / f"engine-{size['hidden_size']}"
    shutil.rmtree(root, ignore_errors=True)
    pixels = pixels_of(size, BATCH * (rounds + 1))
    case = varied(root, size, labels, pixels)
    twin: Any = case.unmerged.base_model.model
    twin.set_attn_implementation("eager")
    scorers = {dtype: load_scorer(case.backbone, case.merged, dtype, BATCH) for dtype in ("bfloat16", "float32")}
    for dtype, preset in WAYS.values():  # what is made once per worker is made before: packed shapes, the black picture's answer
        explained(scorers[dtype], pixels[:BATCH], preset)
    seconds, found = _in_turns(case, scorers, pixels[BATCH:])
    shutil.rmtree(root)
    return _rows(seconds, {name: correlations(found["twin of 8"], found[name]) for name in ("bf16", "fp32")})


def explained(scorer: ImageScorer, pixels: Floats, preset: Preset) -> Found:
    """The four figures of each picture: attention and target from one forward, then the distinct masks of both curves."""
    logits, rows = scorer.explain(pixels)
    names = sorted({preset.deletion_baseline, preset.insertion_baseline})
    flats: dict[str, FlatValue] = {name: scorer.value(pixels, logits.argmax(axis=1), name) for name in names}
    attributions = {"attention": attention(rows, scorer.backbone.n_prefix)}
    metrics = explanation_metrics(attributions, deduplicated_baselines(flats, len(pixels)), preset)["attention"]
    found = {figure: [_number(row[column]) for row in metrics] for figure, column in FIGURES.items()}
    return found | {"target": logits.argmax(axis=1).astype(float).tolist()}


def _number(value: float | None) -> float:
    """NaN where there is no figure: 0 would be one."""
    return math.nan if value is None else float(value)


def pixels_of(size: dict[str, int], count: int) -> Floats:
    side = size["image_size"]
    return normalise(decoded(pictures(count), side), Preprocessing(size=side, resize_to=side))


def _in_turns(case: Varied, scorers: dict[str, ImageScorer], pixels: Floats) -> tuple[dict[str, list[float]], dict[str, Found]]:
    """Seconds per picture of every way and round, each round on its own eight pictures (one of them one by one), and all figures."""
    seconds: dict[str, list[float]] = {}
    found: dict[str, Found] = {}

    def timed(name: str, count: int, work: Callable[[], Found]) -> None:
        answers: list[Found] = []
        seconds.setdefault(name, []).append(seconds_of(lambda: answers.append(work())) / count)
        for figure, values in answers[0].items():
            found.setdefault(name, {}).setdefault(figure, []).extend(values)

    for start in range(0, len(pixels), BATCH):
        eight = pixels[start : start + BATCH]
        for name, (dtype, preset) in WAYS.items():
            timed(name, BATCH, partial(explained, scorers[dtype], eight, preset))
        timed("twin of 8", BATCH, partial(study, case.unmerged, eight, case.backbone.patch_size))
        timed("twin of 1", 1, partial(study, case.unmerged, eight[:1], case.backbone.patch_size))
    return seconds, found


def correlations(twin: Found, ours: Found) -> dict[str, float]:
    """Pearson's r over the pictures of which both explain the same class, figure by figure; and how many these are.

    Of another class every figure of p is another quantity: random weights leave ties, which one rounding turns.
    """
    same = np.equal(twin["target"], ours["target"])
    found = {figure: float(np.corrcoef(np.array(twin[figure])[same], np.array(ours[figure])[same])[0, 1]) for figure in FIGURES}
    return found | {"same_target": float(same.sum())}


def _rows(seconds: dict[str, list[float]], alike: dict[str, dict[str, float]]) -> list[Row]:
    rows = [_speed(seconds, ours, twin) for ours in WAYS for twin in ("twin of 8", "twin of 1")]
    return rows + [agreement(name, values, len(seconds["bf16"]) * BATCH) for name, values in alike.items()]


def _speed(seconds: dict[str, list[float]], ours: str, twin: str) -> Row:
    value, aim = ratio(seconds[twin], seconds[ours]), AIMS.get((ours, twin))
    return Row(
        what=f"explaining a picture for one adapter, {ours}, against the {twin}",
        figure="speed-up",
        value=round(value, 2),
        unit="x",
        aim="stated" if aim is None else f"≥ {aim:g}",
        met=None if aim is None else value >= aim,
        details={
            "seconds_per_picture": round(statistics.median(seconds[ours]), 3),
            "twin_seconds_per_picture": round(statistics.median(seconds[twin]), 3),
            "spread": round(spread(seconds[ours]), 3),
            "twin_spread": round(spread(seconds[twin]), 3),
            "rounds": len(seconds[ours]),
            "threads": torch.get_num_threads(),
        },
        limited_by=LIMITED_BY[ours],
    )


def agreement(name: str, values: dict[str, float], count: int) -> Row:
    same = int(values["same_target"])
    values = {figure: values[figure] for figure in FIGURES}
    details: dict[str, float | int | str] = {figure: round(value, 6) for figure, value in values.items()}
    least = min(values, key=lambda figure: (not math.isnan(values[figure]), values[figure]))  # NaN, an r that does not exist, is the worst
    return Row(
        what=f"explaining a picture for one adapter, {name}: the same numbers as the twin's",
        figure=f"least correlation ({least})",
        value=round(values[least], 5),
        unit="r",
        aim=f"≥ {ALIKE}",
        met=all(value >= ALIKE for value in values.values()),
        details=details | {"pictures": count, "of the same class": same},
    )
