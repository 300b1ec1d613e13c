"""Which records are in a Parquet file?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from bronze.readers.columns import CONTENT, METADATA, Columns
from bronze.readers.records import Record, record_of
from lake.errors import ConfigError

BATCH_ROWS = 4096  # of texts of any length: the library's 65,536 would be gigabytes of long ones


def parquet(path: str, columns: Columns) -> Iterator[Record]:
    """The records in order; null is None. Raises ConfigError for a column that is not there or of another type, and a damaged file."""
    try:
        with pq.ParquetFile(path) as file:
            found = columns.found(file.schema_arrow.names)
            _require_text(file.schema_arrow, found, columns.file)
            for batch in file.iter_batches(BATCH_ROWS, columns=list(found.values())):
                texts = [_texts(batch.column(name)) for name in found.values()]
                for values in zip(*texts, strict=True):
                    yield record_of(dict(zip(found, values, strict=True)))
    except (pa.ArrowException, OSError) as error:  # damage inside a page is an OSError
        raise ConfigError(f"{columns.file} must be a readable Parquet file: {error}") from error


def _require_text(schema: pa.Schema, columns: Mapping[str, str], file: str) -> None:
    for field, name in columns.items():
        found = schema.field(name).type
        plain = found.value_type if pa.types.is_dictionary(found) else found
        is_text = pa.types.is_string(plain) or pa.types.is_large_string(plain)
        if field.startswith(METADATA) and pa.types.is_primitive(plain):
            continue
        if not is_text and not (field not in CONTENT and pa.types.is_integer(plain)):
            raise ConfigError(f"{file}: column {name} must be text{'' if field in CONTENT else ' or whole numbers'}, found {found}")


def _texts(column: pa.Array) -> list[str | None]:
    # by way of bytes: Parquet does not check that text is UTF-8, and one bad record must not stop the others
    raw = column.cast(pa.string()).cast(pa.binary()).to_pylist()
    return [None if value is None else value.decode("utf-8", "surrogateescape") for value in raw]
