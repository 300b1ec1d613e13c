"""How long is it from the command to the first model batch, when nothing is there yet, and where does the time go?

The command is watched from outside: when a process starts, a file appears, a worker maps torch or the weights. Few pictures, so that
the first rows a worker hands back are its first model batch.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.material import BASE, TINY, backbone_folder, picture_folder
from benchmarks.processes import Watched, maps
from benchmarks.row import Row
from benchmarks.small_run import write_config

WHAT = "time from command to first model batch, cold"
LIMIT_SECONDS = 600.0  # a quiet machine needs a twentieth of it
BATCH = 8
# Spark opens a task's file when its first row is there, but that of task 0 at once; a folder `task_…` is a finished task.
FIRST_ROWS = ("task_*", "*/*/part-0000[1-9]*.parquet")

# Each mark ends a part that is named after what happens in it.
PARTS = (
    ("imports and configuration", "jvm"),
    ("JVM and Spark session", "lease"),
    ("first Delta read and commit", "created"),
    ("reading pictures, examples committed", "examples"),
    ("backbone read, tables created, work planned", "staging"),
    ("worker imports torch and model code", "weights"),
    ("weights loaded, first batch computed", "batch"),
)


def measure(folder: Path, quick: bool) -> list[Row]:
    """Wall seconds, and in the details those of each part."""
    name, size = ("tiny", TINY) if quick else ("base", BASE)
    backbone = backbone_folder(folder / name, size)
    pictures = picture_folder(folder / "pictures-8", BATCH)
    runs = [_marks(folder / "cold", pictures, backbone.folder) for _ in range(1 if quick else 3)]
    marks = sorted(runs, key=lambda found: found["batch"])[len(runs) // 2]
    return [_row(marks, [found["batch"] for found in runs])]


def _marks(root: Path, pictures: Path, backbone: Path) -> dict[str, float]:
    """Seconds at which each mark was first seen, in one run on a new lake that is stopped after its first model batch."""
    shutil.rmtree(root, ignore_errors=True)
    config = write_config(root / "bench.yaml", pictures, backbone, embeddings={"batch_size": BATCH})
    lake = root / "lake"
    command = [sys.executable, "-m", "pipelines", "run", str(config), "--lake", str(lake), "--layers", "bronze", "--quiet"]
    seen: dict[str, float] = {}
    signs = _signs(lake, backbone)

    def look(kinds: dict[int, str]) -> None:
        for mark, sign in signs.items():
            if mark not in seen and sign(kinds):
                seen[mark] = watched.seconds

    with Watched(command, root, interval=0.1, look=look, memory=False) as watched:
        watched.wait_for(lambda: "batch" in seen, LIMIT_SECONDS)
    return seen


def _signs(lake: Path, backbone: Path) -> dict[str, Callable[[dict[int, str]], bool]]:
    """Mark -> whether it can be seen now."""

    def there(pattern: str) -> Callable[[dict[int, str]], bool]:
        return lambda kinds: next(lake.glob(pattern), None) is not None

    def mapped(text: str) -> Callable[[dict[int, str]], bool]:
        return lambda kinds: any(text in maps(pid) for pid, kind in kinds.items() if kind == "worker")

    return {
        "jvm": lambda kinds: "jvm" in kinds.values(),
        "lease": there("_lease.json"),
        "created": there("*/*/_delta_log/00000000000000000000.json"),
        "examples": there("bronze/examples/_delta_log/00000000000000000001.json"),
        "staging": there("_staging/*/bronze.embeddings/0"),
        "weights": mapped(str(backbone / "model.safetensors")),
        "batch": lambda kinds: any(there(f"_staging/*/bronze.embeddings/0/_temporary/*/{sign}")(kinds) for sign in FIRST_ROWS),
    }


def _row(marks: dict[str, float], totals: list[float]) -> Row:
    details: dict[str, float | int | str] = {"runs": len(totals), "fastest": round(min(totals), 1), "slowest": round(max(totals), 1)}
    parts: dict[str, float] = {}
    before = 0.0
    for part, mark in PARTS:
        if mark in marks:  # one too short to be seen counts to the next
            parts[part] = marks[mark] - before
            before = marks[mark]
    details |= {part: round(seconds, 2) for part, seconds in parts.items()}
    largest = sorted(parts, key=lambda part: -parts[part])[:3]
    limit = "largest parts: " + ", ".join(f"{part} {parts[part]:.1f} s" for part in largest)
    return Row(WHAT, "seconds", marks["batch"], "s", "stated", None, details, limit)
