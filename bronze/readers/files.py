"""How is a file below the root opened, so that nothing outside it, no device and no giant is ever read?"""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath

from bronze.reference import escaped, unescaped
from lake.errors import MissingInputError
from models.errors import RejectedInput


def existing_root(root: Path) -> Path:
    """The root with all links resolved. Raises MissingInputError when it is no folder, telling where it was looked for."""
    resolved = Path(os.path.realpath(root))
    if not resolved.is_dir():
        found = "a file" if resolved.exists() else "nothing"
        raise MissingInputError(f"source.root must be a folder, found {found} at {resolved}: correct source.root or put the data there")
    return resolved


def is_inside(real_path: str, real_root: str) -> bool:
    """Whether a path is the root or below it; both with links resolved."""
    return real_path == real_root or real_path.startswith(real_root.rstrip(os.sep) + os.sep)


def leaves_root(path: str) -> bool:
    """Whether a path written in a list is absolute or climbs with `..`; such are refused unseen, wherever they lead."""
    pure = PurePosixPath(path)
    return pure.is_absolute() or ".." in pure.parts


def resolved_inside(root: Path, location: str) -> str:
    """The real path of a location (escaped, relative to the root). Raises RejectedInput `outside_root`; opens nothing."""
    real_root = os.path.realpath(root)
    real_path = os.path.realpath(os.path.join(real_root, unescaped(location)))
    if not is_inside(real_path, real_root):
        raise RejectedInput("outside_root", f"must lie below the source root, {location!r} does not: copy it there")
    return real_path


def read_inside(root: Path, location: str, max_bytes: int, setting: str = "decode.max_bytes") -> bytes:
    """The bytes of one regular file; `setting` is what a message says must be raised.

    Raises RejectedInput `outside_root`, `not_a_file` or `too_large` before reading, or OSError.
    """
    path = resolved_inside(root, location)
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise RejectedInput("not_a_file", f"must be a regular file, {location!r} is a {_kind(found.st_mode)}")
    if found.st_size > max_bytes:
        raise RejectedInput("too_large", f"must be at most {max_bytes:,} bytes, {location!r} has {found.st_size:,}: raise {setting}")
    # not blocking: if a pipe took the file's place since, opening it must not wait for a writer
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as handle:
        content = handle.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise RejectedInput("too_large", f"must be at most {max_bytes:,} bytes, {location!r} grew beyond while it was read")
    return content


def _kind(mode: int) -> str:
    names = ((stat.S_ISDIR, "folder"), (stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"))
    return next((name for test, name in names if test(mode)), "device")


def file_stamp(location: str, root: Path) -> str:
    """Size in bytes and time of change in ns of a file, or `absent`: equal stamps mean that it need not be read again."""
    try:
        found = os.stat(os.path.join(root, unescaped(location)))
    except OSError:
        return "absent"
    return f"{found.st_size}:{found.st_mtime_ns}"


def named_file(root: Path, path: str, setting: str) -> str:
    """The real path of a list file that the settings name. Raises MissingInputError when it is absent, outside the root or no file."""
    try:
        real_path = resolved_inside(root, escaped(path))
    except RejectedInput as refusal:
        raise MissingInputError(f"{setting} {refusal.message}") from refusal
    if not os.path.isfile(real_path):
        raise MissingInputError(f"{setting} must name a file below the root, found none at {real_path}: correct {setting} or source.root")
    return real_path
