"""Do heads and what they name come into the lake by the one law of `fill`, once, of pictures and of texts alike?"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from bronze.specs import EMBEDDINGS, EXAMPLES
from gold.provenance.build import ProvenanceInputs, build_provenance
from gold.provenance.heads import HeadInputs
from gold.provenance.settings import ProvenanceSettings
from gold.provenance.tables import provenance_summary, provenance_verdict
from lake.audit import CELLS, REJECTED
from lake.door import Lake
from lake.errors import ConfigError
from lake.fill import Inputs
from lake.identity import settings_id
from lake.ledger import Ledger
from models.errors import ArtifactError
from silver.exemplars.build import build_exemplars, build_support, planned
from silver.exemplars.plan import ExemplarPlan, failure_note
from silver.exemplars.settings import ExemplarSettings
from silver.exemplars.specs import EXEMPLARS, HEADS
from silver.specs import EXPLANATION_METRICS, PREDICTIONS, PROVENANCE
from tests.small_lake import write_table
from tests.unit.silver.exemplar_rows import ALL, LABELS, SLOTS, meta_rows, training_rows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from lake.spec import Table

pytestmark = pytest.mark.spark

EXAMPLES_ID, VECTORS_ID, ANSWERS_ID = "e" * 16, "v" * 16, "p" * 16
SHORT = {"epochs": 40, "batch_size": 12, "learning_rate": 0.01}
OURS = SLOTS | {"training": SHORT}
TABLES = (HEADS, EXEMPLARS, EXPLANATION_METRICS, REJECTED, CELLS)


def write(lake: Lake, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    write_table(Path(lake.root), table, [{"dataset": "d"} | dict(row) for row in rows])


def world(lake: Lake, modality: str, order: int = 1) -> Inputs:
    """Twelve training examples and six of meta in bronze, three adapters' answers to these; the last of meta has no embedding."""
    both = [(row, "adapter_train") for row in training_rows()[::order]] + [(row, "meta") for row in meta_rows()]
    content = {"text": "a word"} if modality == "text" else {"image": b"12345"}
    own = {"settings_id": EXAMPLES_ID, "modality": modality, "source_path": "x", "notes": []} | content
    write(lake, EXAMPLES, [own | row | {"split": split, "label": LABELS[int(str(row["label_id"]))]} for row, split in both])
    stamp = {"settings_id": VECTORS_ID, "backbone": "tiny", "n_units": 1, "dim": 4}
    write(lake, EMBEDDINGS, [row | stamp for row, _ in both if row["pooled"] is not None])
    scores = {"confidence": 0.9, "margin": 0.8, "energy": -1.0, "pnorm_logit": 0.5, "is_correct": True, "logits": [1.0, 0.0, 0.0]}
    answers = [
        scores | {"example_id": f"m{n}", "adapter_id": name, "settings_id": ANSWERS_ID, "predicted_id": n % 3}
        for n in range(6) for name in ("x", "y", "z") if (n, name) != (0, "y")
    ]  # fmt: skip
    write(lake, PREDICTIONS, answers)
    return meta_of(lake)


def meta_of(lake: Lake) -> Inputs:
    mine = f"settings_id = '{EXAMPLES_ID}' AND split = 'meta'"
    return Inputs("d", EXAMPLES_ID, "sha", lambda: lake.read(EXAMPLES).where(mine).select("example_id", "label_id"), 6)


def plan_in(lake: Lake, folder: Path, *heads: dict[str, object], **more: object) -> ExemplarPlan:
    settings = ExemplarSettings.model_validate({"heads": heads or (OURS,), **more})
    return planned(lake, "d", LABELS, "tiny", EXAMPLES_ID, VECTORS_ID, settings, folder)


def name_exemplars(lake: Lake, meta: Inputs, plan: ExemplarPlan) -> None:
    ledger = Ledger(lake, "d")
    build_exemplars(lake, ledger, meta, plan)
    ledger.commit()


