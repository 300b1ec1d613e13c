"""What does the engine do on a GPU: which share of the card's peak, in which precision, by which attention kernel, in how large batches,
and how much faster than the KI study's own way on the same card? Asked for by name alone: `python -m benchmarks --only gpu`.

Forwards are timed with the pictures already on the card, each waited for; explanations are timed as the pipeline has them, from numpy to
numpy.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from benchmarks.card import card_name, seconds_on_card
from benchmarks.engine import DROP, FIGURES, Floats, Found, agreement, correlations, explained, pixels_of
from benchmarks.forward import forward_gflop
from benchmarks.ki_twin import study
from benchmarks.material import BASE, LABELS, SMALL_LABELS, TINY
from benchmarks.row import Row
from benchmarks.timing import ratio, spread
from benchmarks.varied import Varied, varied
from models.dtype import torch_dtype
from models.image_scorer import ImageScorer
from models.scorer import load_scorer
from xai.presets import KI

GEMM = 8192
TWIN_BATCH = 8
BATCHES = (8, 64, 512)
MOST = 2048  # pictures of the largest batch that is tried
DEVICE = "cuda"
KERNELS = {
    "flash": SDPBackend.FLASH_ATTENTION,
    "memory-efficient": SDPBackend.EFFICIENT_ATTENTION,
    "cuDNN's": SDPBackend.CUDNN_ATTENTION,
    "plain": SDPBackend.MATH,
}
WAYS = {"fp16": ("float16", KI), "bf16": ("bfloat16", KI), "fp32": ("float32", KI), "fp16 drop": ("float16", DROP)}


def measure(folder: Path, quick: bool) -> list[Row]:
    """Forwards by precision and batch, attention kernels, the largest batch, explanations beside the twin. Needs a CUDA device."""
    card_name("gpu")
    size, labels, sizes, rounds = (TINY, SMALL_LABELS, (2, 4), 1) if quick else (BASE, LABELS, BATCHES, 5)
    root = folder / f"gpu-{size['hidden_size']}"
    shutil.rmtree(root, ignore_errors=True)
    pixels = pixels_of(size, TWIN_BATCH if quick else 64)
    case = varied(root, size, labels, pixels[:TWIN_BATCH])
    rows = [_forward(case, dtype, batch, rounds) for dtype in ("float16", "bfloat16", "float32") for batch in sizes]
    rows += [_kernels(case, sizes[1], rounds), _largest(case, 16 if quick else MOST)]
    rows += _explanations(case, pixels, rounds)
    shutil.rmtree(root)
    return rows


def _forward(case: Varied, dtype: str, batch: int, rounds: int) -> Row:
    scorer = load_scorer(case.backbone, case.merged, dtype, batch)
    given = _on_card(scorer, batch)
    seconds = seconds_on_card({"forward": lambda: scorer._logits(given), "gemm": _gemm(dtype)}, rounds)  # noqa: SLF001  # without the way to the card
    work = forward_gflop(case.backbone) * batch / 1e3
    rate, peak = work / statistics.median(seconds["forward"]), 2 * GEMM**3 / 1e12 / min(seconds["gemm"])
    return Row(
        what=f"forward pass on {torch.cuda.get_device_name()}, DINOv2, {dtype}, batches of {batch}",
        figure="share of the GEMM peak",
        value=round(100 * rate / peak, 1),
        unit="%",
        aim="stated",
        met=None,
        details={
            "tflops": round(rate, 1),
            "peak_tflops": round(peak, 1),
            "images_per_second": round(batch / statistics.median(seconds["forward"])),
            "spread": round(spread(seconds["forward"]), 3),
        },
        limited_by="the residual stream is float32 (the same numbers as on a CPU): norms and additions move its bytes between the products",
    )


def _kernels(case: Varied, batch: int, rounds: int) -> Row:
    """The whole forward under each of torch's attention kernels; without a choice torch takes one itself."""
    scorer = load_scorer(case.backbone, case.merged, "float16", batch)
    given = _on_card(scorer, batch)
    ways: dict[str, Callable[[], object]] = {"torch's choice": lambda: scorer._logits(given)}  # noqa: SLF001  # as above
    ways |= {name: partial(_under, kernel, scorer, given) for name, kernel in KERNELS.items()}
    seconds = seconds_on_card(ways, rounds)
    chosen = scorer._logits(given)  # noqa: SLF001  # as above
    apart = {name: _apart(chosen, way()) for name, way in ways.items() if name != "torch's choice"}
    return Row(
        what=f"attention on {torch.cuda.get_device_name()}, DINOv2, float16, batches of {batch}",
        figure="speed-up of a whole forward, flash against plain attention",
        value=round(ratio(seconds["plain"], seconds["flash"]), 2),
        unit="x",
        aim="stated",
        met=None,
        details={
            **{f"milliseconds, {name}": round(1e3 * statistics.median(found), 2) for name, found in seconds.items()},
            **{f"logits apart, {name}": float(f"{value:.2g}") for name, value in apart.items()},
        },
        limited_by="products: at 257 tokens attention is 9 % of a forward's operations",
    )


