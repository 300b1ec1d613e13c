"""Is there a lake already, can it be written, and what is in it? Without Spark."""

from __future__ import annotations

import os
from pathlib import Path
from shutil import disk_usage

from lake.format import FILE
from pipelines.check.findings import Checked, near
from pipelines.exits import CONFIG
from pipelines.sql.duck import exists, lake_format
from pipelines.status import size_text
from pipelines.tables import TABLES


def check_lake(lake: str | None, checked: Checked) -> None:
    """Row `lake`. Raises ContractError for a lake of a newer format and for a damaged table, as the run would."""
    if lake is None:
        checked.add("lake", "none named", "give --lake DIR to `assay run`, or add `lake:` to the configuration")
        return
    if "://" in lake:
        checked.add("lake", f"{lake}: object stores are not looked at here")
        return
    root = Path(lake).absolute()
    there = next(path for path in (root, *root.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        checked.add(
            "lake", f"{near(str(root))}: {there} cannot be written", "name a folder that can be written with --lake or `lake:`", CONFIG
        )
        return
    free = size_text(disk_usage(there).free)
    if not (root / FILE).is_file():
        checked.add("lake", f"{near(str(root))}: made by the first run, {free} free")
        return
    n_tables = sum(exists(str(root), table) for table in TABLES)
    checked.add(
        "lake", f"{near(str(root))}: format {lake_format(str(root))}, {n_tables} tables, {free} free; only what is missing is computed"
    )
