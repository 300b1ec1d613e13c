"""How are the files of a table in a local folder read without Spark?"""

from __future__ import annotations

import pyarrow.dataset
from deltalake import DeltaTable
from pyarrow.fs import LocalFileSystem, SubTreeFileSystem


def local_dataset(table: DeltaTable, folder: str) -> pyarrow.dataset.Dataset:
    """A table in a local folder, to be read through Arrow's own file system.

    deltalake's own is written in Python. Arrow leaves reading threads behind (read-ahead, a LIMIT, files being closed), and those met an
    interpreter that was ending: "terminate called without an active exception", exit code -6, after the answer.
    """
    return table.to_pyarrow_dataset(filesystem=SubTreeFileSystem(folder, LocalFileSystem()))
