"""Which kinds of source can be read, and how is one asked for what it holds?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bronze.readers import digits, folder, intents, manifest, npz, pet, table, text_folder
from bronze.readers.files import file_stamp, read_inside
from bronze.readers.limit import first_by_content
from bronze.reference import Listing, Reference

if TYPE_CHECKING:  # settings name the readers of this tuple, so they import this module
    from bronze.settings import SourceSettings


@dataclass(frozen=True)
class Reader:
    """One kind of source. `modality`: `image` or `text`.

    `listing(settings, root)`: its references in one fixed order, judging no picture or text. `content(reference, root, max_bytes)`:
    the bytes of one (a picture file, a text in UTF-8), in a worker; raises RejectedInput or OSError. `stamp(location, root)`: text that
    changes when the file does.
    """

    name: str
    modality: str
    listing: Callable[[SourceSettings, Path], Listing]
    content: Callable[[Reference, Path, int], bytes]
    stamp: Callable[[str, Path], str]


def _file_content(reference: Reference, root: Path, max_bytes: int) -> bytes:
    return read_inside(root, reference.location, max_bytes)


READERS: tuple[Reader, ...] = (
    Reader("folder", "image", folder.listing, _file_content, file_stamp),
    Reader("npz", "image", npz.listing, npz.content, file_stamp),
    Reader("manifest", "image", manifest.listing, _file_content, file_stamp),
    Reader("pet", "image", pet.listing, _file_content, file_stamp),
    Reader("digits", "image", digits.listing, digits.content, digits.stamp),
    Reader("table", "text", table.listing, table.content, file_stamp),
    Reader("text_folder", "text", text_folder.listing, text_folder.content, file_stamp),
    Reader("intents", "text", intents.listing, intents.content, intents.stamp),
)


def reader_named(name: str) -> Reader:
    """The reader of that name. Raises ValueError for an unknown one (settings refuse it before)."""
    for reader in READERS:
        if reader.name == name:
            return reader
    raise ValueError(f"reader must be one of {', '.join(reader.name for reader in READERS)}, found {name!r}")


def list_source(settings: SourceSettings, root: Path, max_bytes: int) -> Listing:
    """Everything `settings` asks for below `root`. With `limit`, every content is read once (up to `max_bytes` each) to order by hash.

    Raises MissingInputError where the root or a file that the settings name is absent, ConfigError where it cannot be used.
    """
    reader = reader_named(settings.reader)
    found = reader.listing(settings, root)
    if settings.limit is None:
        return found
    return first_by_content(found, reader, root, settings.limit, max_bytes)
