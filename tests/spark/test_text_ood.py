"""Do attacked texts and the answers to them come into the lake by the one law of `fill`, from what bronze holds, and join each other?"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from safetensors.torch import save_file

from bronze.build import Examples, Source, build_examples, examples_of
from bronze.settings import DecodeSettings, ShiftedSettings, SourceSettings, SplitSettings
from bronze.shifted.build import build_shifted, shifted_examples
from bronze.specs import EMBEDDINGS, EXAMPLES
from gold.tables.degradation import SPEC as DEGRADATION
from lake.catalog import register
from lake.door import Lake
from lake.errors import ConfigError
from lake.fill import Inputs
from lake.identity import content_id
from lake.ledger import Cell, Ledger
from lake.rows import Identity
from models.classifier import new_classifier
from models.scored_adapter import ScoredAdapter
from models.text_backbone import resolve_text_backbone
from models.text_scoring import TextScoring
from ood.attack_settings import AttackSettings
from ood.attack_texts import Audit, audit
from ood.build import build_attacked_texts, build_natural, build_ood, text_shifts
from ood.score import Exposure, expose
from ood.specs import ATTACKED_TEXTS, PREDICTIONS
from ood.text_shifts import TextShifts
from pipelines.tables import TABLES, VIEWS
from silver.build import build_predictions
from silver.specs import OUTSIDE_PREDICTIONS
from silver.specs import PREDICTIONS as SILVER_PREDICTIONS
from tests.text_folders import save_family
from tests.text_results_lake import own
from xai.worlds.grammar import texts

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from lake.spec import Table

pytestmark = pytest.mark.spark

DATASET, EMBEDDED = "intents", "e" * 16
ATTACKS = AttackSettings(names=("keyword_addition", "typos"), severities=(1,), seed=2)
SPLIT_MAP = {"train": "adapter_train", "val": "adapter_val", "test": "meta"}
KEPT = ("query_alarm", "set_alarm")


@dataclass(frozen=True)
class World:
    """A lake with six texts to attack, two adapters, the attacks as read from the lake."""

    root: Path
    source: Source
    examples: Examples
    meta: Inputs
    scoring: TextScoring
    adapters: tuple[ScoredAdapter, ...]
    shifts: TextShifts


def write_source(root: Path) -> Source:
    """Alarm texts of the grammar: 8 to learn from, 4 to be mistaken on, 6 to attack; and one of no class."""
    root.mkdir()
    found = [(text, label) for text, label in texts(120, 0) if label in KEPT]
    for name, some in (("train", found[:8]), ("val", found[8:12]), ("test", found[12:18])):
        (root / f"{name}.csv").write_text("text,label\n" + "".join(f'"{text}",{label}\n' for text, label in some), encoding="utf-8")
    (root / "oos.csv").write_text("text,label\nset moon moon alarm,oos\n", encoding="utf-8")
    options = {"reader": "table", "root": str(root), "split_map": SPLIT_MAP, "outside_labels": ["oos"]}
    return Source(DATASET, SourceSettings.model_validate(options), SplitSettings(), DecodeSettings(), 0.5)


def write_embeddings(lake: Lake, scoring: TextScoring) -> None:
    """What bronze makes of every example, written by hand."""
    found = sorted((row.example_id, row.text) for row in lake.read(EXAMPLES).collect())
    pooled, words = scoring.scorer().embed(scoring.prepare([text for _, text in found]))
    vectors = [(name, vector.astype("<f2").tobytes()) for (name, _), vector in zip(found, pooled, strict=True)]
    rows = [
        (DATASET, name, scoring.backbone.name, EMBEDDED, vector, None, words.shape[1], pooled.shape[1], False) for name, vector in vectors
    ]
    lake.append(EMBEDDINGS, lake.spark.createDataFrame(rows, EMBEDDINGS.ddl()), len(rows))


def two_adapters(folder: Path, scoring: TextScoring, labels: tuple[str, ...]) -> tuple[ScoredAdapter, ...]:
    """Two heads of random weights, large enough to disagree."""
    made = []
    for seed, name in enumerate(("a", "b")):
        state = new_classifier(scoring.backbone, list(labels), seed=seed).requires_grad_(False).state_dict()
        path = folder / f"{name}.safetensors"
        save_file({key: 20 * tensor.clone() for key, tensor in state.items() if key.startswith("classifier.")}, path)
        made.append(ScoredAdapter(name, str(path), tuple(range(len(labels)))))
    return tuple(made)


@pytest.fixture(scope="module")
def world(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Made once; what it reads from its lake stays as it is."""
    folder = tmp_path_factory.mktemp("world")
    lake = Lake(spark, str(folder / "lake"), "made")
    scoring = TextScoring(resolve_text_backbone(str(save_family(folder / "bert", "bert"))), "float32", 4, (16, 32))
    source = write_source(folder / "texts")
    examples = build_examples(lake, Ledger(lake, DATASET), source)
    write_embeddings(lake, scoring)
    shifts = text_shifts(lake, examples.settings_id, EMBEDDED, DATASET, examples.labels, scoring, ATTACKS)
    meta = examples_of(lake, examples, ("meta",), 100)
    return World(Path(lake.root), source, examples, meta, scoring, two_adapters(folder, scoring, examples.labels), shifts)