def _largest(case: Varied, most: int) -> Row:
    """Doubles the batch until the card has no room for a forward with attention read."""
    reached, peak, batch = 0, 0.0, 8
    while batch <= most:
        try:
            scorer = load_scorer(case.backbone, case.merged, "float16", batch)
            torch.cuda.reset_peak_memory_stats()
            scorer._explained(_on_card(scorer, batch))  # noqa: SLF001  # as above
            reached, peak = batch, torch.cuda.max_memory_allocated() / 2**30
        except torch.cuda.OutOfMemoryError:
            break
        batch *= 2
    room = torch.cuda.get_device_properties(0).total_memory / 2**30
    return Row(
        what=f"largest batch on {torch.cuda.get_device_name()}, DINOv2, float16, forward with attention read",
        figure="pictures",
        value=reached,
        unit="pictures",
        aim="stated",
        met=None,
        details={"peak_gib": round(peak, 2), "mib_per_picture": round(1024 * peak / max(reached, 1), 2), "card_gib": round(room, 1)},
        limited_by="" if batch <= most else f"more than {most:,} was not tried",
    )


def _explanations(case: Varied, pixels: Floats, rounds: int) -> list[Row]:
    """Four figures a picture, as benchmarks.engine has them, in batches as large as the pictures given; the twin in batches of eight."""
    twin: Any = case.unmerged.base_model.model
    twin.set_attn_implementation("eager")
    case.unmerged.to(DEVICE)
    scorers = {dtype: load_scorer(case.backbone, case.merged, dtype, len(pixels)) for dtype in ("float16", "bfloat16", "float32")}
    found: dict[str, Found] = {}
    ways: dict[str, Callable[[], object]] = {
        name: partial(_kept, found, name, partial(explained, scorers[dtype], pixels, preset)) for name, (dtype, preset) in WAYS.items()
    }
    ways["twin of 8"] = partial(_kept, found, "twin of 8", partial(_studied, case, pixels))
    seconds = seconds_on_card(ways, min(rounds, 3))
    rows = [_speed(name, seconds, len(pixels)) for name in WAYS]
    return rows + [
        agreement(f"{name} on {torch.cuda.get_device_name()}", correlations(found["twin of 8"], found[name]), len(pixels))
        for name in ("fp16", "bf16", "fp32")
    ]


def _kept(found: dict[str, Found], name: str, work: Callable[[], Found]) -> None:
    found[name] = work()


def _studied(case: Varied, pixels: Floats) -> Found:
    parts = [
        study(case.unmerged, pixels[start : start + TWIN_BATCH], case.backbone.patch_size) for start in range(0, len(pixels), TWIN_BATCH)
    ]
    return {figure: [value for part in parts for value in part[figure]] for figure in (*FIGURES, "target")}


def _speed(name: str, seconds: dict[str, list[float]], count: int) -> Row:
    return Row(
        what=f"explaining a picture for one adapter on {torch.cuda.get_device_name()}, {name}, against the twin of 8 on it",
        figure="speed-up",
        value=round(ratio(seconds["twin of 8"], seconds[name]), 2),
        unit="x",
        aim="stated",
        met=None,
        details={
            "seconds_per_picture": round(statistics.median(seconds[name]) / count, 4),
            "twin_seconds_per_picture": round(statistics.median(seconds["twin of 8"]) / count, 4),
            "spread": round(spread(seconds[name]), 3),
            "batch": count,
        },
        limited_by="of our seconds the forwards are a part; choosing patches, masks and curves are numpy on one core",
    )


def _under(kernel: SDPBackend, scorer: ImageScorer, given: torch.Tensor) -> torch.Tensor:
    with sdpa_kernel(kernel):
        return scorer._logits(given)  # noqa: SLF001  # as above


def _apart(left: torch.Tensor, right: object) -> float:
    return float((left.float() - torch.as_tensor(right).float()).abs().max())


def _on_card(scorer: ImageScorer, batch: int) -> torch.Tensor:
    side = scorer.backbone.image_size
    return torch.from_numpy(np.random.default_rng(0).standard_normal((batch, 3, side, side), dtype=np.float32)).to(scorer.device)


def _gemm(dtype: str) -> Callable[[], object]:
    left, right = (torch.randn(GEMM, GEMM, device=DEVICE).to(torch_dtype(dtype)) for _ in range(2))
    return partial(torch.mm, left, right)
