"""How is a file of records read, whatever its format?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath

from bronze.readers.columns import Columns
from bronze.readers.delimited import comma_separated, tab_separated
from bronze.readers.json_lines import json_lines
from bronze.readers.parquet import parquet
from bronze.readers.records import Record
from lake.errors import ConfigError

FORMATS: Mapping[str, Callable[[str, Columns], Iterator[Record]]] = {
    ".csv": comma_separated,
    ".tsv": tab_separated,
    ".jsonl": json_lines,
    ".parquet": parquet,
}


def record_file(path: str, columns: Columns) -> Iterator[Record]:
    """The records of the file at `path` in its order, by the suffix of `columns.file`; a bad one has its problem and stops no other.

    Raises ConfigError for a suffix without a format, a required column that is not there, and a file that cannot be read as such.
    """
    read = FORMATS.get(PurePosixPath(columns.file).suffix.lower())
    if read is None:
        raise ConfigError(f"{columns.setting}: a file of records must end in {', '.join(FORMATS)}, found {columns.file!r}")
    return read(path, columns)