@pytest.fixture
def toy(spark: SparkSession, world: World, tmp_path: Path) -> Lake:
    """A copy of the world's lake, the test's own."""
    return Lake(spark, str(shutil.copytree(world.root, tmp_path / "lake")), "toy-run", "0" * 64)


def built(lake: Lake, world: World, shifts: TextShifts) -> tuple[str, str]:
    """Both stages and, as at a run's end, the ledger."""
    ledger = Ledger(lake, DATASET)
    texts = build_attacked_texts(lake, ledger, world.meta, world.scoring, shifts)
    answers = build_ood(lake, ledger, world.meta, world.scoring, world.adapters, shifts)
    ledger.commit()
    return texts, answers


def stored(lake: Lake, table: Table) -> list[dict[str, object]]:
    found = [row.asDict() for row in lake.read(table).collect()]
    return sorted(found, key=lambda row: [str(row[name]) for name in table.key])


def given(world: World, n_variants: int) -> pa.RecordBatch:
    """The meta texts as the verbs get them, in another order than Spark's."""
    rows = sorted(world.meta.frame().collect(), key=lambda row: str(row.example_id), reverse=True)
    columns = {name: [row[name] for row in rows] for name in ("example_id", "label_id", "text")}
    return pa.RecordBatch.from_pydict({**columns, "todo": [list(range(n_variants))] * len(rows)})


def test_attacked_texts_and_the_answers_to_them_are_those_of_the_verbs_under_one_settings_id(toy: Lake, world: World) -> None:
    identity, same = built(toy, world, world.shifts)
    assert identity == same
    attacks = tuple({"attack": name, "severity": severity} for name, severity in world.shifts.cells()[1:])
    made = audit(iter([given(world, len(attacks))]), Audit(world.shifts, Identity(DATASET, identity, attacks)))
    rows = [{name: row[name] for name in ATTACKED_TEXTS.column_names} for batch in made for row in batch.to_pylist()]
    assert stored(toy, ATTACKED_TEXTS) == sorted(rows, key=lambda row: [str(row[name]) for name in ATTACKED_TEXTS.key])
    assert len(rows) == 6 * 2 and any(row["is_edited"] for row in rows)

    variants = tuple(
        {"adapter_id": adapter.adapter_id, "corruption": name, "severity": severity}
        for adapter in world.adapters
        for name, severity in world.shifts.cells()
    )
    plan = Exposure(world.scoring, world.adapters, world.shifts, Identity(DATASET, identity, variants))
    rows = [
        {name: row[name] for name in PREDICTIONS.column_names}
        for batch in expose(iter([given(world, len(variants))]), plan)
        for row in batch.to_pylist()
    ]
    assert stored(toy, PREDICTIONS) == sorted(rows, key=lambda row: [str(row[name]) for name in PREDICTIONS.key])
    assert len(rows) == 6 * 2 * 3

    # gold judged four of the six texts: an earlier run had examined all
    cells = [{"adapter_id": a, "corruption": c, "severity": s, "n": 4} for a in ("a", "b") for c, s in world.shifts.cells()]
    toy.create(DEGRADATION)
    rows = [tuple(own(DEGRADATION, dataset=DATASET, **one).get(name) for name in DEGRADATION.column_names) for one in cells]
    toy.append(DEGRADATION, toy.spark.createDataFrame(rows, DEGRADATION.ddl()), len(rows))
    assert "gold.attack_reach" in register(toy.spark, toy.root, TABLES, VIEWS, {"gold.attack_reach"})
    reach = toy.spark.sql("SELECT * FROM gold.attack_reach").collect()
    assert sorted((row.adapter_id, row.attack, row.severity, row.n) for row in reach) == [
        (adapter, name, 1, 4) for adapter in ("a", "b") for name in ATTACKS.names
    ]
    assert all(0 < row.edited_share <= 1 and row.kept_share is None for row in reach)


