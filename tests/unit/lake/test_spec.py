"""Does a table's record say the same in Arrow, DDL and constraints, and refuse names that could reach into SQL?"""

from __future__ import annotations

import pyarrow as pa
import pytest

from lake.errors import ContractError
from lake.rows import ERROR_COLUMNS, Identity, batch_of, wanted_by
from lake.spec import Column, Table, arrow_type

TOY = Table(
    "silver", "toy", "A toy.", ("dataset", "n"),
    (
        Column("dataset", "string", "which"),
        Column("n", "int", "a number", low=0, high=5),
        Column("kind", "string", "a kind", allowed=("x", "y")),
        Column("share", "double", "a share", low=0.0, high=1.0, nullable=False),
        Column("when_at", "timestamp", "a time", volatile=True),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("int", pa.int32()),
        ("bigint", pa.int64()),
        ("array<float>", pa.list_(pa.float32())),
        ("map<string,double>", pa.map_(pa.string(), pa.float64())),
        ("array<array<string>>", pa.list_(pa.list_(pa.string()))),
    ],
)
def test_spark_types_have_their_arrow_twins(name: str, expected: pa.DataType) -> None:
    assert arrow_type(name) == expected


def test_a_type_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(ContractError, match="type 'decimal' is not one of string, int"):
        arrow_type("decimal")


def test_schema_ddl_and_stable_columns_follow_the_columns() -> None:
    assert TOY.arrow_schema([("more", "string")]).names == ["dataset", "n", "kind", "share", "when_at", "more"]
    assert TOY.ddl([("more", "string")]) == "`dataset` string, `n` int, `kind` string, `share` double, `when_at` timestamp, `more` string"
    assert TOY.stable_columns == ("dataset", "n", "kind", "share")


def test_a_constraint_lets_null_pass_where_null_is_allowed_and_only_there() -> None:
    assert TOY.constraints() == {
        "n_range": "n >= 0 AND n <= 5",  # a key: never null
        "kind_range": "kind IS NULL OR (kind IN ('x', 'y'))",
        "share_range": "share >= 0.0 AND share <= 1.0",
    }


@pytest.mark.parametrize("name", ["a;b", "a`b", "a'b", "A", "1a", "a b", "", "a" * 65, "../a"])
def test_names_that_could_reach_into_sql_are_refused(name: str) -> None:
    with pytest.raises(ContractError, match="must match"):
        Table("silver", name, "", (), ())
    with pytest.raises(ContractError, match="must match"):
        Table("silver", "toy", "", (), (Column(name, "string", ""),))


def test_a_layer_key_or_column_that_does_not_fit_is_refused() -> None:
    one = Column("a", "string", "")
    with pytest.raises(ContractError, match="layer 'platinum' must be one of"):
        Table("platinum", "toy", "", (), (one,))
    with pytest.raises(ContractError, match="stands twice"):
        Table("silver", "toy", "", (), (one, one))
    with pytest.raises(ContractError, match="names no column: b"):
        Table("silver", "toy", "", ("b",), (one,))
    with pytest.raises(ContractError, match="quote or backslash"):
        Column("a", "string", "", allowed=("x' OR '1' = '1",)).check()


def test_rows_become_a_batch_in_which_what_is_missing_is_null() -> None:
    made = batch_of(TOY, [{"dataset": "d", "n": 1, "share": float("nan")}, {"n": 2, "error_code": "nonfinite"}])
    assert made.schema == TOY.arrow_schema(ERROR_COLUMNS)
    assert made.column("kind").null_count == 2
    assert made.column("share").null_count == 1  # NaN is a value, null is none


def test_wanted_rows_are_those_with_a_variant_of_the_value_still_to_do() -> None:
    variants = ({"adapter_id": "a", "m": "x"}, {"adapter_id": "a", "m": "y"}, {"adapter_id": "b", "m": "x"})
    batch = pa.RecordBatch.from_pydict({"todo": pa.array([[0, 1, 2], [1], [2], [], [0, 1, 2]], pa.list_(pa.int32()))})
    assert wanted_by(batch, Identity("d", "s", variants), "adapter_id", ["a", "b"]) == {"a": [0, 1, 4], "b": [0, 2, 4]}
    assert wanted_by(batch, Identity("d", "s", variants), "adapter_id", ["b"]) == {"b": [0, 2, 4]}


GROWN = Table(
    "silver", "toy", "A toy.", ("dataset",),
    (
        Column("dataset", "string", "which"),
        Column("n", "int", "a number"),
        Column("error", "double", "of the number", added=True),
        Column("errors", "array<float>", "of its parts", added=True),
    ),
)  # fmt: skip


def test_a_table_made_before_a_column_was_added_lacks_just_that() -> None:
    old, newer = [("dataset", "string"), ("n", "int")], [("dataset", "string"), ("n", "int"), ("error", "double")]
    assert [column.name for column in GROWN.lacking(old)] == ["error", "errors"]
    assert [column.name for column in GROWN.lacking(newer)] == ["errors"]
    assert GROWN.lacking([(column.name, column.type) for column in GROWN.columns]) == ()


@pytest.mark.parametrize(
    "found",
    [
        [("dataset", "string")],  # n was there from the beginning
        [("dataset", "string"), ("n", "bigint")],
        [("dataset", "string"), ("n", "int"), ("errors", "array<float>")],
        [("dataset", "string"), ("n", "int"), ("error", "double"), ("errors", "array<float>"), ("more", "int")],
        [],
    ],
    ids=["missing", "type", "order", "more", "nothing"],
)
def test_other_columns_than_the_specs_are_refused_with_the_difference(found: list[tuple[str, str]]) -> None:
    with pytest.raises(ContractError, match=r"silver\.toy: the columns on disk are not those"):
        GROWN.lacking(found)


@pytest.mark.parametrize(
    "columns",
    [
        (Column("dataset", "string", ""), Column("new", "int", "", added=True), Column("n", "int", "")),
        (Column("dataset", "string", ""), Column("new", "int", "", added=True, nullable=False)),
        (Column("dataset", "string", ""), Column("new", "int", "", added=True, low=0)),
        (Column("dataset", "string", "", added=True),),
    ],
    ids=["between", "never null", "range", "key"],
)
def test_a_column_can_be_added_only_last_nullable_and_without_a_range(columns: tuple[Column, ...]) -> None:
    with pytest.raises(ContractError, match="added columns must stand last"):
        Table("silver", "toy", "", ("dataset",), columns)
