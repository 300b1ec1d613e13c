"""How do rows of very different size become record batches that always fit into memory?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

Row = Mapping[str, Any]
MAX_ROWS = 256
MAX_BYTES = 64 * 2**20  # of pictures and texts; Arrow's own limit for one binary column of a batch is 2 GiB


def bounded(rows: Iterable[Row], schema: pa.Schema, max_rows: int = MAX_ROWS, max_bytes: int = MAX_BYTES) -> Iterator[pa.RecordBatch]:
    """The rows in their order as batches of `schema`, each at most `max_rows` rows and `max_bytes` bytes of binary values and
    of column `text` (there counted in characters).

    A row larger than `max_bytes` is a batch of its own. Raises ValueError for a column of the schema that a row lacks.
    """
    held: list[Row] = []
    held_bytes = 0
    for row in rows:
        if lacking := [name for name in schema.names if name not in row]:
            raise ValueError(f"every row must have the columns of the schema, a row lacks {', '.join(lacking)}")
        size = sum(len(value) for value in row.values() if isinstance(value, bytes)) + len(row.get("text") or "")
        if held and (len(held) >= max_rows or held_bytes + size > max_bytes):
            yield pa.RecordBatch.from_pylist(held, schema=schema)
            held, held_bytes = [], 0
        held.append(row)
        held_bytes += size
    if held:
        yield pa.RecordBatch.from_pylist(held, schema=schema)
