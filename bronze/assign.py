"""To which split and label position does an ingested row belong?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import pyarrow as pa

from bronze.ingest import INGEST_SCHEMA
from bronze.settings import SplitSettings, SplitShares
from bronze.specs import OUTSIDE, PLACES
from bronze.splits import split_of

ASSIGNED_SCHEMA = INGEST_SCHEMA.append(pa.field("split_rank", pa.int32())).append(pa.field("label_id", pa.int32()))


def assign(
    batches: Iterable[pa.RecordBatch],
    labels: Sequence[str],
    splits: SplitSettings,
    split_map: Mapping[str, SplitShares] | None,
    outside: Sequence[str] = (),
) -> Iterator[pa.RecordBatch]:
    """Batches of INGEST_SCHEMA in, the same rows with `split_rank` (position in PLACES) and `label_id` out; null where rejected.

    The ranks are ordered so that the smallest wins where one content stands in two splits: training first, meta last. Labels of
    `outside` are counted behind `labels`, and their rows are `outside` whatever the source's split is.
    """
    position = {label: index for index, label in enumerate((*labels, *outside))}
    for batch in batches:
        kept = [kind == "example" for kind in batch.column("kind").to_pylist()]
        columns = (batch.column(name).to_pylist() for name in ("example_id", "source_split", "label"))
        rows = list(zip(*columns, strict=True))
        ranks = [
            PLACES.index(OUTSIDE if label in outside else split_of(example, splits, source_split, split_map)) if keep else None
            for keep, (example, source_split, label) in zip(kept, rows, strict=True)
        ]
        ids = [position[label] if keep else None for keep, (_, _, label) in zip(kept, rows, strict=True)]
        arrays = [*batch.columns, pa.array(ranks, pa.int32()), pa.array(ids, pa.int32())]
        yield pa.RecordBatch.from_arrays(arrays, schema=ASSIGNED_SCHEMA)
