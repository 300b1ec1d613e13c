"""How many bytes does a row of a table take on disk? Measured in the lake where it has rows, else foretold from its columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from bronze.specs import EMBEDDINGS, EXAMPLES
from lake.spec import Table
from ood.specs import PREDICTIONS as OOD_PREDICTIONS
from pipelines.duck import exists, opened
from silver.specs import ATTRIBUTIONS, EXPLANATION_METRICS, PREDICTIONS

ENOUGH_ROWS = 200  # below that a file's footer outweighs its rows
ID_BYTES = 40  # an example's id: 32 characters that do not compress, their length, and notes that hardly vary
DOUBLE, FLOAT, HALF = 8, 4, 2


@dataclass(frozen=True)
class Shape:
    """What the widths of rows depend on: numbers of labels and units, width of an embedding, whether units are stored, picture bytes."""

    n_labels: int
    n_units: int
    dim: int
    keep_units: bool
    picture_bytes: float


def stored_row_bytes(root: str, table: Table) -> float | None:
    """Bytes per row of a table's current files, None where it is absent, small, or behind an address."""
    if "://" in root or not exists(root, table):
        return None
    actions: Any = pa.table(opened(root, table).get_add_actions(flatten=True))
    if "num_records" not in actions.column_names:
        return None
    counts = actions.column("num_records").to_pylist()
    n_rows = 0 if None in counts else sum(counts)
    return sum(actions.column("size_bytes").to_pylist()) / n_rows if n_rows >= ENOUGH_ROWS else None


def foretold_row_bytes(shape: Shape) -> dict[str, float]:
    """Table -> bytes per row: what does not repeat from row to row; the rest vanishes in Parquet's dictionaries.

    Within 15 % of the files of the digits runs (docs/decisions/0010).
    """
    return {
        EXAMPLES.full_name: shape.picture_bytes + 2.5 * ID_BYTES,  # a row here and one in bronze.references, which has the path too
        EMBEDDINGS.full_name: HALF * shape.dim * (1 + shape.n_units * shape.keep_units) + ID_BYTES,
        PREDICTIONS.full_name: ID_BYTES + 6 * DOUBLE + FLOAT * shape.n_labels,
        ATTRIBUTIONS.full_name: ID_BYTES + FLOAT * shape.n_units,
        EXPLANATION_METRICS.full_name: 9 * DOUBLE,  # 11 numbers, of which controls repeat some; ids repeat over methods
        OOD_PREDICTIONS.full_name: DOUBLE + 4,  # confidence; ids repeat over cells, labels take bits
    }
