"""How fast is this machine at what Assay spends its time on? Every figure beside the machine's own peak, measured in the same run."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

GEMM = 2048  # large enough to reach the peak, small enough for half a second
BATCH = 8
GFLOP_PER_IMAGE = 46.3  # DINOv2-base, 224 px: 257 tokens, 12 layers, width 768


def seconds(work: Callable[[], object], least: float = 3.0) -> float:
    """Seconds of the fastest call within at least `least` seconds, after a warm-up call: what else runs here only adds to it."""
    work()
    fastest, started = float("inf"), time.perf_counter()
    while (begun := time.perf_counter()) - started < least:
        work()
        fastest = min(fastest, time.perf_counter() - begun)
    return fastest


def gemm_peak(dtype: torch.dtype) -> float:
    """GFLOP/s of a square matrix product, the bound of every model's speed here."""
    left, right = torch.randn(GEMM, GEMM).to(dtype), torch.randn(GEMM, GEMM).to(dtype)
    return 2 * GEMM**3 / seconds(lambda: left @ right) / 1e9


def vision_model(dtype: torch.dtype) -> Any:
    """DINOv2-base with random weights: speed does not depend on them."""
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    model: Any = Dinov2Model(Dinov2Config(image_size=224))
    return model.eval().to(dtype)


def images_per_second(dtype: torch.dtype) -> float:
    """Forward passes of DINOv2-base per second, batch 8."""
    model, pixels = vision_model(dtype), torch.randn(BATCH, 3, 224, 224).to(dtype)
    with torch.inference_mode():
        return BATCH / seconds(lambda: model(pixels))


def cold_session() -> tuple[float, float, float]:
    """Seconds until a session is open, until its first Delta commit, and of the next append."""
    from lake.session import open_session

    started = time.perf_counter()
    spark = open_session("bench")
    opened = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        table = str(Path(folder) / "table")
        spark.range(1000).write.format("delta").save(table)
        written = time.perf_counter()
        spark.range(1000).write.format("delta").mode("append").save(table)
        appended = time.perf_counter()
    spark.stop()
    return opened - started, written - opened, appended - written


def main() -> int:
    """Writes the table to stdout; needs about 1.5 minutes."""
    write = sys.stdout.write
    write(f"{torch.get_num_threads()} threads, torch {torch.__version__}\n")
    for dtype in (torch.float32, torch.bfloat16):
        peak, speed = gemm_peak(dtype), images_per_second(dtype)
        share = speed * GFLOP_PER_IMAGE / peak
        write(f"{dtype!s:15s} GEMM {peak:7.0f} GFLOP/s   DINOv2-base {speed:6.2f} images/s   {share:4.0%} of the peak\n")
    opened, first, append = cold_session()
    write(f"spark           session {opened:.1f} s   first Delta commit {first:.1f} s   append {append:.2f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
