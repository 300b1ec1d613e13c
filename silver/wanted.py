"""Of which examples are which variants of one adapter still to do?"""

from __future__ import annotations

import pyarrow as pa

from lake.rows import Identity

Names = tuple[str, ...]


def wanted_of(batch: pa.RecordBatch, identity: Identity, adapter_id: str, *columns: str) -> dict[tuple[Names, ...], list[int]]:
    """What is wanted of this adapter, as values of `columns` in the order of the variants -> the rows of the batch that want just that.

    Rows that want nothing are left out. Nearly always all rows want the same; an example of which one method was rejected before a run
    was killed, or a method that was added to the configuration later, makes the others.
    """
    wanted: dict[tuple[Names, ...], list[int]] = {}
    seen: dict[tuple[int, ...], tuple[Names, ...]] = {}
    for row, todo in enumerate(batch.column("todo").to_pylist()):
        indices = tuple(todo)
        if indices not in seen:  # nearly always one list for all rows
            mine = (own for index in sorted(indices) if (own := identity.variants[index])["adapter_id"] == adapter_id)
            seen[indices] = tuple(tuple(str(own[column]) for column in columns) for own in mine)
        if seen[indices]:
            wanted.setdefault(seen[indices], []).append(row)
    return wanted
