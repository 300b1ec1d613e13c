"""What are the columns of a table called? Its first line, or what its first records hold, is read."""

from __future__ import annotations

import csv
import json
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

DELIMITERS = {".csv": ",", ".tsv": "\t"}
FIRST_RECORDS = 100  # of JSON lines: keys that only later records have are not seen


def header_of(path: Path) -> list[str]:
    """Column names of a CSV, TSV, JSON lines or Parquet file; none where it cannot be read, for then it is no table."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            return list(pq.read_schema(path).names)
        with path.open(encoding="utf-8-sig", newline="") as handle:
            if suffix == ".jsonl":
                return list(dict.fromkeys(key for line in islice(handle, FIRST_RECORDS) for key in _keys(line)))
            return next(csv.reader(handle, delimiter=DELIMITERS[suffix]), [])
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException):
        return []


def _keys(line: str) -> list[str]:
    """None for a line that is no JSON object: the run rejects it, and its neighbours may be whole."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return []
    return list(value) if isinstance(value, dict) else []
