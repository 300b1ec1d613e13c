"""Which pictures does a CSV or Parquet manifest name?"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from bronze.readers.checks import checked
from bronze.readers.files import existing_root, named_file
from bronze.readers.records import Record, references, unnamed_files
from bronze.reference import Listing, Reference, escaped
from lake.errors import ConfigError

if TYPE_CHECKING:
    from bronze.settings import ManifestOptions, SourceSettings

DELIMITERS = {".csv": ",", ".tsv": "\t"}


def listing(settings: SourceSettings, root: Path) -> Listing:
    """One reference per record of the manifest, `file#ordinal`; pictures that no record names are ignored. Opens no picture.

    Codes: those of `records.references` and `checks.checked`, and `bad_record` for a line that is no record of the header's width.
    Raises MissingInputError without the root or the manifest, ConfigError when its columns are not the configured ones.
    """
    real_root = existing_root(root)
    path = named_file(real_root, settings.manifest.file, "source.manifest.file")
    return Listing(lambda: _references(settings, real_root, path))


def _references(settings: SourceSettings, root: Path, path: str) -> Iterator[Reference | None]:
    options = settings.manifest
    suffix = PurePosixPath(options.file).suffix.lower()
    if suffix != ".parquet" and suffix not in DELIMITERS:
        raise ConfigError(f"source.manifest.file must end in .csv, .tsv or .parquet, found {options.file!r}")
    records = _parquet(path, options) if suffix == ".parquet" else _delimited(path, DELIMITERS[suffix], options)
    named = {escaped(options.file)}
    for reference in references(escaped(options.file), records):
        named.add(str(PurePosixPath(reference.location)))
        yield checked(reference, settings)
    yield from unnamed_files(root, named)


def _columns(options: ManifestOptions, header: list[str]) -> dict[str, str]:
    """Field of a record -> column of the file. Raises ConfigError for a column that is not there, or there twice."""
    optional = {"split": options.split, "id": options.id}
    wanted = {"path": options.path, "label": options.label} | {field: name for field, name in optional.items() if name is not None}
    if lacking := [name for name in wanted.values() if header.count(name) != 1]:
        raise ConfigError(
            f"{options.file} must have the columns {', '.join(wanted.values())} once each; it has {', '.join(header) or 'none'}: "
            f"correct {', '.join(lacking)} there, or source.manifest"
        )
    return wanted | {field: field for field, name in optional.items() if name is None and header.count(field) == 1}


class _Lines(Protocol):
    """What csv.reader makes, a class that the library does not name."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...


def _delimited(path: str, delimiter: str, options: ManifestOptions) -> Iterator[Record]:
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
        # strict: a stray quote is an error of its record, else it would swallow the records after it unseen
        reader = csv.reader(handle, delimiter=delimiter, strict=True)
        try:
            header = next(reader, [])
        except csv.Error as error:
            raise ConfigError(f"{options.file} must begin with a header line: {error}") from error
        columns = {field: header.index(name) for field, name in _columns(options, header).items()}
        while (record := _next_record(reader, columns, len(header))) is not None:
            yield record


def _next_record(reader: _Lines, columns: dict[str, int], width: int) -> Record | None:
    first = reader.line_num + 1
    try:
        values = next((row for row in reader if row), None)  # a blank line is no record
    except csv.Error as error:
        return Record(problem=("bad_record", f"lines {first} to {reader.line_num} must be a record of the manifest: {error}"))
    if values is None:
        return None
    if len(values) != width:
        return Record(problem=("bad_record", f"must have {width} fields as the header has, found {len(values)}"))
    return _record({field: values[index] for field, index in columns.items()})


def _record(values: Mapping[str, str | None]) -> Record:
    return Record(values["path"], values["label"], values.get("split"), values.get("id"))


def _parquet(path: str, options: ManifestOptions) -> Iterator[Record]:
    try:
        with pq.ParquetFile(path) as file:
            columns = _columns(options, file.schema_arrow.names)
            _require_text(file.schema_arrow, columns, options)
            for batch in file.iter_batches(columns=list(columns.values())):
                texts = [_texts(batch.column(name)) for name in columns.values()]
                for values in zip(*texts, strict=True):
                    yield _record(dict(zip(columns, values, strict=True)))
    except pa.ArrowException as error:
        raise ConfigError(f"{options.file} must be a readable Parquet file: {error}") from error


def _require_text(schema: pa.Schema, columns: dict[str, str], options: ManifestOptions) -> None:
    for field, name in columns.items():
        found = schema.field(name).type
        plain = found.value_type if pa.types.is_dictionary(found) else found
        is_text = pa.types.is_string(plain) or pa.types.is_large_string(plain)
        if not is_text and not (field != "path" and pa.types.is_integer(plain)):
            raise ConfigError(f"{options.file}: column {name} must be text{'' if field == 'path' else ' or whole numbers'}, found {found}")


def _texts(column: pa.Array) -> list[str | None]:
    # by way of bytes: Parquet does not check that text is UTF-8, and one bad record must not stop the others
    raw = column.cast(pa.string()).cast(pa.binary()).to_pylist()
    return [None if value is None else value.decode("utf-8", "surrogateescape") for value in raw]