def build(lake: Lake, meta: Inputs, plan: ExemplarPlan, *adapters: str) -> None:
    name_exemplars(lake, meta, plan)
    ledger = Ledger(lake, "d")
    build_support(lake, ledger, meta, plan, adapters or ("x", "y"), ANSWERS_ID)
    ledger.commit()


@pytest.fixture
def toy(toy: Lake, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """As elsewhere, but its ledger is committed where these tests say so: of a lake with many small stages that is a fifth of the time."""
    monkeypatch.setattr("lake.ledger.COMMIT_EVERY", 600.0)
    return toy


class Finished(NamedTuple):
    """A lake of pictures with one rank of everything, to be read or copied, and the folder of its heads."""

    lake: Lake
    folder: Path


@pytest.fixture(scope="module")
def finished(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    root = tmp_path_factory.mktemp("finished")
    made = Finished(Lake(spark, str(root / "lake"), "toy-run", "0" * 64), root / "heads")
    build(made.lake, world(made.lake, "image"), plan_in(made.lake, made.folder, k=1))
    return made


def rows_of(lake: Lake, table: Table) -> list[dict[str, Any]]:
    names = [name for name in table.stable_columns if name != "run_id"]
    found = [row.asDict(recursive=True) for row in lake.read(table).select(*names).collect()]
    return sorted(found, key=lambda row: tuple(str(row[name]) for name in table.key))


def judged(lake: Lake, plan: ExemplarPlan) -> list[dict[str, Any]]:
    """Rows of gold.provenance_summary of the plan's heads, as they are now."""
    ids = {head.head_id: settings_id(plan.exemplar_settings(head)) for head in plan.heads}
    now = settings_id([row["status"] for row in rows_of(lake, HEADS)])
    inputs = HeadInputs("d", EXAMPLES_ID, VECTORS_ID, ids, {}, plan.settings.k, now)
    build_provenance(lake, Ledger(lake, "d"), ProvenanceInputs("d", None, inputs), ProvenanceSettings())
    return rows_of(lake, provenance_summary.SPEC)


def versions(lake: Lake) -> list[int | None]:
    return [lake.version(table) for table in TABLES]


def test_every_example_head_and_rank_has_its_row_or_its_reason_and_a_second_run_writes_nothing(toy: Lake, tmp_path: Path) -> None:
    meta, folder = world(toy, "text"), tmp_path / "heads"  # pictures in the tests below
    plan = plan_in(toy, folder)
    build(toy, meta, plan)
    heads = {row["name"]: row for row in rows_of(toy, HEADS)}
    assert {name: (row["variant"], row["n_train"], row["n_slots"], row["status"]) for name, row in heads.items()} == {
        "knn": ("knn", 12, 12, "ready"), "slots": ("class_conditional", 12, 6, "ready"),
    }  # fmt: skip
    assert all(row["settings_id"] == row["head_id"] and row["training_fingerprint"] == plan.fingerprint for row in heads.values())
    ids = {row["head_id"] for row in heads.values()}
    exemplars = rows_of(toy, EXEMPLARS)
    assert {(row["example_id"], row["head_id"], row["rank"]) for row in exemplars} == {
        (f"m{n}", head, rank) for n in range(5) for head in ids for rank in range(1, 6)
    }
    assert len(exemplars) == 5 * 2 * 5
    of_slots = [row for row in exemplars if row["head_id"] == heads["slots"]["head_id"] and row["train_example_id"] is not None]
    assert all(row["train_label_id"] == row["predicted_id"] for row in of_slots)
    only = [row for row in exemplars if row["head_id"] == heads["slots"]["head_id"] and row["example_id"] == "m4"]
    assert [row["train_example_id"] for row in sorted(only, key=lambda row: row["rank"])] == ["t11", None, None, None, None]
    metrics = rows_of(toy, EXPLANATION_METRICS)
    assert {(row["example_id"], row["adapter_id"], row["method"], row["metric_group"]) for row in metrics} == {
        (f"m{n}", name, head, PROVENANCE) for n in range(5) for name in ("x", "y") for head in heads if (n, name) != (0, "y")
    }
    assert {row["settings_id"] for row in metrics} == {part.settings_id for part in plan.parts(ANSWERS_ID)}
    refused = rows_of(toy, REJECTED)
    codes = [row["error_code"] for row in refused]
    assert {code: codes.count(code) for code in codes} == {"embedding_missing": 2 * 5, "exemplar_missing": 2 * 2, "prediction_missing": 2}
    before = versions(toy)
    again = Lake(toy.spark, toy.root, "again")
    build(again, meta, plan_in(again, folder))
    assert versions(again) == before


def copied(finished: Finished, toy: Lake, tmp_path: Path) -> tuple[Inputs, Path]:
    """The finished lake in place of the empty one: its inputs, and the folder of its heads."""
    shutil.copytree(finished.lake.root, toy.root)
    return meta_of(toy), Path(shutil.copytree(finished.folder, tmp_path / "heads"))


def test_more_ranks_another_head_and_another_adapter_add_rows_and_a_withdrawal_makes_others_beside_them(
    finished: Finished, toy: Lake, tmp_path: Path
) -> None:
    meta, folder = copied(finished, toy, tmp_path)
    first = {table: rows_of(toy, table) for table in (HEADS, EXEMPLARS, EXPLANATION_METRICS)}
    kept = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    build(toy, meta, plan_in(toy, folder, OURS, ALL | {"training": SHORT}, k=1), "x", "y", "z")
    second = {table: rows_of(toy, table) for table in first}
    assert all(row in second[table] for table, rows in first.items() for row in rows)
    # one head; its rank; its metrics of x, y and z, and those of z by the two that were there
    assert [len(second[table]) - len(first[table]) for table in first] == [1, 5, 5 + 4 + 5 + 2 * 5]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    name_exemplars(toy, meta, plan_in(toy, folder, k=2))
    third = rows_of(toy, EXEMPLARS)
    assert all(row in third for row in second[EXEMPLARS]) and len(third) == len(second[EXEMPLARS]) + 5 * 2
    gone = next(row["train_example_id"] for row in first[EXEMPLARS] if row["rank"] == 1)
    name_exemplars(toy, meta, plan_in(toy, folder, k=1, withdrawn=(gone,)))
    new = [row for row in rows_of(toy, EXEMPLARS) if row not in third]
    assert len(new) == len(first[EXEMPLARS]) and gone not in {row["train_example_id"] for row in new}
    assert {row["head_id"] for row in new} == {row["head_id"] for row in first[EXEMPLARS]} and rows_of(toy, HEADS) == second[HEADS]
    with pytest.raises(ConfigError, match=r"withdrawn must name training examples, found others: m0, zz; correct or remove them"):
        plan_in(toy, folder, withdrawn=("zz", "t01", "m0"))


def test_a_head_of_another_training_set_or_a_damaged_one_stops_the_run(finished: Finished, toy: Lake, tmp_path: Path) -> None:
    meta, folder = copied(finished, toy, tmp_path)
    plan = plan_in(toy, folder, k=1)
    knn, slots = (plan.head_folder(head) for head in plan.heads)
    more = plan_in(toy, folder, k=2)  # a row to do for each
    weights = (slots / "head.safetensors").read_bytes()
    (slots / "head.safetensors").write_bytes(weights[:-4])
    with pytest.raises(ArtifactError, match=r"bad_safetensors: .*copy or save the file again"):
        name_exemplars(toy, meta, more)
    (slots / "head.safetensors").write_bytes(weights)
    other = ExemplarPlan(**vars(more) | {"fingerprint": "0" * 32})
    for head, found in zip(other.heads, (knn, slots), strict=True):
        other.head_folder(head).symlink_to(found)
    with pytest.raises(ArtifactError, match=r"training_mismatch: this head must know the training examples 0+, found"):
        name_exemplars(toy, meta, other)


def test_a_head_that_cannot_be_trained_has_a_row_that_says_why_until_it_was_tried_again(toy: Lake, tmp_path: Path) -> None:
    meta, folder = world(toy, "image"), tmp_path / "heads"
    wild = OURS | {"name": "wild", "training": SHORT | {"learning_rate": 1e30}}
    plan = plan_in(toy, folder, OURS, wild, k=1)
    knn, slots, diverges = plan.heads
    note = failure_note(plan.head_folder(slots))
    note.parent.mkdir()
    note.write_text('["nonfinite", "on another day"]', encoding="utf-8")
    name_exemplars(toy, meta, plan)
    first = {row["name"]: row for row in rows_of(toy, HEADS)}
    assert {name: row["status"] for name, row in first.items()} == {"knn": "ready", "slots": "rejected", "wild": "rejected"}
    assert first["wild"]["reason"].startswith("nonfinite: head wild") and first["wild"]["top1_index"] is None
    assert {row["head_id"] for row in rows_of(toy, EXEMPLARS)} == {knn.head_id} == {head.head_id for head in plan.usable}
    assert failure_note(plan.head_folder(diverges)).exists() and [part.method for part in plan.parts(ANSWERS_ID)] == ["knn"]
    reasons = {row["name"]: (row["reason"], row["n"]) for row in judged(toy, plan)}
    assert reasons["slots"] == ("nonfinite: on another day", 0) and reasons["wild"] == (first["wild"]["reason"], 0)

    note.unlink()
    name_exemplars(toy, meta, plan)
    second = {row["name"]: row for row in rows_of(toy, HEADS)}
    assert second["slots"]["status"] == "ready" and all(second[name] == first[name] for name in ("knn", "wild"))
    assert {row["head_id"] for row in rows_of(toy, EXEMPLARS)} == {head.head_id for head in (knn, slots)}
    told = {str(row["name"]): row for row in judged(toy, plan)}
    assert set(told) == {"slots", "wild", "knn", "logistic_regression"}
    for head in (knn, slots):  # five of meta have an embedding
        same = [row["same_class"] for row in rows_of(toy, EXEMPLARS) if row["head_id"] == head.head_id]
        assert told[head.name]["n"] == len(same) == 5 and told[head.name]["class_match_top1"] == pytest.approx(sum(map(bool, same)) / 5)
        assert told[head.name]["class_match_top5"] is None and "of 1 examples named" in told[head.name]["reason"]
    against = [
        row for row in rows_of(toy, provenance_verdict.SPEC) if row["question"] == "class match of the first example, over embeddings"
    ]
    (named,) = [row for row in against if row["n"]]
    assert named["difference"] == pytest.approx(told["slots"]["class_match_top1"] - told["knn"]["class_match_top1"])
    assert named["n"] == 5


def test_without_training_examples_the_user_is_told_what_to_do(toy: Lake, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="need examples of split adapter_train with an embedding by tiny, found none: include bronze"):
        plan_in(toy, tmp_path)


def test_a_killed_run_ends_as_one_that_was_not_whatever_the_order_of_the_training_set(
    finished: Finished, toy: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meta, folder = world(toy, "image", order=-1), tmp_path / "heads"

    def killed(*_: object) -> None:
        raise InterruptedError

    codes = [row["error_code"] for row in rows_of(finished.lake, REJECTED)]
    assert sorted(codes) == ["embedding_missing"] * 2 + ["exemplar_missing"] * 4 + ["prediction_missing"] * 2
    for place in ("silver.exemplars.build._register", "lake.fill.commit"):
        with monkeypatch.context() as cut:
            cut.setattr(place, killed)
            with pytest.raises(InterruptedError):
                build(toy, meta, plan_in(toy, folder, k=1))
    build(toy, meta, plan_in(toy, folder, k=1))
    assert all(rows_of(toy, table) == rows_of(finished.lake, table) for table in (HEADS, EXEMPLARS, EXPLANATION_METRICS, REJECTED))
