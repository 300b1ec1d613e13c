"""How does a gold table leave this layer? Its record, the columns many tables share, and the cast to exactly its spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from gold.frames import Frames
from lake.spec import SETTINGS, Column, Table

N = Column("n", "bigint", "rows the figures of this row rest on", unit="rows", low=0)
REASON = Column("reason", "string", "why figures of this row are null; null when all are there")
TAIL = (N, REASON, SETTINGS)

_NULLABLE = {"int": pd.Int32Dtype(), "bigint": pd.Int64Dtype(), "boolean": pd.BooleanDtype()}


@dataclass(frozen=True)
class GoldTable:
    """One gold table: what leaves (`spec`), how it is made (`build`), and whether it reads rows or only aggregates."""

    spec: Table
    build: Callable[[Frames], pd.DataFrame]
    needs_rows: bool = False


def share(name: str, comment: str) -> Column:
    """A column in [0, 1]."""
    return Column(name, "double", comment, unit="share", low=0.0, high=1.0)


def signed(name: str, comment: str, unit: str = "") -> Column:
    """A column in [-1, 1]: correlations, and differences of shares."""
    return Column(name, "double", comment, unit=unit, low=-1.0, high=1.0)


def count(name: str, comment: str) -> Column:
    """A column of whole numbers from 0 up."""
    return Column(name, "bigint", comment, unit="rows", low=0)


def rank_column(comment: str) -> Column:
    """A place in an order: 1 is the first; ties share the smallest place."""
    return Column("rank", "int", comment, low=1)


def interval(of: str, how: str, low: float, high: float) -> tuple[Column, Column]:
    """The two ends of an interval of `of`, named ci_low and ci_high."""
    return (
        Column("ci_low", "double", f"lower end of the interval of {of}: {how}", low=low, high=high),
        Column("ci_high", "double", f"upper end of the interval of {of}: {how}", low=low, high=high),
    )


def as_table(spec: Table, dataset: str, records: pd.DataFrame | Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """The records with exactly the spec's columns and types, sorted by key; settings_id is null until the caller fills it.

    Nulls are NA in integer and boolean columns, NaN in double ones, None in strings and bytes. Raises ValueError when a column of the spec
    is lacking, when there is one the spec does not know, or when a key repeats.
    """
    given = records if isinstance(records, pd.DataFrame) else pd.DataFrame(list(records))
    names = set(spec.column_names) - {"dataset", "settings_id"}
    if len(given) == 0:
        given = pd.DataFrame({name: pd.Series(dtype=object) for name in names})
    if set(given.columns) != names:
        lacking, unknown = sorted(names - set(given.columns)), sorted(set(given.columns) - names)
        raise ValueError(f"{spec.full_name}: columns must be those of its spec; lacking {lacking}, unknown {unknown}")
    full = given.assign(dataset=dataset, settings_id=None)
    frame = pd.DataFrame({column.name: _cast(full[column.name], column.type) for column in spec.columns})
    if frame.duplicated(list(spec.key)).any():
        raise ValueError(f"{spec.full_name}: the key ({', '.join(spec.key)}) must be unique, but repeats: an input frame holds a key twice")
    return frame.sort_values(list(spec.key), ignore_index=True)


def _cast(values: pd.Series[Any], type_name: str) -> pd.Series[Any]:
    if type_name in ("string", "binary"):
        return values.astype(object).where(values.notna(), None)
    if type_name == "double":
        return pd.to_numeric(values, errors="raise").astype("float64")
    return pd.Series(values.astype(object).where(values.notna(), pd.NA), dtype=_NULLABLE[type_name])


def to_arrow(spec: Table, frame: pd.DataFrame) -> pa.Table:
    """The frame as Arrow with the spec's schema; NaN, NA and None become null."""
    return pa.Table.from_pandas(frame, schema=spec.arrow_schema(), preserve_index=False)
