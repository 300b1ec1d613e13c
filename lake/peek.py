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
    from deltalake import DeltaTable
    from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

    # Arrow's own file system: deltalake's is written in Python, and its reading threads have aborted the process as it ended
    folder = SubTreeFileSystem(lake.path(table), LocalFileSystem())
    return DeltaTable(lake.path(table)).to_pandas(filters=[("dataset", "=", dataset)], filesystem=folder)
