"""How many bytes does a row of a table take on disk? Measured in the lake where it has rows, else foretold from its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from bronze.specs import EMBEDDINGS, EXAMPLES, SHIFTED
from lake.spec import Table
from ood.specs import ATTACKED_TEXTS
from ood.specs import PREDICTIONS as OOD_PREDICTIONS
from pipelines.sql.duck import exists, opened
from silver.specs import ATTRIBUTIONS, EXPLANATION_METRICS, OUTSIDE_PREDICTIONS, PREDICTIONS, PRIORS

ENOUGH_ROWS = 200  # below that a file's footer outweighs its rows
ID_BYTES = 40  # an example's id: 32 characters that do not compress, their length, and notes that hardly vary
DOUBLE, FLOAT, HALF = 8, 4, 2


@dataclass(frozen=True)
class Shape:
    """What the widths of rows depend on: numbers of labels and units, width of an embedding, whether units are stored, picture bytes, and
    the share of attributions whose values have an error each."""

    n_labels: int
    n_units: int
    dim: int
    keep_units: bool
    picture_bytes: float
    drawn_share: float = 0.0


def stored_row_bytes(root: str, table: Table, dataset: str, settings_id: str) -> float | None:
    """Bytes per row of one dataset's and generation's current files, None where they are absent, few, or behind an address.

    A file counts when the log says that all of its rows are of this dataset (by partition or statistics) and, where it has statistics of
    settings_id, of this generation: rows of another backbone or set of labels are of another width.
    """
    if "://" in root or not exists(root, table):
        return None
    actions: Any = pa.table(opened(root, table).get_add_actions(flatten=True))
    if "num_records" not in actions.column_names:
        return None
    files = [
        file for file in actions.to_pylist() if _holds_only(file, "dataset", dataset) and _holds_only(file, "settings_id", settings_id)
    ]
    counts = [file["num_records"] for file in files]
    n_rows = 0 if None in counts else sum(counts)
    return sum(file["size_bytes"] for file in files) / n_rows if n_rows >= ENOUGH_ROWS else None


def _holds_only(file: Mapping[str, Any], column: str, value: str) -> bool:
    """True when a file's partition or statistics say that the column has this one value. Without statistics a settings_id may be any."""
    if (partition := file.get(f"partition.{column}")) is not None:
        return bool(partition == value)
    low, high = file.get(f"min.{column}"), file.get(f"max.{column}")
    if low is None and high is None:
        return column == "settings_id"
    return low == high == value


def foretold_row_bytes(shape: Shape) -> dict[str, float]:
    """Table -> bytes per row: what does not repeat from row to row; the rest vanishes in Parquet's dictionaries.

    Within 15 % of the demo's files. 1,008 rows of digits_full took 163 bytes a prediction and 139 an attribution where 128 and 104 are
    foretold: files of few rows carry more of their own (docs/decisions/0010).
    """
    predicted = ID_BYTES + 6 * DOUBLE + FLOAT * shape.n_labels
    return {
        EXAMPLES.full_name: shape.picture_bytes + 2.5 * ID_BYTES,  # a row here and one in bronze.references, which has the path too
        SHIFTED.full_name: shape.picture_bytes + 2 * ID_BYTES,
        EMBEDDINGS.full_name: HALF * shape.dim * (1 + shape.n_units * shape.keep_units) + ID_BYTES,
        PREDICTIONS.full_name: predicted,
        OUTSIDE_PREDICTIONS.full_name: predicted,
        ATTRIBUTIONS.full_name: ID_BYTES + FLOAT * shape.n_units * (1 + shape.drawn_share),
        EXPLANATION_METRICS.full_name: 9 * DOUBLE,  # 11 numbers, of which controls repeat some; ids repeat over methods
        OOD_PREDICTIONS.full_name: DOUBLE + 4,  # confidence; ids repeat over cells, labels take bits
    }


@dataclass(frozen=True)
class TextShape:
    """What the widths of rows of texts depend on: numbers of labels, mean words and bytes of a text, width of an embedding, and whether
    word vectors are stored."""

    n_labels: int
    n_words: float
    dim: int
    keep_units: bool
    text_bytes: float


def text_row_bytes(shape: TextShape) -> dict[str, float]:
    """Table -> bytes per row. The words of a text repeat from method to method and take no room; their values and errors do."""
    base = foretold_row_bytes(Shape(shape.n_labels, 0, shape.dim, False, shape.text_bytes))
    return base | {
        EMBEDDINGS.full_name: HALF * shape.dim * (1 + shape.n_words * shape.keep_units) + ID_BYTES,
        ATTRIBUTIONS.full_name: ID_BYTES / 2 + 2 * FLOAT * shape.n_words + DOUBLE,
        PRIORS.full_name: ID_BYTES / 2 + (DOUBLE + FLOAT) * shape.n_words + 2 * DOUBLE,
        ATTACKED_TEXTS.full_name: ID_BYTES / 4 + shape.text_bytes,
    }
