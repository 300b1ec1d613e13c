"""What kind of pictures lie in this folder, and how many? Looked at through the readers themselves; no picture is opened."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bronze.readers import list_source
from bronze.readers.files import existing_root
from bronze.readers.folder import top_folders
from bronze.readers.walk import walk
from bronze.reference import escaped
from bronze.settings import DecodeSettings, SourceSettings
from lake.errors import MissingInputError
from pipelines.init.counted import counted
from pipelines.init.manifest import manifest_of
from pipelines.init.split_names import advice, overlooked, role

PET_LISTS = ("annotations/trainval.txt", "annotations/test.txt")
VAL_SHARE = 0.15  # of the source's training pictures: choosing the best epoch needs pictures that the adapter has not seen

LAYOUTS = (
    "class folders (cat/1.jpg), split and class folders (train/cat/1.jpg), a manifest.csv with the columns path and label, "
    "npz files with x_<split> and y_<split>, or Oxford-IIIT Pet's images/ and annotations/"
)


@dataclass(frozen=True)
class Seen:
    """What the reader found. `source`: keys of the configuration's `source` but `root`. `splits`: the source's own split (None where it
    has none) -> examples. `refused`: error code -> places. `ignored`: files that are no examples. `warning`: why the layout may be another
    than it was read as. `what`: pictures or texts."""

    source: dict[str, Any]
    labels: Counter[str]
    splits: Counter[str | None]
    refused: Counter[str] = field(default_factory=Counter)
    ignored: int = 0
    warning: str = ""
    what: str = "pictures"

    @property
    def n_examples(self) -> int:
        return sum(self.labels.values())


def look(folder: Path) -> Seen:
    """Counts the labelled pictures of a folder by the reader that fits its layout.

    Raises MissingInputError where the folder is absent or holds no labelled picture, naming the layouts that are read.
    """
    root = existing_root(folder)
    source = recognised(root)
    seen = _looked(root, source)
    if source["reader"] == "folder":
        return replace(seen, warning=advice(() if "folder" in source else overlooked(root)))
    return replace(seen, warning=_unnamed(root, seen)) if source["reader"] == "manifest" else seen


def _looked(root: Path, source: dict[str, Any]) -> Seen:
    found = counted(SourceSettings(root=str(root), **source))
    if not found.labels:
        places = f"; {sum(found.refused.values()):,} places were refused ({', '.join(found.refused)})" if found.refused else ""
        raise MissingInputError(f"{root} must hold labelled pictures, found none{places}. Read are {LAYOUTS}.")
    return Seen(source | _split_keys(found.splits), found.labels, found.splits, found.refused, found.ignored)


def recognised(root: Path) -> dict[str, Any]:
    """The `source` keys for the layout below `root`: the reader's name, and what it must be told."""
    if manifest := manifest_of(root):
        return manifest
    if (root / "images").is_dir() and (lists := [name for name in PET_LISTS if (root / name).is_file()]):
        return {"reader": "pet"} | ({} if len(lists) == len(PET_LISTS) else {"pet": {"lists": lists}})
    if any(root.glob("*.npz")):
        return {"reader": "npz"}
    return {"reader": "folder"} | _split_folders(root)


def _split_folders(root: Path) -> dict[str, Any]:
    """Named where all top folders have names of splits and hold folders, and the reader's own list of names lacks some (Train, testing)."""
    names = overlooked(root)
    return {"folder": {"split_folders": list(names)}} if names and set(names) == top_folders(root) else {}


def _unnamed(root: Path, seen: Seen) -> str:
    """Which table decides, where it names fewer pictures than lie there; empty where it names all."""
    settings = SourceSettings(root=str(root), **{key: value for key, value in seen.source.items() if key != "split_map"})
    named = {os.path.normpath(reference.location) for reference in list_source(settings, root, DecodeSettings().max_bytes)}
    files = (found.path for found in walk(root) if found.kind == "file" and not re.search(r"(^|/)(\.|__MACOSX/)", found.path))
    n_unnamed = sum(path.lower().endswith(settings.suffixes) and escaped(path) not in named for path in files)
    if not n_unnamed:
        return ""
    table = settings.manifest.file
    return (
        f"{table} was taken as the list of pictures: {n_unnamed:,} pictures that it does not name are ignored; move it away to read folders"
    )


def _split_keys(splits: Counter[str | None]) -> dict[str, Any]:
    mapped = split_map(splits)
    return {"split_map": mapped} if mapped else {}


def split_map(splits: Iterable[str | None]) -> dict[str, str | dict[str, float]] | None:
    """Where the source's own splits go, or None where it has none, or names no test and no training split: then shares decide.

    Test pictures are what adapters are judged on (`meta`), training pictures train them (`adapter_train`); validation pictures choose the
    best epoch (`adapter_val`), and without any a share of the training pictures does. Validation stands in for a test split that is absent.
    """
    names = list(splits)
    roles = {name: role(name) for name in names if name is not None}
    if None in names or None in roles.values() or not {"train"} < set(roles.values()):
        return None
    if "test" not in roles.values():
        roles = {name: "test" if known == "val" else known for name, known in roles.items()}
    train: str | dict[str, float] = (
        "adapter_train" if "val" in roles.values() else {"adapter_train": 1 - VAL_SHARE, "adapter_val": VAL_SHARE}
    )
    targets: dict[str | None, str | dict[str, float]] = {"train": train, "val": "adapter_val", "test": "meta"}
    return {name: targets[known] for name, known in roles.items()}


def dataset_name(folder: Path) -> str:
    """A dataset's name from its folder's: lower case, runs of other characters as one underscore, at most 64 (`Caltech-101` ->
    `caltech_101`)."""
    name = re.sub(r"[^a-z0-9]+", "_", folder.resolve().name.lower()).strip("_")
    return (name if name[:1].isalpha() else f"data_{name}".rstrip("_"))[:64]
