"""Does one more adapter cost the same whether 3, 12 or 48 are in the lake already?

A small backbone and few pictures, so that what is left is planning and commits: what could grow with the adapters that are done.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Sequence
from pathlib import Path

from benchmarks.material import TINY, adapter_folders, backbone_folder, picture_folder, size_text
from benchmarks.row import Row
from benchmarks.small_run import pipeline_on, write_config
from benchmarks.timing import seconds_of, spread

WHAT = f"bringing in one more adapter, {size_text(TINY)}"
MODELS, GOLD = ("silver", "ood"), ("gold",)
FLAT = 1.15  # the largest ratio called flat: what equal runs differ by on a shared machine
REPEATS = 3


def measure(folder: Path, quick: bool) -> list[Row]:
    """Seconds of `assay run --layers silver,ood` (and gold apart) for the next adapter, at each size of the zoo."""
    sizes, repeats, count = ((1,), 1, 40) if quick else ((3, 12, 48), REPEATS, 120)
    root = folder / "new-adapter"
    shutil.rmtree(root, ignore_errors=True)
    backbone = backbone_folder(folder / "tiny", TINY)
    config = write_config(
        root / "bench.yaml",
        picture_folder(folder / f"small-pictures-{count}", count, side=64),
        backbone.folder,
        adapters={"folders": [str(root / "zoo")]},
        corruptions={"names": ["ki"]},
        explanations={"groups": [{"preset": "ki", "controls": []}]},
    )
    pool = adapter_folders(root / "pool", backbone, range(max(sizes) + repeats))
    (root / "zoo").mkdir()
    seconds: dict[str, list[list[float]]] = {"models": [], "gold": []}
    for size in sizes:
        _bring(pool, root / "zoo", size)
        _run(root, config, ("bronze", *MODELS))
        times = [_one_more(pool, root, config, size + number) for number in range(1, repeats + 1)]
        seconds["models"].append([models for models, _ in times])
        seconds["gold"].append([gold for _, gold in times])
    return [_row(sizes, seconds["models"]), _gold_row(sizes, seconds["gold"])]


def _one_more(pool: Sequence[Path], root: Path, config: Path, total: int) -> tuple[float, float]:
    _bring(pool, root / "zoo", total)
    return seconds_of(lambda: _run(root, config, MODELS)), seconds_of(lambda: _run(root, config, GOLD))


def _bring(pool: Sequence[Path], zoo: Path, total: int) -> None:
    """Offers the first `total` adapters of the pool."""
    for folder in pool[:total]:
        if not (zoo / folder.name).exists():
            shutil.copytree(folder, zoo / folder.name)


def _run(root: Path, config: Path, layers: tuple[str, ...]) -> None:
    pipeline_on(root / "lake", config).run(layers)


def _row(sizes: Sequence[int], seconds: list[list[float]]) -> Row:
    medians = [statistics.median(times) for times in seconds]
    value = medians[-1] / medians[0]
    figure = f"seconds with {sizes[-1]} in the lake / with {sizes[0]} (silver and ood, session warm)"
    return Row(WHAT, figure, value, "ratio", f"flat (≤ {FLAT})", value <= FLAT, _details(sizes, seconds))


def _gold_row(sizes: Sequence[int], seconds: list[list[float]]) -> Row:
    medians = [statistics.median(times) for times in seconds]
    figure = f"gold: seconds with {sizes[-1]} / with {sizes[0]}"
    limit = "gold is recomputed over all adapters whenever its inputs changed"
    return Row(WHAT, figure, medians[-1] / medians[0], "ratio", "stated", None, _details(sizes, seconds), limit)


def _details(sizes: Sequence[int], seconds: list[list[float]]) -> dict[str, float | int | str]:
    found: dict[str, float | int | str] = {
        f"seconds_at_{size}": round(statistics.median(t), 2) for size, t in zip(sizes, seconds, strict=True)
    }
    return found | {f"spread_at_{size}": round(spread(times), 3) for size, times in zip(sizes, seconds, strict=True)}
