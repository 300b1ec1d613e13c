"""How do verbs read their work list and hand over rows? Arrow batches with the spec's schema and two error columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from lake.spec import Table

ERROR_COLUMNS = (("error_code", "string"), ("message", "string"))


@dataclass(frozen=True)
class Identity:
    """The columns that are constant over one stage, and the variants that the column `todo` counts in."""

    dataset: str
    settings_id: str
    variants: tuple[Mapping[str, str | int], ...]

    def columns(self) -> dict[str, object]:
        return {"dataset": self.dataset, "settings_id": self.settings_id}


def wanted_by(batch: pa.RecordBatch, identity: Identity, key: str, values: Sequence[str]) -> dict[str, list[int]]:
    """For each value of one variant column: the rows of the batch of which some variant with that value is still to do."""
    wanted: dict[str, list[int]] = {value: [] for value in values}
    seen: dict[tuple[int, ...], set[str]] = {}
    for row, todo in enumerate(batch.column("todo").to_pylist()):
        indices = tuple(todo)
        if indices not in seen:  # nearly always one list for all rows
            seen[indices] = {str(identity.variants[index][key]) for index in indices}
        for value in seen[indices] & wanted.keys():
            wanted[value].append(row)
    return wanted


def batch_of(table: Table, rows: Iterable[Mapping[str, object]]) -> pa.RecordBatch:
    """Rows (missing keys are null, keys that name no column are left out) as one batch with the table's schema and error columns."""
    return pa.RecordBatch.from_pylist(list(rows), schema=table.arrow_schema(ERROR_COLUMNS))
