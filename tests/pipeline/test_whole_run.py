"""Does a run from raw files to gold leave what the contracts promise: every row accounted for, every fault with its code?"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from deltalake import DeltaTable

from bronze.specs import EMBEDDINGS, EXAMPLES, REFERENCES
from bronze.specs import REJECTED as BRONZE_REJECTED
from gold import TABLES as GOLD
from gold.forecast.tables import TABLES as FORECASTS
from lake.audit import CELLS, REJECTED
from lake.spec import Table, arrow_type
from ood.specs import PREDICTIONS as OOD_PREDICTIONS
from silver.specs import ADAPTERS, ATTRIBUTIONS, EXPLANATION_METRICS, PREDICTIONS
from tests.conftest import Built
from tests.lakes import (
    GOOD_FOREIGN,
    IGNORED,
    N_DIGITS,
    N_EXAMPLES,
    RECIPES,
    REJECTED_ADAPTERS,
    REJECTED_PICTURES,
    SAME_FOREIGN,
    present,
    rows_of,
    stored,
    table_folder,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

N_ADAPTERS = len(RECIPES) + 1  # and the one foreign adapter that computes something else
STAGES = {
    # table -> rows per meta example and adapter
    PREDICTIONS: 1,
    ATTRIBUTIONS: 1,  # attention
    EXPLANATION_METRICS: 4,  # default: attention, random, reverse; ki: attention
    OOD_PREDICTIONS: 7,  # clean, two corruptions at three severities
}


def n_meta(built: Built) -> int:
    return sum(row["split"] == "meta" for row in rows_of(built.root, EXAMPLES))


def adapters(built: Built) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in rows_of(built.root, ADAPTERS)}


def test_every_file_is_an_example_a_rejected_row_or_counted_as_ignored(built: Built, sources: Any) -> None:
    n_files = sum(1 for path in sources.rglob("*") if path.is_file())
    references = stored(built.root, REFERENCES).num_rows
    rejected = stored(built.root, BRONZE_REJECTED).num_rows
    assert references + rejected + built.outcome.ignored == n_files
    assert (references, rejected, built.outcome.ignored) == (N_DIGITS, len(REJECTED_PICTURES), IGNORED)  # 119 + one copy


def test_each_bad_picture_is_rejected_with_its_code_and_its_neighbours_are_not(built: Built) -> None:
    rows = rows_of(built.root, BRONZE_REJECTED)
    assert {row["source_path"]: row["error_code"] for row in rows} == REJECTED_PICTURES
    assert all(row["message"] for row in rows)
    assert stored(built.root, EXAMPLES).num_rows == N_EXAMPLES
    assert built.trained.tables["bronze.examples"]["rows_rejected"] == len(REJECTED_PICTURES)


def test_one_content_at_two_paths_is_one_example_with_two_references(built: Built) -> None:
    found = rows_of(built.root, REFERENCES)
    twice = [example for example, n in Counter(row["example_id"] for row in found).items() if n == 2]
    assert len(twice) == 1
    paths = sorted(row["source_path"] for row in found if row["example_id"] == twice[0])
    assert paths == ["5/copy-of-five.png", "5/digit-005.png"]
    example = next(row for row in rows_of(built.root, EXAMPLES) if row["example_id"] == twice[0])
    assert example["source_path"] == "5/copy-of-five.png"  # the first in code-point order


def test_every_folder_offered_is_an_adapter_with_a_status(built: Built) -> None:
    found = adapters(built)
    assert set(found) == {recipe["name"] for recipe in RECIPES} | {GOOD_FOREIGN} | set(REJECTED_ADAPTERS)
    for name, code in REJECTED_ADAPTERS.items():
        assert found[name]["status"] == "rejected" and found[name]["reason"].startswith(f"{code}: "), found[name]
    for name in (*(recipe["name"] for recipe in RECIPES), GOOD_FOREIGN):
        assert found[name]["status"] == "ready", found[name]["reason"]
    audited = {json.loads(row["key"])["adapter_id"]: row["error_code"] for row in rows_of(built.root, REJECTED)}
    assert audited == {found[name]["adapter_id"]: code for name, code in REJECTED_ADAPTERS.items()}


def test_a_foreign_copy_of_a_trained_adapter_is_that_adapter_and_takes_nothing_from_it(built: Built) -> None:
    own = adapters(built)["r2-s0"]
    assert SAME_FOREIGN not in adapters(built)
    assert own["accuracy"] is not None and own["recipe_sha256"]  # known from the training, not from the copy


def test_a_foreign_adapter_tells_what_it_can_and_no_more(built: Built) -> None:
    found = adapters(built)[GOOD_FOREIGN]
    assert (found["rank"], found["use_dora"], found["labels"]) == (2, True, [str(n) for n in range(10)])
    assert (found["recipe"], found["recipe_sha256"], found["accuracy"]) == (None, None, None)
    assert "no_manifest" in found["reason"]


@pytest.mark.parametrize("table", STAGES, ids=lambda table: table.full_name)
def test_rows_and_rejected_rows_of_a_stage_are_exactly_the_product_of_its_left_hand_sides(built: Built, table: Table) -> None:
    refused = sum(row["table_name"] == table.full_name for row in rows_of(built.root, REJECTED))
    assert stored(built.root, table).num_rows + refused == n_meta(built) * N_ADAPTERS * STAGES[table]


def test_embeddings_stand_for_every_example(built: Built) -> None:
    assert {row["example_id"] for row in rows_of(built.root, EMBEDDINGS)} == {row["example_id"] for row in rows_of(built.root, EXAMPLES)}


def test_the_clean_rows_of_ood_say_what_silver_says(built: Built) -> None:
    # Two stages, one model: the same padded batches give the same bits.
    key = ("example_id", "adapter_id")
    clean = [row for row in rows_of(built.root, OOD_PREDICTIONS) if row["corruption"] == "none"]
    silver = {tuple(row[name] for name in key): row for row in rows_of(built.root, PREDICTIONS)}
    assert len(clean) == len(silver) > 0
    for row in clean:
        twin = silver[tuple(row[name] for name in key)]
        assert (row["predicted_id"], row["is_correct"], row["flipped"], row["severity"]) == (
            twin["predicted_id"],
            twin["is_correct"],
            False,
            0,
        )
        assert row["confidence"] == pytest.approx(twin["confidence"], abs=1e-12)  # two formulas of one softmax in float64


def test_silver_and_ood_were_committed_in_more_than_one_chunk(built: Built) -> None:
    # else the laws about chunks would be tested on a lake that has none
    assert built.outcome.tables["silver.explanation_metrics"]["version_after"] >= 2  # 0 created the table
    assert built.outcome.tables["ood.predictions"]["version_after"] >= 2


def test_the_ledger_says_what_counting_says(built: Built) -> None:
    cells = rows_of(built.root, CELLS)
    assert all(row["n_done"] == row["n_expected"] for row in cells)
    counted: Counter[tuple[str, str, str, int, str]] = Counter()
    for table in (*STAGES, ADAPTERS, EMBEDDINGS, EXAMPLES, *(gold.spec for gold in GOLD), *FORECASTS):
        for row in rows_of(built.root, table):
            cell = (row.get("adapter_id", "*"), row.get("corruption", "*"), row.get("severity", 0))
            own = cell if table in (*STAGES, ADAPTERS) else ("*", "*", 0)
            counted[(table.full_name, *own, row["settings_id"])] += 1
    names = ("table_name", "adapter_id", "corruption", "severity", "settings_id")
    known = {tuple(row[name] for name in names): row["n_done"] for row in cells}
    assert {key: n for key, n in known.items() if n} == dict(counted)


def test_every_table_of_the_run_is_on_disk_as_its_spec_says(built: Built) -> None:
    for table in present(built.root):
        log = (table_folder(built.root, table) / "_delta_log" / f"{0:020}.json").read_text()
        metadata = next(json.loads(line)["metaData"] for line in log.splitlines() if '"metaData"' in line)
        fields = json.loads(metadata["schemaString"])["fields"]
        assert metadata["description"] == table.comment
        assert metadata["partitionColumns"] == list(table.partition_by)
        assert [(f["name"], f["nullable"], f["metadata"]["comment"]) for f in fields] == [
            (column.name, not table.required(column), column.comment) for column in table.columns
        ]
        constraints = {name: value for name, value in metadata["configuration"].items() if name.startswith("delta.constraints.")}
        assert constraints == {f"delta.constraints.{name}": condition for name, condition in table.constraints().items()}


def test_every_table_has_the_specs_types_and_no_key_twice(built: Built) -> None:
    for table in present(built.root):
        found = stored(built.root, table)
        assert [(field.name, field.type) for field in found.schema] == [(c.name, arrow_type(c.type)) for c in table.columns], (
            table.full_name
        )
        keys = Counter(zip(*(found[name].to_pylist() for name in table.key), strict=True))
        assert not [key for key, n in keys.items() if n > 1], table.full_name


def test_readers_without_spark_read_the_same_rows_as_spark(built: Built, spark: SparkSession) -> None:
    gold = [table for table in present(built.root) if table.layer == "gold"]
    for table in present(built.root):
        path = str(table_folder(built.root, table))
        assert DeltaTable(path).protocol().min_reader_version == 1, table.full_name
        if table in gold[3:]:
            continue  # one way of writing them all: three stand for the rest, at half a second each
        names = [column.name for column in table.columns if not column.type.startswith(("map", "timestamp"))]
        theirs = spark.read.format("delta").load(path).select(*names).toArrow()
        ours = stored(built.root, table).select(names)
        assert sorted(map(repr, theirs.to_pylist())) == sorted(map(repr, ours.to_pylist())), table.full_name


def test_gold_says_of_each_adapter_and_cell_what_counting_its_predictions_says(built: Built) -> None:
    degradation = next(gold.spec for gold in GOLD if gold.spec.name == "degradation")
    right: dict[tuple[str, str, int], list[bool]] = {}
    for row in rows_of(built.root, OOD_PREDICTIONS):
        right.setdefault((row["adapter_id"], row["corruption"], row["severity"]), []).append(row["is_correct"])
    for row in rows_of(built.root, degradation):
        answers = right[(row["adapter_id"], row["corruption"], row["severity"])]
        assert row["n"] == len(answers)
        assert row["accuracy"] == pytest.approx(sum(answers) / len(answers), abs=1e-12)
