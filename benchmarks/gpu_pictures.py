"""What does each explanation of a picture cost on a GPU, and in how large batches do its gradients fit? Asked for by name alone:
`python -m benchmarks --only gpu_pictures`."""

from __future__ import annotations

import shutil
import statistics
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import poking
from benchmarks.card import card_name, seconds_on_card
from benchmarks.engine import pixels_of
from benchmarks.material import BASE, LABELS, SMALL_LABELS, TINY
from benchmarks.row import Row
from benchmarks.timing import spread
from benchmarks.varied import Varied, varied
from models.decode import DecodeLimits
from models.images import preprocessing_of
from models.scored_adapter import ScoredAdapter
from models.scorer import load_scorer
from models.scoring import Scoring
from silver.explainers import block_of, explained
from silver.methods import MethodSettings, forwards_per_example

METHODS = ("attention", "attention_rollout", "occlusion", "lime", "kernel_shap", "ig")
SETTINGS = MethodSettings(baseline="mean")
MOST = 512


def measure(folder: Path, quick: bool) -> list[Row]:
    """Seconds a picture of every method in float16 and how far that is from float32; the largest batch of integrated gradients; poking."""
    card_name("gpu_pictures")
    size, labels, count, batch = (TINY, SMALL_LABELS, 2, 4) if quick else (BASE, LABELS, 8, 64)
    root = folder / f"gpu-pictures-{size['hidden_size']}"
    shutil.rmtree(root, ignore_errors=True)
    pixels = pixels_of(size, 8)
    case = varied(root, size, labels, pixels)
    rows = [_row(case, pixels[:count], method, batch, 1 if quick else 3) for method in METHODS]
    rows.append(_largest(case, pixels[:1], 16 if quick else MOST))
    shutil.rmtree(root)
    return rows + poking.measured(folder, quick, poking.ON_CORES if quick else poking.ON_A_CARD, "float16", 4 if quick else 256)


def _explained(case: Varied, pixels: NDArray[np.float32], method: str, dtype: str, batch: int) -> NDArray[np.float32]:
    scoring = Scoring(case.backbone, preprocessing_of(case.backbone.folder), DecodeLimits(), dtype, batch)
    adapter = ScoredAdapter("bench", str(case.merged), tuple(range(len(case.labels))))
    names = [str(number) for number in range(len(pixels))]
    return explained(block_of(scoring, adapter, pixels, names, [method], SETTINGS), method).values


def _row(case: Varied, pixels: NDArray[np.float32], method: str, batch: int, rounds: int) -> Row:
    seconds = seconds_on_card({"float16": partial(_explained, case, pixels, method, "float16", batch)}, rounds)["float16"]
    half, full = (_explained(case, pixels, method, dtype, batch) for dtype in ("float16", "float32"))
    r = min(float(np.corrcoef(one, other)[0, 1]) for one, other in zip(half, full, strict=True))
    return Row(
        what=f"{method} of a picture on {torch.cuda.get_device_name()}, DINOv2 of width {case.backbone.hidden_size}, float16",
        figure="seconds a picture and adapter",
        value=round(statistics.median(seconds) / len(pixels), 4),
        unit="s",
        aim="stated",
        met=None,
        details={
            "forwards": forwards_per_example((method,), case.backbone.n_units, SETTINGS),
            "batch": batch,
            "least_correlation_with_float32": round(r, 5),
            "spread": round(spread(seconds), 3),
        },
        limited_by="integrated gradients are float32 whatever the scoring is" if method == "ig" else "forwards",
    )


def _largest(case: Varied, pixels: NDArray[np.float32], most: int) -> Row:
    """Doubles the batch until the card has no room for a step of integrated gradients."""
    reached, peak, batch = 0, 0.0, 8
    while batch <= most:
        try:
            scorer = load_scorer(case.backbone, case.merged, "float16", batch)
            torch.cuda.reset_peak_memory_stats()
            scorer.integrated_gradients(pixels, np.zeros(1, dtype=np.int64), batch, "mean")
            reached, peak = batch, torch.cuda.max_memory_allocated() / 2**30
        except torch.cuda.OutOfMemoryError:
            break
        batch *= 2
    return Row(
        what=f"largest batch of integrated gradients on {torch.cuda.get_device_name()}, {case.backbone.hidden_size} wide, float32",
        figure="points on the path",
        value=reached,
        unit="points",
        aim="stated",
        met=None,
        details={"peak_gib": round(peak, 2), "mib_per_point": round(1024 * peak / max(reached, 1), 1)},
        limited_by="" if batch <= most else f"more than {most:,} was not tried",
    )
