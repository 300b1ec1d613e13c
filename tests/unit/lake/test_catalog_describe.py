"""Do meta.tables and meta.columns say what the specs say? Is a lake of a newer format refused?"""

from __future__ import annotations

import pyarrow as pa
import pytest

from lake.audit import META_COLUMNS, META_TABLES
from lake.catalog import View
from lake.describe import column_rows, table_rows
from lake.door import FORMAT_VERSION
from lake.errors import ContractError
from lake.format import known_format
from lake.spec import Column, Table
from pipelines.tables import TABLES, VIEWS

ONE = Table(
    "ood", "one", "what a row is", ("k",),
    (Column("k", "string", "key"), Column("x", "double", "a share", unit="share", low=0.0, high=1.0, volatile=True)), ("k",),
)  # fmt: skip
WIDE = View("gold", "wide", "wide form", "SELECT 1", "SELECT 1", ())


def test_tables_and_views_stand_side_by_side_in_key_order():
    assert table_rows([ONE], [WIDE]) == [
        ("gold.wide", "view", "wide form", [], []),
        ("ood.one", "table", "what a row is", ["k"], ["k"]),
    ]


def test_columns_have_position_unit_range_key_and_volatility():
    assert column_rows([ONE]) == [
        ("ood.one", "k", 0, "string", "key", "", "", True, False),
        ("ood.one", "x", 1, "double", "a share", "share", "x >= 0.0 AND x <= 1.0", False, True),
    ]


@pytest.mark.parametrize(("table", "rows"), [(META_TABLES, table_rows(TABLES, VIEWS)), (META_COLUMNS, column_rows(TABLES))])
def test_the_rows_fit_the_meta_tables_and_their_keys_are_unique(table: Table, rows: list[tuple[object, ...]]):
    named = [dict(zip(table.column_names, row, strict=True)) for row in rows]
    stored = pa.Table.from_pylist(named, schema=table.arrow_schema())
    assert stored.select(list(table.key)).group_by(list(table.key)).aggregate([]).num_rows == len(rows) > 0
    assert not any(stored.column(column.name).null_count for column in table.columns if table.required(column))


def test_the_format_of_this_version_is_known():
    assert known_format('{"format": 1}', "m") == 1 <= FORMAT_VERSION


def test_a_newer_format_is_refused_with_what_to_do():
    with pytest.raises(ContractError, match=rf"at most {FORMAT_VERSION} .* found {FORMAT_VERSION + 1}.*Upgrade Assay"):
        known_format(f'{{"format": {FORMAT_VERSION + 1}, "else": 1}}', "m")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": "1"}', '{"format": true}', '{"format": 0}', '{"format": 1.0}'])
def test_a_mark_that_says_no_format_is_refused_and_shown(text: str):
    with pytest.raises(ContractError, match="must be JSON like"):
        known_format(text, "m")
