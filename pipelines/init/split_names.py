"""Do the top folders of a source look like splits (train, test) that the reader takes for classes?"""

from __future__ import annotations

import os
import re
from pathlib import Path

from bronze.readers.files import is_inside
from bronze.readers.folder import split_folders, top_folders

PATTERNS = (("train", r"train(ing|val)?"), ("val", r"val(id|idation)?|dev"), ("test", r"test(ing)?|eval"))


def role(name: str) -> str | None:
    """train, val or test for the names people use for splits, in any case; None for others."""
    return next((role for role, pattern in PATTERNS if re.fullmatch(pattern, name.casefold())), None)


def overlooked(root: Path) -> tuple[str, ...]:
    """Top folders with a split's name and folders in them that the folder reader, left to itself, takes for classes. Sorted."""
    real_root = os.path.realpath(root)
    if split_folders(None, root):
        return ()
    return tuple(sorted(name for name in top_folders(root) if role(name) and _has_folders(os.path.join(real_root, name), real_root)))


def advice(names: tuple[str, ...]) -> str:
    """What to do about overlooked splits; empty where there are none."""
    if not names:
        return ""
    listed = ", ".join(names)
    what = "has a split's name and is" if len(names) == 1 else "have names of splits and are"
    return f"{listed} {what} read as class: if split, write source.folder.split_folders: [{listed}]; if class, []"


def _has_folders(path: str, real_root: str) -> bool:
    real = os.path.realpath(path)
    if not is_inside(real, real_root):
        return False  # a link that leaves the root is refused unopened
    try:
        with os.scandir(real) as entries:
            return any(entry.is_dir() and not entry.name.startswith(".") for entry in entries)
    except OSError:
        return False
