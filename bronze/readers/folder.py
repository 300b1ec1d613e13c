"""Which pictures lie in a folder of class folders?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bronze.readers.checks import checked
from bronze.readers.files import existing_root
from bronze.readers.walk import walk
from bronze.reference import Listing, Reference, escaped, printable

if TYPE_CHECKING:
    from bronze.settings import SourceSettings

USUAL_SPLITS = frozenset({"train", "val", "valid", "validation", "dev", "test"})
ARCHIVE_REMAINS = "__MACOSX"  # what zip files made on a Mac unpack beside the data


def listing(settings: SourceSettings, root: Path) -> Listing:
    """Pictures in the layout `[split/]class/…/picture`; deeper folders belong to their class. Files of other suffixes are ignored,
    and so is everything in a top folder that is hidden (`.name`) or `__MACOSX`, unless it is a configured split folder.

    Refused: a picture outside any class folder (`label_missing`); a folder named like a picture (`not_a_file`; files in it are ignored);
    whatever its name, a device, pipe or link to nothing (`not_a_file`) and a link that leaves the root (`outside_root`).
    Raises MissingInputError without a root.
    """
    real_root = existing_root(root)
    return Listing(lambda: _references(settings, real_root))


def _references(settings: SourceSettings, root: Path) -> Iterator[Reference | None]:
    splits = split_folders(settings.folder.split_folders, root)
    for found in walk(root):
        *parents, name = found.path.split("/")
        if parents and is_remains(parents[0]) and parents[0] not in splits:
            if found.kind != "folder":
                yield None
            continue
        is_picture = name.lower().endswith(settings.suffixes)
        if found.kind == "folder":
            if is_picture:
                yield _reference(found.path, parents, splits).refused("not_a_file", "must be a picture file, is a folder")
        elif found.kind == "refused":
            yield _reference(found.path, parents, splits).refused(found.code, found.message)
        elif is_picture and not any(parent.lower().endswith(settings.suffixes) for parent in parents):
            yield checked(_reference(found.path, parents, splits), settings)
        else:
            yield None


def split_folders(configured: tuple[str, ...] | None, root: Path) -> frozenset[str]:
    """The configured split folders, or all top folders when each has a usual split's name (a class `test` among others is a class)."""
    if configured is not None:
        return frozenset(configured)
    folders = top_folders(root)
    return folders if folders <= USUAL_SPLITS else frozenset()


def top_folders(root: Path) -> frozenset[str]:
    """Names of the folders directly below the root that say something of its layout: none that is hidden, `__MACOSX` or empty."""
    with os.scandir(root) as entries:
        folders = [entry for entry in entries if entry.is_symlink() or entry.is_dir()]
    return frozenset(entry.name for entry in folders if not is_remains(entry.name) and (entry.is_symlink() or not _is_empty(entry.path)))


def is_remains(name: str) -> bool:
    """Whether a top folder of this name holds what an archive or a system left behind."""
    return name.startswith(".") or name == ARCHIVE_REMAINS


def _is_empty(folder: str) -> bool:
    """Whether only hidden things lie in it. A folder that cannot be listed counts as full: it is refused by name later."""
    try:
        with os.scandir(folder) as entries:
            return all(entry.name.startswith(".") for entry in entries)
    except OSError:
        return False


def _reference(path: str, parents: list[str], splits: frozenset[str]) -> Reference:
    split = parents[0] if parents and parents[0] in splits else None
    classes = parents if split is None else parents[1:]
    label = printable(classes[0]) if classes else None
    return Reference(escaped(path), escaped(path), label=label, source_split=split)
