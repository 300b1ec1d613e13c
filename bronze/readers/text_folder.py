"""Which texts lie in a folder of class files, or of class folders?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bronze.readers.checks import checked
from bronze.readers.files import existing_root, read_inside, resolved_inside
from bronze.readers.folder import is_remains, split_folders
from bronze.readers.texts import text_of
from bronze.readers.walk import Found, walk
from bronze.reference import Listing, Reference, escaped, printable
from models.errors import RejectedInput

if TYPE_CHECKING:
    from bronze.settings import SourceSettings

SUFFIX = ".txt"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def listing(settings: SourceSettings, root: Path) -> Listing:
    """Texts in two layouts, told apart by their place: `[split/]class.txt` holds one text per line (`file#ordinal`, from 0),
    `[split/]class/…/name.txt` is one text. `one_text_per` takes one of both alone. Split folders are found as by reader `folder`. Where
    both stand beside each other the folders are the classes: a file is more often a README of theirs than a class of its own.

    A line ends with a line feed, or a carriage return and a line feed; other line breaks are text, a blank line is an empty text. Files
    of other suffixes are ignored, and so is everything in a top folder that is hidden or `__MACOSX`, and a hidden class file.

    Refused: a class file beside split folders, or beside class folders if both layouts are taken (`label_missing`); one without a line
    (`empty_text`); a folder named like a text (`not_a_file`; files in it are ignored); the walk's codes. Raises MissingInputError without
    a root.
    """
    real_root = existing_root(root)
    return Listing(lambda: _references(settings, real_root))


def _references(settings: SourceSettings, root: Path) -> Iterator[Reference | None]:
    splits = split_folders(settings.text_folder.split_folders, root)
    in_folders = _levels_of_class_folders(root, splits) if settings.text_folder.one_text_per == "place" else frozenset()
    for found in walk(root):
        *parents, name = found.path.split("/")
        outside = _is_outside(parents, splits)
        if found.kind == "folder":
            if is_text(name) and not outside:
                yield _place(found.path).refused("not_a_file", "must be a text file, is a folder")
        elif outside:
            yield None
        elif found.kind == "refused":
            yield _place(found.path).refused(found.code, found.message)
        elif is_text(name) and not any(is_text(parent) for parent in parents):
            yield from _texts(settings, root, found, splits, in_folders)
        else:
            yield None


def _is_outside(parents: list[str], splits: frozenset[str]) -> bool:
    return bool(parents) and is_remains(parents[0]) and parents[0] not in splits


def _levels_of_class_folders(root: Path, splits: frozenset[str]) -> frozenset[str | None]:
    """The splits, None for the root, in which a class folder holds a text."""
    levels: set[str | None] = set()
    for found in walk(root):
        *parents, name = found.path.split("/")
        if found.kind == "file" and is_text(name) and not any(map(is_text, parents)) and not _is_outside(parents, splits):
            split, folders = _level(parents, splits)
            levels |= {split} if folders else set()
    return frozenset(levels)


def _level(parents: list[str], splits: frozenset[str]) -> tuple[str | None, list[str]]:
    """Split (None without one) and class folders of a file."""
    return (parents[0], parents[1:]) if parents and parents[0] in splits else (None, parents)


def is_text(name: str) -> bool:
    """Whether a file's name says that it holds texts."""
    return name.lower().endswith(SUFFIX)


def _texts(
    settings: SourceSettings, root: Path, found: Found, splits: frozenset[str], in_folders: frozenset[str | None]
) -> Iterator[Reference | None]:
    *parents, name = found.path.split("/")
    split, folders = _level(parents, splits)
    taken = settings.text_folder.one_text_per
    if folders:
        yield checked(_place(found.path, folders[0], split), settings) if taken != "line" else None
    elif taken == "file" or name.startswith("."):
        yield None
    elif splits and split is None:
        yield _place(found.path).refused("label_missing", f"must lie in a split folder ({', '.join(sorted(splits))}) to be a class file")
    elif split in in_folders:
        advice = "move it into one, or set source.text_folder.one_text_per to line (class files alone) or file (class folders alone)"
        yield _place(found.path, split=split).refused("label_missing", f"must lie in a class folder as the texts beside it do: {advice}")
    else:
        yield from _class_file(settings, root, found.path, name[: -len(SUFFIX)], split)


def _class_file(settings: SourceSettings, root: Path, path: str, label: str, split: str | None) -> Iterator[Reference]:
    location, whole, n_lines = escaped(path), _place(path, label, split), 0
    try:
        for _ in _lines(resolved_inside(root, location), location, None):
            yield checked(Reference(f"{location}#{n_lines}", location, n_lines, whole.label, split), settings)
            n_lines += 1
    except RejectedInput as refusal:  # the file was exchanged for a link since the walk
        yield whole.refused(refusal.code, refusal.message)
    except OSError as error:
        yield whole.refused("not_a_file", f"cannot be read: {error.strerror or type(error).__name__}")
    else:
        if not n_lines:
            yield whole.refused("empty_text", "a class file must hold a text on each line, has no line")


def _place(path: str, label: str | None = None, split: str | None = None) -> Reference:
    return Reference(escaped(path), escaped(path), label=None if label is None else printable(label), source_split=split)


def content(reference: Reference, root: Path, max_bytes: int) -> bytes:
    """One text as UTF-8: a line without its end, or a whole file as it is; a byte-order mark at the start of a file is no part of it.

    Raises as `texts.text_of` and `files.read_inside`.
    """
    if reference.ordinal is not None:
        return text_of(reference, root, max_bytes, _lines)
    return read_inside(root, reference.location, max_bytes, "decode.max_text_bytes").removeprefix(BYTE_ORDER_MARK)


def _lines(path: str, location: str, field: str | None) -> Iterator[str | None]:
    """The lines of a file without their ends."""
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="\n") as handle:
        for line in handle:
            yield line[:-2] if line.endswith("\r\n") else line.removesuffix("\n")
