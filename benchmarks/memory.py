"""Does peak memory stay flat while the number of pictures grows tenfold? Embeddings only, in a process of their own per size."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from benchmarks.material import SMALL, TINY, backbone_folder, picture_folder, size_text
from benchmarks.processes import KINDS, Watched
from benchmarks.row import Row
from benchmarks.small_run import write_config

FLAT = 1.15  # the largest ratio called flat; two runs of one size differ by up to a tenth
WHY = (
    "the small size is for time: 10,000 pictures of DINOv2-base are more than 12 minutes of forwards on two cores at 150 ms. What grows "
    "with pictures (plans, listings, batches of encoded pictures) does not depend on it, and a large model's constant would hide it; rows "
    "of vectors are narrower than DINOv2-base's 768 values"
)
LIMIT_SECONDS = 900.0  # a quiet machine needs a tenth of it


def measure(folder: Path, quick: bool) -> list[Row]:
    """Peak of driver, JVM and workers at the larger size over that at the smaller."""
    sizes, name, size, side = ((12,), "tiny", TINY, 64) if quick else ((1_000, 10_000), "small", SMALL, 256)
    backbone = backbone_folder(folder / name, size)
    peaks, seconds = {}, {}
    for count in sizes:
        pictures = picture_folder(folder / f"pictures-{side}-{count}", count, side)
        peaks[count], seconds[count] = _peaks(folder / "memory", pictures, backbone.folder)
    return [_row(kind, size, sizes, peaks, seconds) for kind in KINDS]


def _peaks(root: Path, pictures: Path, backbone: Path) -> tuple[dict[str, float], float]:
    """MiB per kind of process, and wall seconds, of one `assay run --layers bronze` on a new lake."""
    shutil.rmtree(root, ignore_errors=True)
    config = write_config(root / "bench.yaml", pictures, backbone)
    command = [sys.executable, "-m", "pipelines", "run", str(config), "--lake", str(root / "lake"), "--layers", "bronze", "--quiet"]
    with Watched(command, root) as watched:
        watched.wait(LIMIT_SECONDS)
        seconds = watched.seconds
    return watched.peaks, seconds


def _row(kind: str, size: dict[str, int], sizes: tuple[int, ...], peaks: dict[int, dict[str, float]], seconds: dict[int, float]) -> Row:
    few, many = sizes[0], sizes[-1]  # the small twin has one size: it proves the code
    value = peaks[many][kind] / peaks[few][kind]
    details: dict[str, float | int | str] = {"size": size_text(size)}
    details |= {f"mib_at_{count}": round(peaks[count][kind]) for count in sizes}
    details |= {f"seconds_at_{count}": round(seconds[count], 1) for count in sizes}
    figure = f"{kind}: peak at {many:,} pictures / at {few:,}"
    return Row(f"peak memory, embeddings only, {size_text(size)}", figure, value, "ratio", f"flat (≤ {FLAT})", value <= FLAT, details, WHY)
