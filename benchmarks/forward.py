"""How near is a forward pass to the fastest matrix product this machine does in the same run?

The peak is the best rate of any of the model's own product shapes, by torch's `mm` or by a packed product: the stricter bound where MKL is
slow. The forward counts all it does, layer norms, attention and the copying of inputs among it, but only its products' operations.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.material import BASE, TINY, backbone_folder
from benchmarks.row import Row
from benchmarks.timing import in_turns, spread
from models.backbone import Backbone, new_classifier
from models.dtype import torch_dtype
from models.image_scorer import ImageScorer
from models.linear import linear
from models.scorer import load_scorer

BATCH = 8
AIMS = {"bfloat16": 55.0, "float32": 80.0}


def measure(folder: Path, quick: bool) -> list[Row]:
    """Share of the peak in bf16 and fp32, with transformers' own forward measured beside it."""
    name, size, rounds = ("tiny", TINY, 2) if quick else ("base", BASE, 7)
    backbone = backbone_folder(folder / name, size)
    return [_row(backbone, dtype, rounds) for dtype in AIMS]


def _row(backbone: Backbone, dtype: str, rounds: int) -> Row:
    shapes = product_shapes(backbone)
    scorer = load_scorer(backbone, None, dtype, BATCH)
    ways = _products(shapes, dtype) | {"ours": _ours(scorer), "transformers": _theirs(backbone, dtype)}
    for work in ways.values():
        work()
    seconds = in_turns(ways, rounds)
    rates = {name: _gflop(shapes[name]) / min(seconds[name]) for name in shapes}
    packed = {name: _gflop(shapes[name]) / min(seconds[f"packed {name}"]) for name in shapes}
    peak, torch_peak = max(*rates.values(), *packed.values()), max(rates.values())
    speed = {name: forward_gflop(backbone) * BATCH / statistics.median(seconds[name]) for name in ("ours", "transformers")}
    share = 100 * speed["ours"] / peak
    return Row(
        what=f"forward pass, DINOv2, {dtype}",
        figure="share of the GEMM peak",
        value=round(share, 1),
        unit="%",
        aim=f"≥ {AIMS[dtype]:g}",
        met=share >= AIMS[dtype],
        details={
            "gflops": round(speed["ours"], 1),
            "peak_gflops": round(peak, 1),
            "torch_mm_peak_gflops": round(torch_peak, 1),
            "share_of_torch_mm_peak": round(100 * speed["ours"] / torch_peak, 1),
            "transformers_gflops": round(speed["transformers"], 1),
            "times_transformers": round(speed["ours"] / speed["transformers"], 3),
            "spread": round(spread(seconds["ours"]), 3),
            "threads": torch.get_num_threads(),
        },
        limited_by="layer norms, softmax and copies between the products, which are memory-bound",
    )


def product_shapes(backbone: Backbone) -> dict[str, tuple[int, int, int]]:
    """Name -> (rows, inputs, outputs) of a layer's products for one batch."""
    rows, width = BATCH * (backbone.n_prefix + backbone.n_units), backbone.hidden_size
    return {"qkv": (rows, width, 3 * width), "out": (rows, width, width), "fc1": (rows, width, 4 * width), "fc2": (rows, 4 * width, width)}


def forward_gflop(backbone: Backbone) -> float:
    """10^9 operations of one picture: the products, attention's two, and the patch embedding. 46.3 for DINOv2-base at 224 px."""
    tokens, width = backbone.n_prefix + backbone.n_units, backbone.hidden_size
    layer = 2 * tokens * width * 12 * width + 4 * tokens * tokens * width
    return (backbone.n_layers * layer + 2 * backbone.n_units * 3 * backbone.patch_size**2 * width) / 1e9


def _gflop(shape: tuple[int, int, int]) -> float:
    rows, inputs, outputs = shape
    return 2 * rows * inputs * outputs / 1e9


def _products(shapes: dict[str, tuple[int, int, int]], dtype: str) -> dict[str, Callable[[], object]]:
    ways: dict[str, Callable[[], object]] = {}
    for name, (rows, inputs, outputs) in shapes.items():
        left, weight = torch.randn(rows, inputs).to(torch_dtype(dtype)), torch.randn(outputs, inputs)
        right, packed = weight.t().to(torch_dtype(dtype)).contiguous(), linear(weight, None, torch_dtype(dtype), "cpu", rows)
        ways[name] = partial(torch.mm, left, right)
        ways[f"packed {name}"] = partial(packed, left)
    return ways


def _ours(scorer: ImageScorer) -> Callable[[], object]:
    side = scorer.backbone.image_size
    pixels = torch.randn(BATCH, 3, side, side).numpy()
    return lambda: scorer.embed(pixels)


def _theirs(backbone: Backbone, dtype: str) -> Callable[[], object]:
    model: Any = getattr(new_classifier(backbone, ["a"]), backbone.family).requires_grad_(False).to(torch_dtype(dtype))
    pixels = torch.randn(BATCH, 3, backbone.image_size, backbone.image_size).to(torch_dtype(dtype))
    return lambda: model(pixels).last_hidden_state
