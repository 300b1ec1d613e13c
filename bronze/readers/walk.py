"""What lies below a folder, in one fixed order, without following a link out of it or round in circles?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bronze.readers.files import is_inside

MAX_LINKED_FOLDERS = 3  # linked folders inside linked folders: n folders that link each other would else give n! paths


@dataclass(frozen=True, slots=True)
class Found:
    """One thing below the root. `path`: relative, POSIX, as the operating system spells it. `code`, `message`: why it is refused."""

    path: str
    kind: Literal["file", "folder", "refused"]
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class _Folder:
    path: str  # as found
    chain: tuple[str, ...]  # real paths from the root down to here
    links: int  # how many of them were reached by a link


def walk(root: Path) -> Iterator[Found]:
    """Every file, folder and refused thing below `root`: folder before its content, names of a folder in code-point order.

    A link that resolves inside the root is followed (codes else: `outside_root`, `not_a_file`); a folder is never entered inside itself.
    """
    top = _Folder("", (os.path.realpath(root),), 0)
    stack = [(top, _entries(top))]
    while stack:
        folder, entries = stack[-1]
        entry = next(entries, None)
        if entry is None:
            stack.pop()
            continue
        if isinstance(entry, Found):
            yield entry
            continue
        found, below = _classified(entry, folder, top.chain[0])
        yield found
        if below is not None:
            stack.append((below, _entries(below)))


def _entries(folder: _Folder) -> Iterator[os.DirEntry[str] | Found]:
    try:
        with os.scandir(folder.chain[-1]) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        yield Found(folder.path, "refused", "not_a_file", f"the folder cannot be listed: {error.strerror}")
        return
    yield from listed


def _classified(entry: os.DirEntry[str], parent: _Folder, root: str) -> tuple[Found, _Folder | None]:
    path = f"{parent.path}/{entry.name}" if parent.path else entry.name
    if entry.is_symlink():
        return _link(path, os.path.realpath(entry.path), parent, root)
    if entry.is_dir(follow_symlinks=False):
        return Found(path, "folder"), _Folder(path, (*parent.chain, entry.path), parent.links)
    if entry.is_file(follow_symlinks=False):
        return Found(path, "file"), None
    return Found(path, "refused", "not_a_file", "must be a regular file, is a pipe, socket or device"), None


def _link(path: str, target: str, parent: _Folder, root: str) -> tuple[Found, _Folder | None]:
    if not is_inside(target, root):
        return Found(path, "refused", "outside_root", "is a link that leaves the source root: copy the file there instead"), None
    if os.path.isfile(target):
        return Found(path, "file"), None
    if not os.path.isdir(target):
        return Found(path, "refused", "not_a_file", "is a link to nothing, or to a pipe, socket or device"), None
    if target in parent.chain:
        return Found(path, "refused", "not_a_file", "is a link to a folder that contains it"), None
    if parent.links >= MAX_LINKED_FOLDERS:
        return Found(path, "refused", "not_a_file", f"is a linked folder inside {MAX_LINKED_FOLDERS} others"), None
    return Found(path, "folder"), _Folder(path, (*parent.chain, target), parent.links + 1)
