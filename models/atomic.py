"""How does an artifact appear whole or not at all? Written beside its place, then renamed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

# Temporary neighbours start with this; whoever lists a folder of artifacts passes over them.
PENDING = ".pending-"


def write_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write into a temporary folder beside `folder`, then rename it into place.

    A reader, and a run killed at any point, sees the whole folder or none. Raises FileExistsError when `folder` is there already
    (another run was first): what is there is never overwritten.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    pending = Path(tempfile.mkdtemp(prefix=PENDING, dir=folder.parent))
    try:
        fill(pending)
        pending.chmod(0o755)  # mkdtemp makes it private; other users' tasks read artifacts from shared storage
        if folder.exists():
            raise FileExistsError(f"{folder} exists already: an artifact is never overwritten; remove the folder to make it anew")
        pending.rename(folder)
    finally:
        shutil.rmtree(pending, ignore_errors=True)


def write_file(path: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write a temporary file beside `path`, then rename it over `path`. For content-addressed files: two writers write
    the same bytes, so the later rename changes nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=PENDING, dir=path.parent)
    os.close(descriptor)
    pending = Path(name)
    try:
        fill(pending)
        pending.chmod(0o644)
        pending.rename(path)
    finally:
        pending.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a small UTF-8 text file, whole or not at all; an existing one is replaced."""

    def fill(pending: Path) -> None:
        pending.write_text(text, encoding="utf-8")

    write_file(path, fill)
