"""A world for tests of exemplars: three directions in four dimensions, of which the third has one training example."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from lake.rows import Identity
from models.stored_vectors import HALF
from silver.exemplars.exemplify import Exemplifying
from silver.exemplars.plan import ExemplarPlan, Head
from silver.exemplars.settings import ExemplarSettings
from silver.exemplars.train import make_head
from silver.exemplars.training_set import collect, fingerprint_of, load

LABELS = ("a", "b", "c")
SIZES = (6, 5, 1)
SLOTS = {"name": "slots", "hidden": 32, "training": {"epochs": 150, "batch_size": 12, "learning_rate": 0.01}}
ALL = {"name": "all", "variant": "two_branch", "hidden": 32, "training": {"epochs": 150, "batch_size": 12, "learning_rate": 0.01}}


def training_rows() -> list[dict[str, object]]:
    """Twelve training examples t00 to t11 in order of their class."""
    noise, labels = np.random.default_rng(3), np.repeat(np.arange(3), SIZES)
    vectors = 3 * np.eye(3, 4)[labels] + noise.normal(size=(12, 4)) * 0.7
    return [
        {"example_id": f"t{place:02}", "label_id": int(label), "pooled": vector.astype(HALF).tobytes()}
        for place, (label, vector) in enumerate(zip(labels, vectors, strict=True))
    ]


def meta_rows() -> list[dict[str, object]]:
    """Six examples, two of each class by label; m5 has no embedding."""
    noise, labels = np.random.default_rng(4), np.array([0, 0, 1, 1, 2, 2])
    vectors = 3 * np.eye(3, 4)[labels] + noise.normal(size=(6, 4)) * 0.7
    return [
        {"example_id": f"m{place}", "label_id": int(label), "pooled": None if place == 5 else vector.astype(HALF).tobytes()}
        for place, (label, vector) in enumerate(zip(labels, vectors, strict=True))
    ]


def batch(rows: list[dict[str, object]], n_todo: int = 0) -> pa.RecordBatch:
    """As Spark hands them to a verb, with the first `n_todo` variants to do."""
    schema = [("example_id", pa.string()), ("label_id", pa.int32()), ("pooled", pa.binary()), ("todo", pa.list_(pa.int32()))]
    return pa.RecordBatch.from_pylist([row | {"todo": list(range(n_todo))} for row in rows], schema=pa.schema(schema))


def plan_of(folder: Path, *heads: dict[str, object], k: int = 5, withdrawn: tuple[str, ...] = ()) -> ExemplarPlan:
    """The plan over `training_rows`, nothing made yet."""
    rows = training_rows()
    fingerprint = fingerprint_of([str(row["example_id"]) for row in rows], [int(str(row["label_id"])) for row in rows])
    settings = ExemplarSettings.model_validate({"heads": heads or (SLOTS,), "k": k, "withdrawn": withdrawn})
    return ExemplarPlan("d", LABELS, "tiny", "e" * 16, "v" * 16, settings, fingerprint, len(rows), folder)


def collected(plan: ExemplarPlan, rows: list[dict[str, object]] | None = None) -> ExemplarPlan:
    """The same, after the training examples were collected."""
    if not plan.training_folder.exists():
        assert len(list(collect(iter([batch(rows or training_rows())]), plan.training_folder, plan.fingerprint))) == 1
    return plan


def made(plan: ExemplarPlan) -> ExemplarPlan:
    """The same, after every head was trained."""
    known = load(collected(plan).training_folder, plan.fingerprint)
    for head in plan.heads:
        make_head(head, known, plan.labels, plan.head_folder(head))
    return plan


def asking(plan: ExemplarPlan, head: Head) -> Exemplifying:
    ranks = tuple({"head_id": head.head_id, "rank": rank + 1} for rank in range(plan.settings.k))
    return Exemplifying(plan, head, Identity("d", "s" * 16, ranks))


def without(plan: ExemplarPlan, *withdrawn: str) -> ExemplarPlan:
    return replace(plan, settings=plan.settings.model_copy(update={"withdrawn": withdrawn}))
