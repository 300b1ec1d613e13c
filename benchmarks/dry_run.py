"""How well does a dry run foretell the run: hours and GB on a fresh lake, estimated and real?"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.material import MIDDLE, SMALL_LABELS, TINY, backbone_folder, picture_folder, size_text
from benchmarks.row import Row
from benchmarks.small_run import write_config

WHAT = "`assay run --dry-run` against the run itself, fresh lake, {size}"
CALIBRATION_SECONDS = 20.0
LIMIT_SECONDS = 900
TOTAL = re.compile(r"^  total +([\d,]+) +([\d.]+) +([\d.]+)$", re.MULTILINE)


def measure(folder: Path, quick: bool) -> list[Row]:
    """Two rows: hours and GB of the dry run over those of the run, 1 for a perfect forecast."""
    name, size, count, seconds = ("tiny", TINY, 40, 2.0) if quick else ("middle", MIDDLE, 400, CALIBRATION_SECONDS)
    root = folder / "dry-run"
    shutil.rmtree(root, ignore_errors=True)
    config = write_config(
        root / "bench.yaml",
        picture_folder(folder / f"pictures-{count}-256", count, labels=SMALL_LABELS),
        backbone_folder(folder / name, size).folder,
        scoring={"dtype": "float32", "batch_size": 8},
        adapters={"defaults": {"epochs": 2}, "recipes": [{"name": f"r{rank}", "rank": rank} for rank in (4, 8)]},
        corruptions={"names": ["ki"]},
    )
    load = os.getloadavg()[0]
    told, planning = _assay(root, config, "--dry-run", "--calibrate-seconds", str(seconds))
    forwards, hours, gigabytes = totals(told)
    _, real = _assay(root, config, "--quiet")
    written = sum(path.stat().st_size for path in (root / "lake").rglob("*") if path.is_file()) / 1e9
    details: dict[str, float | int | str] = {
        "estimated_seconds": round(hours * 3600, 1),
        "real_seconds": round(real, 1),
        "estimated_gb": gigabytes,
        "real_gb": round(written, 4),
        "forwards": forwards,
        "planning_seconds": round(planning, 1),
        "load_before": round(load, 2),
        "load_after": round(os.getloadavg()[0], 2),
    }
    what = WHAT.format(size=size_text(size))
    limit = "fixed parts are constants of a 2-core machine; other programs change between the two"
    return [
        Row(what, "hours estimated / real", hours * 3600 / real, "ratio", "stated", None, details, limit),
        Row(what, "GB estimated / real", gigabytes / written, "ratio", "stated", None, details, "gold, audit and logs are not foretold"),
    ]


def _assay(root: Path, config: Path, *arguments: str) -> tuple[str, float]:
    """What a run on the bench's lake prints, and its wall seconds. Raises CalledProcessError when it fails."""
    command = [sys.executable, "-m", "pipelines", "run", str(config), "--lake", str(root / "lake"), *arguments]
    started = time.perf_counter()
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=LIMIT_SECONDS, check=True)
    return answer.stdout, time.perf_counter() - started


def totals(told: str) -> tuple[int, float, float]:
    """Forwards, hours and GB of a dry run's last line of the table. Raises ValueError where there is none."""
    found = TOTAL.search(told)
    if found is None:
        raise ValueError(f"a dry run must print a line `total`, found none in {told[-300:]!r}")
    return int(found[1].replace(",", "")), float(found[2]), float(found[3])
