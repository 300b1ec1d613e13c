"""Do the verbs of exemplars keep their laws: a row per example and rank, nothing of what is withdrawn, no true label among features?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lake.rows import Identity
from models.stored_vectors import HALF, vectors_of
from silver.exemplars.exemplify import exemplify
from silver.exemplars.plan import ExemplarPlan
from silver.exemplars.support import metrics_of, support
from silver.specs import PROVENANCE
from tests.unit.silver.exemplar_rows import ALL, SLOTS, asking, batch, made, meta_rows, plan_of, training_rows, without
from xai.metrics import METRICS

Row = dict[str, Any]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> ExemplarPlan:
    return made(plan_of(tmp_path_factory.mktemp("verbs"), SLOTS, ALL))


def rows_of(plan: ExemplarPlan, place: int, rows: Sequence[Row] | None = None) -> list[Row]:
    given = batch(list(meta_rows() if rows is None else rows), plan.settings.k)
    return [row for one in exemplify(iter([given]), asking(plan, plan.heads[place])) for row in one.to_pylist()]


HEADS = pytest.mark.parametrize("place", [0, 1, 2], ids=["knn", "class_conditional", "two_branch"])


@HEADS
def test_every_example_and_rank_has_its_row_and_one_without_an_embedding_its_reason(world: ExemplarPlan, place: int) -> None:
    rows = rows_of(world, place)
    assert sorted((row["example_id"], row["rank"]) for row in rows) == [(f"m{n}", rank) for n in range(6) for rank in range(1, 6)]
    assert {row["example_id"] for row in rows if row["error_code"]} == {"m5"}
    assert {row["error_code"] for row in rows if row["example_id"] == "m5"} == {"embedding_missing"}
    good = [row for row in rows if row["error_code"] is None]
    assert all(0 <= row["probability"] <= 1 for row in good)
    for row in good:
        there = row["train_example_id"] is not None
        assert there == (row["same_class"] is not None) == (row["train_label_id"] is not None) == (row["distance"] is not None)
        assert there == (row["probability"] > 0)


@HEADS
def test_a_row_says_what_its_training_example_is(world: ExemplarPlan, place: int) -> None:
    train = {row["example_id"]: row for row in training_rows()}
    meta = {row["example_id"]: row for row in meta_rows()}
    for row in rows_of(world, place):
        if row["train_example_id"] is not None:
            example, exemplar = meta[row["example_id"]], train[row["train_example_id"]]
            assert row["train_label_id"] == exemplar["label_id"] and row["same_class"] == (exemplar["label_id"] == example["label_id"])
            x, y = (vectors_of([one["pooled"]])[0] for one in (example, exemplar))
            assert row["distance"] == pytest.approx(1 - x @ y / np.linalg.norm(x) / np.linalg.norm(y), abs=1e-12)


def test_where_a_class_has_one_example_the_other_ranks_stand_empty(world: ExemplarPlan) -> None:
    only = [row for row in rows_of(world, 1) if row["predicted_id"] == 2]
    assert {row["example_id"] for row in only} == {"m4"}  # of the third direction
    assert [row["train_example_id"] for row in only] == ["t11", None, None, None, None]
    assert [row["probability"] for row in only] == [1.0, 0.0, 0.0, 0.0, 0.0]


@HEADS
def test_the_rows_of_an_example_are_the_same_beside_any_others(world: ExemplarPlan, place: int) -> None:
    alone = [row for one in meta_rows()[::-1] for row in rows_of(world, place, [one])]
    key = lambda row: (row["example_id"], row["rank"])  # noqa: E731  # one line beside its use
    assert sorted(alone, key=key) == sorted(rows_of(world, place), key=key)


@HEADS
def test_only_wanted_ranks_are_given_and_fewer_ranks_are_the_first(world: ExemplarPlan, place: int) -> None:
    one = batch(meta_rows()[:1]).to_pylist()[0] | {"todo": [3, 1]}
    given = pa.RecordBatch.from_pylist([one], schema=batch([]).schema)
    (found,) = exemplify(iter([given]), asking(world, world.heads[place]))
    whole = {row["rank"]: row for row in rows_of(world, place) if row["example_id"] == "m0"}
    assert found.to_pylist() == [whole[4], whole[2]]


@HEADS
def test_a_withdrawn_example_is_named_no_more_and_others_only_gain_its_share(world: ExemplarPlan, place: int) -> None:
    before = rows_of(world, place)
    gone = next(row["train_example_id"] for row in before if row["example_id"] == "m0" and row["rank"] == 2)
    after = {(row["example_id"], row["rank"]): row for row in rows_of(without(world, gone), place)}
    assert gone not in {row["train_example_id"] for row in after.values()}
    touched = {row["example_id"] for row in before if row["train_example_id"] == gone}
    assert "m0" in touched and len(touched) < 5
    for row in before:
        now = after[row["example_id"], row["rank"]]
        assert row["predicted_id"] == now["predicted_id"]
        if row["error_code"] is None and row["example_id"] not in touched:
            assert now | {"probability": 0} == row | {"probability": 0}
            assert row["probability"] <= now["probability"] + 1e-7  # float32 sums
    ranks = [row["train_example_id"] for row in before if row["example_id"] == "m0" and row["train_example_id"] != gone]
    assert [after["m0", rank]["train_example_id"] for rank in range(1, len(ranks) + 1)] == ranks


def test_where_every_example_of_a_class_is_withdrawn_nothing_is_named(world: ExemplarPlan) -> None:
    only = [row for row in rows_of(without(world, "t11"), 1) if row["predicted_id"] == 2]
    assert len(only) == 5 and all(row["train_example_id"] is None and row["probability"] == 0 for row in only)
    assert all(row["error_code"] is None for row in only)


@HEADS
def test_a_vector_that_is_no_number_is_rejected_and_its_neighbours_are_not(world: ExemplarPlan, place: int) -> None:
    bad = np.array([1.0, np.inf, 0.0, 0.0]).astype(HALF).tobytes()
    rows = rows_of(world, place, [meta_rows()[0], meta_rows()[1] | {"pooled": bad}])
    assert [(row["example_id"], row["error_code"]) for row in rows] == [("m0", None)] * 5 + [("m1", "nonfinite")] * 5


RANKS = [
    {"rank": rank, "train_label_id": label, "probability": p, "distance": distance}
    for rank, label, p, distance in ((1, 0, 0.4, 0.1), (2, 0, 0.2, 0.3), (3, 1, 0.2, 0.2), (4, None, 0.0, None))
]


def test_the_metrics_of_a_row_by_hand() -> None:
    found = metrics_of(RANKS, 0)
    # shares 1/2, 1/4, 1/4, 0: 1.5 bits of the 2 that four places can have; two of three are of class 0
    assert found == {
        "exemplar_entropy": pytest.approx(0.75),
        "exemplar_agreement": pytest.approx(2 / 3),
        "exemplar_distance": 0.1,
        "exemplar_probability": 0.4,
    }
    assert metrics_of(RANKS, 1)["exemplar_agreement"] == pytest.approx(1 / 3) and metrics_of(RANKS, 7)["exemplar_agreement"] == 0.0
    assert set(found) == {metric.name for metric in METRICS if metric.category == PROVENANCE}
    nobody = [one | {"train_label_id": None, "probability": 0.0, "distance": None} for one in RANKS]
    assert metrics_of(nobody, 0) == dict.fromkeys(found)


def test_support_is_of_the_answer_of_each_adapter_and_says_what_is_missing() -> None:
    variants = tuple({"adapter_id": name, "method": "slots", "metric_group": PROVENANCE} for name in ("x", "y"))
    told = [{"adapter_id": "x", "predicted_id": 0}, {"adapter_id": "y", "predicted_id": 1}]
    more = [*RANKS[::-1], RANKS[0] | {"rank": 5, "probability": 0.9}]  # a rank of an earlier, larger k
    rows = [
        {"example_id": "m0", "exemplars": more, "predicted": told, "todo": [0, 1]},
        {"example_id": "m1", "exemplars": RANKS, "predicted": told[:1], "todo": [1, 0]},
        {"example_id": "m2", "exemplars": None, "predicted": told, "todo": [1]},
        {"example_id": "m3", "exemplars": RANKS, "predicted": None, "todo": [0]},
    ]
    schema = pa.schema([
        ("example_id", pa.string()),
        ("exemplars", pa.list_(pa.struct([
            ("rank", pa.int32()), ("train_label_id", pa.int32()), ("probability", pa.float64()), ("distance", pa.float64())
        ]))),
        ("predicted", pa.list_(pa.struct([("adapter_id", pa.string()), ("predicted_id", pa.int32())]))),
        ("todo", pa.list_(pa.int32())),
    ])  # fmt: skip
    given = pa.RecordBatch.from_pylist(rows, schema=schema)
    found = [row for one in support(iter([given]), Identity("d", "s", variants), 4) for row in one.to_pylist()]
    assert [(row["example_id"], row["adapter_id"], row["error_code"]) for row in found] == [
        ("m0", "x", None), ("m0", "y", None), ("m1", "y", "prediction_missing"), ("m1", "x", None), ("m2", "y", "exemplar_missing"),
        ("m3", "x", "prediction_missing"),
    ]  # fmt: skip
    assert dict(found[0]["metrics"]) == metrics_of(RANKS, 0) and dict(found[1]["metrics"]) == metrics_of(RANKS, 1)
    assert {row["method"] for row in found} == {"slots"} and {row["metric_group"] for row in found} == {PROVENANCE}