def test_a_shifted_source_of_texts_is_answered_beside_the_attacks_under_their_settings_id(toy: Lake, world: World, tmp_path: Path) -> None:
    """Two texts of another table: what the adapters say of them is what they say of them alone, and the attacks' rows stay."""
    (tmp_path / "site").mkdir()
    texts = {"please set one alarm": KEPT[1], "is an alarm on": KEPT[0]}
    (tmp_path / "site" / "all.csv").write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in texts.items()))
    shift = ShiftedSettings.model_validate({"name": "site", "source": {"reader": "table", "root": str(tmp_path / "site")}})
    _, identity = built(toy, world, world.shifts)
    before = stored(toy, PREDICTIONS)
    for run in (Lake(toy.spark, toy.root, "site"), Lake(toy.spark, toy.root, "again")):
        ledger = Ledger(run, DATASET)
        shifted = build_shifted(run, ledger, world.examples, world.source, [shift])
        inputs = shifted_examples(run, shifted, "natural:site", 100)
        build_natural(run, ledger, inputs, "natural:site", identity, world.scoring, world.adapters, world.shifts)
        assert run.counts["ood.predictions"].rows_written == (4 if run.run_id == "site" else 0)
    rows = stored(toy, PREDICTIONS)
    assert [row for row in rows if row["corruption"] != "natural:site"] == before
    found = {(row["example_id"], row["adapter_id"]): row for row in rows if row["corruption"] == "natural:site"}
    assert len(found) == 4 and {row["flipped"] for row in found.values()} == {None}
    for text, label in texts.items():
        for adapter in world.adapters:
            row = found[content_id("text", text.encode()), adapter.adapter_id]
            predicted = int(world.scoring.logits(adapter, world.scoring.prepare([text]))[0].argmax())
            assert (row["predicted_id"], row["is_correct"]) == (predicted, KEPT[predicted] == label)


def test_a_text_of_no_class_is_answered_apart_by_every_adapter_once(toy: Lake, world: World) -> None:
    outside = examples_of(toy, world.examples, ("outside",), 100)
    for run in (toy, Lake(toy.spark, toy.root, "again")):
        build_predictions(run, Ledger(run, DATASET), outside, world.scoring, world.adapters, "s" * 16, OUTSIDE_PREDICTIONS)
        assert run.counts["silver.outside_predictions"].rows_written == (2 if run is toy else 0)
    own = world.scoring.prepare(["set moon moon alarm"])
    expected = {adapter.adapter_id: world.scoring.logits(adapter, own)[0].tolist() for adapter in world.adapters}
    assert {str(row["adapter_id"]): row["logits"] for row in stored(toy, OUTSIDE_PREDICTIONS)} == expected
    assert not toy.exists(SILVER_PREDICTIONS)


def test_a_second_run_computes_nothing_and_an_attack_asked_for_later_costs_itself_alone(toy: Lake, world: World) -> None:
    identity, _ = built(toy, world, world.shifts)
    again = Lake(toy.spark, toy.root, "again")
    built(again, world, world.shifts)
    assert {name: count.rows_written for name, count in again.counts.items()} == {"ood.attacked_texts": 0, "ood.predictions": 0}

    more = Lake(toy.spark, toy.root, "more")
    wider = replace(world.shifts, attacks=ATTACKS.model_copy(update={"severities": (1, 3)}))
    assert built(more, world, wider) == (identity, identity)
    # two attacks at one more severity: 6 texts x 2, and the answers of 2 adapters to them
    assert (more.counts["ood.attacked_texts"].rows_written, more.counts["ood.predictions"].rows_written) == (12, 24)
    ledger = Ledger(toy, DATASET)
    cells = {name: ledger.done(ATTACKED_TEXTS, identity, Cell("*", name, 3)) for name in ATTACKS.names}
    assert all(done is not None and done.n_done == done.n_expected == 6 for done in cells.values())


def test_keywords_are_read_from_training_and_validation_and_an_incomplete_bronze_is_refused(toy: Lake, world: World) -> None:
    keywords = world.shifts.keywords
    train = (world.source.root / "train.csv").read_text(encoding="utf-8").casefold()
    assert [entry.label for entry in keywords.classes] == list(KEPT)
    assert all(word in train for entry in keywords.classes for word in entry.words) and "moon" not in keywords.neutral
    again = text_shifts(toy, world.examples.settings_id, EMBEDDED, DATASET, KEPT, world.scoring, ATTACKS)
    assert again.settings() == world.shifts.settings()
    with pytest.raises(ConfigError, match=r"lacks 12 of the 12 examples .* include bronze in --layers"):
        text_shifts(toy, world.examples.settings_id, "0" * 16, DATASET, KEPT, world.scoring, ATTACKS)
