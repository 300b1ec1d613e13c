"""Is an image's explanation used or merely told: how much faster than a loop over pokes and units, at DINOv2-small size?

Ours is what silver does for one picture, one adapter and occlusion: R over pokes of the whole picture, F, and Reproduce-by-Poking over
pokes of every patch. The twin is what one writes first: for every poke the whole occlusion map, patch after patch, one forward each, by
transformers' own model; of its forwards 200 are made and the others extrapolated, for they are all alike.
"""

from __future__ import annotations

import shutil
import statistics
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.engine import pixels_of
from benchmarks.material import LABELS, SMALL_LABELS, TINY
from benchmarks.row import Row
from benchmarks.varied import Varied, varied
from models.decode import DecodeLimits
from models.dtype import resolve_device, torch_dtype
from models.images import preprocessing_of
from models.scored_adapter import ScoredAdapter
from models.scoring import Scoring
from silver.explainers import block_of, explained
from silver.inversion.answers import Example, answers
from silver.inversion.forwards import forwards_per_example
from silver.inversion.pokes import Pokes
from silver.inversion.settings import PokingSettings
from silver.methods import MethodSettings

AIM = 10.0
DINOV2_SMALL = {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6, "image_size": 224, "patch_size": 14}
TWIN_FORWARDS = 200
SETTINGS = MethodSettings(baseline="mean")
# On two cores the whole of it takes minutes: fewer pokes there, which favours the twin.
ON_A_CARD, ON_CORES = PokingSettings(), PokingSettings(pokes=2, repeats=1)


def measure(folder: Path, quick: bool) -> list[Row]:
    """One row, on the CPU, with few pokes."""
    return measured(folder, quick, ON_CORES, "bfloat16", 8)


def measured(folder: Path, quick: bool, asked: PokingSettings, dtype: str, batch: int) -> list[Row]:
    """The row with these pokes, wherever torch computes."""
    size, labels = (TINY, SMALL_LABELS) if quick else (DINOV2_SMALL, LABELS)
    root = folder / f"poking-{size['hidden_size']}"
    shutil.rmtree(root, ignore_errors=True)
    pixels = pixels_of(size, 4)
    row = _row(varied(root, size, labels, pixels), pixels[:1], asked, dtype, batch, 4 if quick else TWIN_FORWARDS)
    shutil.rmtree(root)
    return [row]


def _row(case: Varied, picture: NDArray[np.float32], asked: PokingSettings, dtype: str, batch: int, n_twin: int) -> Row:
    work = partial(_ours, case, picture, asked, dtype, batch)
    work()  # weights are loaded, kernels chosen
    ours = [_seconds(work) for _ in range(2)]
    twin = _twin(case, picture, dtype, n_twin)
    n_units = case.backbone.n_units
    mine = forwards_per_example(("occlusion",), n_units, SETTINGS, asked)
    theirs = (1 + asked.pokes + asked.repeats * n_units) * (n_units + 1)
    seconds = statistics.median(ours)
    where = "CPU" if resolve_device() == "cpu" else torch.cuda.get_device_name()
    about = f"DINOv2 of width {case.backbone.hidden_size}, {n_units} patches, {where}"
    return Row(
        what=f"R, F and Reproduce-by-Poking of one image, occlusion, {about}",
        figure=f"times a loop over pokes and units, one forward each ({asked.pokes} pokes of all, {asked.repeats} of each patch)",
        value=round(twin * theirs / seconds, 1),
        unit="x",
        aim=f"≥ {AIM:g}",
        met=twin * theirs / seconds >= AIM,
        details={
            "seconds": round(seconds, 2),
            "forwards": mine,
            "twin_forwards": theirs,
            "twin_forwards_made": n_twin,
            "twin_milliseconds_per_forward": round(1e3 * twin, 2),
            "our_milliseconds_per_forward": round(1e3 * seconds / mine, 2),
            "batch": batch,
            "dtype": dtype,
        },
        limited_by="forwards: a poke of one patch asks for itself alone, and R for the whole map of every poke of the picture",
    )


def _ours(case: Varied, picture: NDArray[np.float32], asked: PokingSettings, dtype: str, batch: int) -> object:
    scoring = Scoring(case.backbone, preprocessing_of(case.backbone.folder), DecodeLimits(), dtype, batch)
    adapter = ScoredAdapter("bench", str(case.merged), tuple(range(len(case.labels))))
    inside = np.ones((1, case.backbone.n_units), dtype=bool)
    clean = block_of(scoring, adapter, picture, ["bench"], ["occlusion"], SETTINGS)
    given = {"occlusion": explained(clean, "occlusion").values[0].astype(np.float64)}
    target = int(clean.logits[0].argmax())
    example = Example(scoring, adapter, picture, "bench", inside, target, given, SETTINGS, "mean", "mean")
    return answers(example, 0.5, Pokes(scoring, picture, "bench", inside, asked))


def _twin(case: Varied, picture: NDArray[np.float32], dtype: str, n_forwards: int) -> float:
    """Seconds of one of the twin's forwards: a patch of a poked picture filled, the model asked, one probability read."""
    device = resolve_device()
    merged: Any = case.unmerged
    model = merged.merge_and_unload().to(device, torch_dtype(dtype)).eval()
    patch, side = case.backbone.patch_size, picture.shape[-1]
    rng = np.random.default_rng(0)

    def one(number: int) -> float:
        poked = torch.from_numpy(picture[0] + 0.05 * rng.standard_normal(picture.shape[1:], dtype=np.float32)).to(device)
        top, left = (patch * place for place in divmod(number % (side // patch) ** 2, side // patch))
        poked[:, top : top + patch, left : left + patch] = poked.mean(dim=(1, 2))[:, None, None]
        with torch.inference_mode():
            return float(model(pixel_values=poked[None].to(torch_dtype(dtype))).logits.float().softmax(dim=1)[0, 0])

    for number in range(3):
        one(number)
    started = time.perf_counter()
    for number in range(n_forwards):
        one(number)
    return (time.perf_counter() - started) / n_forwards


def _seconds(work: partial[object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
