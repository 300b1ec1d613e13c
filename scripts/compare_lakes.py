"""Do two lakes say the same? Keys, labels and texts must be equal, floats within a stated relative difference (and 1e-15); no JVM.

Columns that may differ between equal runs are volatile in their specs and left out, and so are the tables about how the work went.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from lake.local_files import local_dataset
from lake.spec import Table
from pipelines.tables import TABLES

NOT_COMPARED = ("audit.runs", "audit.quality")
# Spark adds doubles in the order of its partitions: sums over rows differ in the last bits (2^-53 relative each).
REL = 1e-12
# A sum that is zero but for rounding has no digits to compare: one rounding of numbers near 1 is 1.1e-16, and this is nine of them.
FLOOR = 1e-15

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Verdict:
    """One table of two lakes: rows in the first one, the largest relative difference of two floats, and what is wrong (empty: nothing)."""

    table: str
    n_rows: int
    difference: float
    problem: str


def compare(left: Path, right: Path, rel: float = REL) -> list[Verdict]:
    """One verdict per table that is in either lake."""
    present = [table for table in TABLES if table.full_name not in NOT_COMPARED and any(_is_table(lake, table) for lake in (left, right))]
    return [_verdict(table, left, right, rel) for table in present]


def _is_table(lake: Path, table: Table) -> bool:
    return (_folder(lake, table) / "_delta_log").is_dir()


def _folder(lake: Path, table: Table) -> Path:
    return lake / table.layer / table.name


def _verdict(table: Table, left: Path, right: Path, rel: float) -> Verdict:
    for lake in (left, right):
        if not _is_table(lake, table):
            return Verdict(table.full_name, 0, 0.0, f"only in one of the lakes: missing in {lake}")
    ours, theirs = _rows(left, table), _rows(right, table)
    if len(ours) != len(theirs):
        return Verdict(table.full_name, len(ours), 0.0, f"{len(ours)} rows and {len(theirs)} rows")
    pairs = list(zip(ours, theirs, strict=True))
    worst = max((difference for pair in pairs for difference in differences(*pair)), default=0.0)
    unlike = [pair for pair in pairs if max(differences(*pair), default=0.0) > rel]
    problem = f"{len(unlike)} rows differ; first: {unlike[0][0]} and {unlike[0][1]}" if unlike else ""
    return Verdict(table.full_name, len(ours), worst, problem)


def _rows(lake: Path, table: Table) -> Rows:
    from deltalake import DeltaTable

    folder = str(_folder(lake, table))
    found = local_dataset(DeltaTable(folder), folder).to_table(columns=list(table.stable_columns)).to_pylist()
    return sorted(found, key=lambda row: tuple(str(row.get(name)) for name in table.key))


def differences(left: object, right: object) -> Iterator[float]:
    """Relative differences of all floats inside two values; infinity for everything else that is not equal."""
    if isinstance(left, float) and isinstance(right, float):
        if left == right or (math.isnan(left) and math.isnan(right)):
            yield 0.0
        else:
            yield _relative(left, right)
    elif isinstance(left, dict) and isinstance(right, dict) and left.keys() == right.keys():
        for name in left:
            yield from differences(left[name], right[name])
    elif isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)) and len(left) == len(right):
        for one, other in zip(left, right, strict=True):
            yield from differences(one, other)
    elif left != right:
        yield math.inf


def _relative(left: float, right: float) -> float:
    """The difference of two unequal floats over the larger one; 0 where it is no more than FLOOR, infinity where one is no number."""
    difference = abs(left - right)
    if difference <= FLOOR:
        return 0.0
    found = difference / max(abs(left), abs(right))
    return math.inf if math.isnan(found) else found  # nan: one of them is nan, or one is infinite


def report(verdicts: list[Verdict]) -> str:
    """One line per table for people."""
    lines = [
        f"{'differs' if found.problem else 'equal'}  {found.table}  {found.n_rows} rows  "
        f"largest relative difference {found.difference:.1e}  {found.problem}".rstrip()
        for found in verdicts
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
