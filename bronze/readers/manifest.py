"""Which pictures does a CSV, JSON lines or Parquet manifest name?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from bronze.readers.checks import checked
from bronze.readers.columns import columns_of
from bronze.readers.files import existing_root, named_file
from bronze.readers.record_file import record_file
from bronze.readers.records import references, unnamed_files
from bronze.reference import Listing, Reference, escaped

if TYPE_CHECKING:
    from bronze.settings import SourceSettings


def listing(settings: SourceSettings, root: Path) -> Listing:
    """One reference per record of the manifest, `file#ordinal`; pictures that no record names are ignored. Opens no picture.

    Codes: those of `records.references` and `checks.checked`, and `bad_record` for a line that is no record of the header's width.
    Raises MissingInputError without the root or the manifest, ConfigError when its columns are not the configured ones.
    """
    real_root = existing_root(root)
    path = named_file(real_root, settings.manifest.file, "source.manifest.file")
    return Listing(lambda: _references(settings, real_root, path))


def _references(settings: SourceSettings, root: Path, path: str) -> Iterator[Reference | None]:
    own = settings.manifest
    columns = columns_of(own.file, "source.manifest", {"path": own.path}, own.label, own.split, own.id, own.metadata)
    named = {escaped(own.file)}
    for reference in references(escaped(own.file), record_file(path, columns)):
        named.add(str(PurePosixPath(reference.location)))
        yield checked(reference, settings)
    yield from unnamed_files(root, named)
