"""How is a small table read quickly? Without Spark where the lake is a local folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lake.door import Lake
from lake.spec import Table

if TYPE_CHECKING:
    import pandas as pd


def small_frame(lake: Lake, table: Table, dataset: str) -> pd.DataFrame:
    """All rows of one dataset of a table that fits the driver (aggregates, adapters); empty when the table is not there."""
    if "://" in lake.storage.root or not lake.exists(table):
        return lake.read(table).where(f"dataset = '{dataset}'").toPandas()
    import pyarrow.dataset as ds
    from deltalake import DeltaTable

    from lake.local_files import local_dataset

    found = local_dataset(DeltaTable(lake.path(table)), lake.path(table))
    frame: pd.DataFrame = found.to_table(filter=ds.field("dataset") == dataset).to_pandas()
    return frame
