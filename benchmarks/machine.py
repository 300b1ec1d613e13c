"""On which machine, with which code and versions, under which load, and how fast can it multiply matrices?"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

VERSIONED = ("torch", "transformers", "pyspark", "delta-spark", "numpy", "pyarrow", "pillow", "assay")
MEASURED = ("models", "xai", "lake", "bronze", "silver", "ood", "gold", "pipelines")  # the packages that rows are about
FLAGS = ("amx_bf16", "amx_tile", "avx512f", "avx512_bf16", "avx2")
GEMM = 2048  # a square product large enough to reach the peak
PEAK_SECONDS = 1.0


def facts() -> dict[str, str | int | float]:
    """What this machine is: CPU model, cores, flags that decide a model's speed, memory in GiB; `gpu`, its name, where torch finds one."""
    info = _lines(Path("/proc/cpuinfo"))
    flags = set(info.get("flags", info.get("Features", "")).split())
    memory = int(_lines(Path("/proc/meminfo")).get("MemTotal", "0 kB").split()[0]) / 2**20
    gpu = {"gpu": torch.cuda.get_device_name()} if torch.cuda.is_available() else {}
    return {
        "cpu": info.get("model name", platform.machine()),
        "cores": len(os.sched_getaffinity(0)),
        "flags": " ".join(name for name in FLAGS if name in flags),
        "memory_gib": round(memory, 1),
        **gpu,
    }


def versions() -> dict[str, str]:
    """What this machine runs now: Python, the kernel, and the libraries that decide a row's speed."""
    return {"python": platform.python_version(), "kernel": platform.release()} | {name: _version(name) for name in VERSIONED}


def code(root: Path) -> str:
    """Hash of what is measured: every file of MEASURED and the bench's own modules, by path and content.

    Results and pages are not part of it, so that a bench does not undo itself by writing them.
    """
    files = [path for name in MEASURED for path in (root / name).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    digest = hashlib.sha256()
    for path in sorted([*files, *(root / "benchmarks").glob("*.py")]):
        digest.update(f"{path.relative_to(root).as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:12]


def slug(found: dict[str, str | int | float]) -> str:
    """A file name for the machine: CPU model and cores, such as `amd-epyc-2-cores`."""
    return re.sub(r"[^a-z0-9]+", "-", f"{found['cpu']} {found['cores']} cores {found.get('gpu', '')}".lower()).strip("-")


def load() -> float:
    """Processes that wanted a core over the last minute, this one included: above `cores` the figures are disturbed."""
    return round(os.getloadavg()[0], 2)


def gemm_peaks() -> dict[str, float]:
    """GFLOP/s of a square matrix product in fp32 and bf16 on all threads: the bound of a model's speed here and now."""
    return {name: round(_peak(dtype), 1) for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16))}


def commit(root: Path) -> str:
    """The checkout's commit, with `+` where tracked files are changed; `unknown` without git."""
    try:
        head = _git(root, "rev-parse", "--short=12", "HEAD")
        return head + ("+" if _git(root, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout.strip()


def _peak(dtype: torch.dtype) -> float:
    left, right = torch.randn(GEMM, GEMM).to(dtype), torch.randn(GEMM, GEMM).to(dtype)
    fastest, started = float("inf"), time.perf_counter()
    torch.mm(left, right)
    while (begun := time.perf_counter()) - started < PEAK_SECONDS:
        torch.mm(left, right)
        fastest = min(fastest, time.perf_counter() - begun)
    return 2 * GEMM**3 / fastest / 1e9


def _lines(path: Path) -> dict[str, str]:
    """`key: value` lines of a file of /proc, the first of each key; empty where there is no such file."""
    found: dict[str, str] = {}
    if path.is_file():
        for line in path.read_text().splitlines():
            key, separator, value = line.partition(":")
            if separator:
                found.setdefault(key.strip(), value.strip())
    return found


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
