"""Which pictures do the list files of Oxford-IIIT Pet name?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from bronze.readers.checks import checked
from bronze.readers.files import existing_root, leaves_root, named_file
from bronze.readers.records import Record, references, unnamed_files
from bronze.reference import Listing, Reference, escaped

if TYPE_CHECKING:
    from bronze.settings import SourceSettings

NUMBERED = re.compile(r"(?P<label>.+)_\d+", re.ASCII)
FIELDS = 4  # name class_id species breed_id


def listing(settings: SourceSettings, root: Path) -> Listing:
    """One reference per line `name class_id species breed_id` of the list files; the picture is `images/NAME.jpg`.

    The label is the name without its number (`yellow_dog_7` -> `yellow_dog`), the source split the list's stem. Comment lines (#) and
    blank ones are no records. Codes: those of `records.references` (the name is the id within one list) and `checks.checked`.
    Other files (masks, `.mat`) are ignored. Raises MissingInputError without the root or a list.
    """
    real_root = existing_root(root)
    lists = {name: named_file(real_root, name, "source.pet.lists") for name in settings.pet.lists}
    return Listing(lambda: _references(settings, real_root, lists))


def _references(settings: SourceSettings, root: Path, lists: dict[str, str]) -> Iterator[Reference | None]:
    named = {escaped(name) for name in lists}
    for name, path in lists.items():
        for reference in references(escaped(name), _records(path, PurePosixPath(name).stem, settings.pet.images)):
            named.add(reference.location)
            yield checked(reference, settings)
    yield from unnamed_files(root, named)


def _records(path: str, split: str, images: str) -> Iterator[Record]:
    with open(path, encoding="utf-8-sig", errors="surrogateescape") as handle:
        for line in handle:
            if line.strip() and not line.startswith("#"):
                yield _record(line.split(), split, images)


def _record(fields: list[str], split: str, images: str) -> Record:
    if len(fields) != FIELDS or not all(field.isdecimal() for field in fields[1:]):
        message = f"must be 'name class_id species breed_id', found {len(fields)} fields: {fields[:5]}"
        return Record(split=split, problem=("bad_record", message))
    name = fields[0]
    match = NUMBERED.fullmatch(name)
    path = name if leaves_root(name) else f"{images}/{name}.jpg"  # refused under the path that was written
    return Record(path, match["label"] if match else None, split, id=name)
