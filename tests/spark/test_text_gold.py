"""Do gold's tables of texts come out of a lake as they come out of frames, and are those of pictures left empty at no cost?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from bronze.specs import EMBEDDINGS, EXAMPLES
from gold import TABLES
from gold.build import GoldInputs, OutsideInputs, build_gold
from gold.frames import empty
from gold.settings import BoostSettings, ForestSettings, GoldSettings, SteeringSettings
from gold.steering.build import text_frames
from gold.steering.inputs import PriorGeneration, TextInputs
from lake.audit import REJECTED
from lake.door import Lake
from lake.ledger import Ledger
from lake.spec import Table
from models.text_recipe import Choice, TextRecipe
from ood.specs import PREDICTIONS as OOD_PREDICTIONS
from silver.specs import ADAPTERS, ATTRIBUTIONS, EXPLANATION_METRICS, OUTSIDE_PREDICTIONS, PREDICTIONS, PRIORS
from tests.lakes import stored
from tests.small_lake import write_table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

pytestmark = pytest.mark.spark

OWN = "intents"
LABELS = ("off", "on")
NAMES = (*LABELS, "oos")  # the last is no class of the dataset
TEXTS = {
    "t1": ("adapter_train", 1, "turn music on"), "t2": ("adapter_train", 0, "turn music off"), "t3": ("adapter_train", 1, "music on"),
    "t4": ("adapter_train", 0, "off now"),
    "m1": ("meta", 1, "on please"), "m2": ("meta", 0, "off please"), "m3": ("meta", 0, "music off"),
    "o1": ("outside", 2, "how tall is the moon"), "o2": ("outside", 2, "off the moon"),
}  # fmt: skip
META = [name for name, (split, _, _) in TEXTS.items() if split == "meta"]
STEERED = TextRecipe.model_validate({"name": "steered", "kind": "cap_hybrid", "use_dora": False, "priors": {"sources": ["cap"]}})
RECIPES = {"a": TextRecipe(name="plain", use_dora=False), "b": STEERED, "foreign": None}
# adapter -> the meta texts it gets wrong, clean and under every attack
WRONG = {"a": ({"m1"}, {"m1", "m2"}), "b": (set[str](), {"m3"}), "foreign": (set[str](), set[str]())}
SMALL = GoldSettings(forest=ForestSettings(trees=2), boost=BoostSettings(trees=2), boost_tuned=BoostSettings(trees=2))
OLD = "an-older-generation"
SURE = (("o1", 0.9), ("o2", 0.5))


def fill(lake: Lake, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes rows of one generation named after the table, and the same again as an older one that gold must not read."""
    own = [{"dataset": OWN, "settings_id": table.name} | dict(row) for row in rows]
    write_table(Path(lake.root), table, own + [row | {"settings_id": OLD} for row in own])


def predictions(shifted: bool) -> list[dict[str, Any]]:
    cells = [("none", 0), ("keyword_addition", 1), ("typos", 1)] if shifted else [("none", 0)]
    rows = []
    for adapter, wrong in WRONG.items():
        for corruption, severity in cells:
            for name in META:
                is_correct = name not in wrong[severity]
                row = {"example_id": name, "adapter_id": adapter, "is_correct": is_correct, "confidence": 0.9, "margin": 0.8}
                row |= {"predicted_id": TEXTS[name][1] if is_correct else 1 - TEXTS[name][1], "energy": 0.0, "pnorm_logit": 0.5}
                row |= {"logits": [0.0, 1.0], "corruption": corruption, "severity": severity}
                rows.append(row | {"flipped": not is_correct and name not in wrong[0]})
    return rows


@pytest.fixture
def lake(toy: Lake) -> Lake:
    """Seven texts, three adapters (arm none, arm cap, one from elsewhere), and all that silver and ood would hold of them."""
    examples = [
        {"example_id": name, "modality": "text", "split": split, "label_id": label, "label": NAMES[label], "text": text}
        | {"source_path": name, "notes": []}
        for name, (split, label, text) in TEXTS.items()
    ]
    fill(toy, EXAMPLES, examples)
    vectors = {name: np.array([[1, 0], [0, 1], [1, 1]], dtype="<f2")[label].tobytes() for name, (_, label, _) in TEXTS.items()}
    del vectors["m3"]  # an embedding that was rejected
    fill(toy, EMBEDDINGS, ({"example_id": n, "backbone": "bert", "pooled": v, "n_units": 2, "dim": 2} for n, v in vectors.items()))
    adapters = [
        {"adapter_id": name, "name": name, "backbone": "bert", "labels": list(LABELS), "status": "ready", "minutes": 0.5, "seed": 0}
        | {"recipe_settings": None if recipe is None else recipe.model_dump_json()}
        for name, recipe in RECIPES.items()
    ]
    fill(toy, ADAPTERS, adapters)
    clean = predictions(shifted=False)
    fill(toy, PREDICTIONS, clean)
    # one settings_id with silver.predictions; o1 as sure as every text of meta, o2 less
    lone = [row | {"settings_id": PREDICTIONS.name} for row in clean if row["example_id"] == "m1"]
    fill(toy, OUTSIDE_PREDICTIONS, (row | {"example_id": name, "confidence": sure} for row in lone for name, sure in SURE))
    fill(toy, OOD_PREDICTIONS, predictions(shifted=True))
    explained = [(adapter, name, method) for adapter in RECIPES for name in META for method in ("attention", "occlusion", "ig", "random")]
    removal = {"comprehensiveness": 0.5, "sufficiency": 0.25, "comprehensiveness_20": 0.125, "sufficiency_20": None}
    key = ("adapter_id", "example_id", "method")
    groups = [
        dict(zip(key, row, strict=True)) | {"metric_group": g, "metrics": removal | {"comprehensiveness": int(row[1][1]) / 4}}
        for row in explained
        for g in ("default_text", "other")
    ]
    fill(toy, EXPLANATION_METRICS, groups)
    own = [dict(zip(key, row, strict=True)) for row in explained if row[2] in ("attention", "ig")]
    answers = {(row["adapter_id"], row["example_id"]): row["predicted_id"] for row in clean}
    own = [row | {"target_id": answers[row["adapter_id"], row["example_id"]]} for row in own]
    looked = [row | {"values": [3.0, 1.0], "n_units": 2, "words": TEXTS[row["example_id"]][2].split()} for row in own]
    fill(toy, ATTRIBUTIONS, looked)
    said = {"t1": [0.0, 0.0, 1.0], "t2": [0.0, 1.0, 1.0], "t3": [0.0, 2.0]}
    rows = [
        {"example_id": n, "source": source, "scorer": "llama", "target_id": TEXTS[n][1], "values": v, "words": TEXTS[n][2].split()}
        for n, v in said.items()
        for source in ("cap", "lime")
    ]
    fill(toy, PRIORS, rows)
    key = '{"example_id":"t4","source":"cap","scorer":"llama"}'
    refused = [(OWN, PRIORS.full_name, key, PRIORS.name, "too_large", "too long", "r"), (OWN, "silver.x", key, PRIORS.name, "nul", "", "r")]
    toy.append(REJECTED, toy.spark.createDataFrame(refused, REJECTED.ddl()), len(refused))
    return toy


def inputs(text: TextInputs | None) -> GoldInputs:
    """Gold's inputs of the lake above."""
    cells = (("none", 0), ("keyword_addition", 1), ("typos", 1))
    corruptions = empty(("corruption", "severity", "parameter", "value", "expected_impact"))
    own = [table.name for table in (ADAPTERS, PREDICTIONS, EXPLANATION_METRICS, OOD_PREDICTIONS)]
    outside = OutsideInputs(EXAMPLES.name, EMBEDDINGS.name, "i") if text is not None else None
    return GoldInputs(OWN, LABELS, *own, tuple(RECIPES), cells, corruptions, "default_text", "sha", text, outside)


CAP = PriorGeneration(PRIORS.name, "llama", ("cap", "lime"), Choice(), 100, leaky=False, scorer_name="tiny")
TEXT = TextInputs(
    EXAMPLES.name,
    EMBEDDINGS.name,
    ATTRIBUTIONS.name,
    (CAP,),
    ("keyword_addition",),
    lambda text, label: np.array([w == label for w in text.split()]),
)


def labels_of(lake: Lake) -> DataFrame:
    return lake.spark.createDataFrame([(name, LABELS[TEXTS[name][1]]) for name in META], "example_id string, label string")


def self_attributions(lake: Lake, most: int) -> pd.DataFrame:
    return text_frames(lake, inputs(TEXT), TEXT, labels_of(lake), labels_of(lake), SteeringSettings(max_attributions=most), 0).attributions


def build(lake: Lake, own: GoldInputs) -> None:
    build_gold(lake, Ledger(lake, own.dataset), own, labels_of(lake), labels_of(lake), SMALL)


def built(lake: Lake, own: GoldInputs) -> dict[str, pd.DataFrame]:
    """Every table of gold, read without Spark: at a tenth of the price."""
    build(lake, own)
    return {table.spec.name: stored(Path(lake.root), table.spec).to_pandas() for table in TABLES}


def test_gold_of_seven_texts_is_what_counting_says(lake: Lake) -> None:
    found = built(lake, inputs(TEXT))
    training = found["cap_hybrid_training"].set_index("adapter_id")
    assert sorted(training.index) == ["a", "b", "none"]
    # a: m1 of three is wrong; under the keyword attack m1 and m2; typos are no keyword attack
    assert training.loc["a", ["accuracy", "adversarial_accuracy", "n"]].tolist() == pytest.approx([2 / 3, 1 / 3, 3])
    assert training.loc["b", ["accuracy", "adversarial_accuracy"]].tolist() == pytest.approx([1, 2 / 3])
    assert training.loc["b", ["priors", "scorer", "scorer_name", "leaky_prior", "n_train"]].tolist() == ["cap", "llama", "tiny", False, 4]
    assert training.loc["b", ["n_without_prior", "why_without_prior"]].tolist() == [1, "too_large 1"]
    assert training.loc["b", ["comprehensiveness", "sufficiency_ig", "comprehensiveness_20_random"]].tolist() == [0.5, 0.25, 0.125]
    assert np.isnan(training.loc["b", "sufficiency_20"]) and training.loc["b", "seconds"] == 30.0

    # m1 alone is examined: rows of the others, from a run that examined more, are not read, and accuracy is still over all three
    one = labels_of(lake).where("example_id = 'm1'")
    own = text_frames(lake, inputs(TEXT), TEXT, labels_of(lake), one, SteeringSettings(), 0)
    assert own.explained["comprehensiveness"].unique().tolist() == [0.25] and set(own.attributions["example_id"]) <= {"m1"}
    assert dict(zip(own.answered["adapter_id"], own.answered["n"], strict=True)) == dict.fromkeys(RECIPES, 3)
    assert training.loc["none", ["priors", "accuracy", "n"]].tolist() == ["logistic_regression", 1.0, 2]  # m3 has no embedding

    # 0.9 against 0.9 and 0.5: (1/2 + 1) / 2 for every adapter; logistic regression is surer on either axis than between them
    apart = found["out_of_scope"].set_index(["adapter_id", "score"])["auroc"]
    assert [apart[name, "confidence"] for name in ("a", "b", "foreign", "none")] == [0.75, 0.75, 0.75, 1.0]
    assert apart["a", "energy"] == 0.5 and training["auroc_outside"].to_dict() == {"a": 0.75, "b": 0.75, "none": 1.0}

    arms = found["cap_hybrid_arms"].set_index(["priors", "metric"])
    assert arms.loc[("cap", "accuracy"), ["over_none", "n_pairs_none", "over_logistic"]].tolist() == pytest.approx([1 / 3, 1, 0])
    assert not arms.loc[("cap", "accuracy"), "beats_logistic_regression"]

    pair = found["prior_correlations"].iloc[0]
    assert pair[["source_a", "source_b", "pearson_r", "top10_overlap", "n"]].tolist() == ["cap", "lime", pytest.approx(1), 1.0, 3]
    words = found["prior_top_words"]
    assert words[(words["source"] == "cap") & (words["rank"] == 1)].set_index("label")["word"].to_dict() == {"off": "music", "on": "on"}
    # a calls m1, an "on", "off": the one pair, and what made it say so is no attribution of "on". Its ig rests 3/4 on the first word of
    # m2 "off please" and m3 "music off"; b, which is right, has m1 "on please" besides: 3/4, 3/4, 1/4
    mass = found["prior_homogeneity"].set_index("source")
    assert sorted(mass.index) == ["cap", "lime", "self:cap", "self:none"]
    assert mass.loc["self:none", ["shared_mass", "discriminating_mass", "confusions", "n"]].tolist() == pytest.approx([3 / 8, 1 / 2, 1, 2])
    assert mass.loc["self:cap", ["shared_mass", "discriminating_mass", "n", "beta"]].tolist() == pytest.approx([1 / 4, 7 / 12, 3, 1])
    assert mass.loc["self:cap", "pair_id"] == training.loc["b", "pair_id"] and mass.loc["cap", ["beta", "pair_id"]].isna().all()
    assert mass.loc["cap", ["shared_mass", "n"]].tolist() == pytest.approx([1 / 6, 3])  # t1 0, t2 half on music, t3 0
    # t1 and t3: right; t2 "turn music off": music and off tie, the first is taken
    assert found["prior_precision"].set_index("source").loc["cap", ["precision_at_k", "n"]].tolist() == pytest.approx([2 / 3, 3])
    assert {len(frame) > 0 for frame in found.values()} == {True, False}  # corruption_settings had nothing configured

    before = {table.spec.name: lake.version(table.spec) for table in TABLES}
    build(lake, inputs(TEXT))
    assert {table.spec.name: lake.version(table.spec) for table in TABLES} == before

    # of more self-attributions than are allowed, whole texts are left out: every adapter's row of a text, or none
    whole, cut = (self_attributions(lake, most) for most in (5, 3))
    assert sorted(zip(whole["adapter_id"], whole["example_id"], strict=True)) == [
        ("a", "m2"), ("a", "m3"), ("b", "m1"), ("b", "m2"), ("b", "m3"),
    ]  # fmt: skip
    assert len(cut) < 5 and len(cut) == whole["example_id"].isin(cut["example_id"]).sum()


def test_pictures_get_the_tables_about_texts_empty_without_a_commit(lake: Lake) -> None:
    found = built(lake, inputs(None))
    empty_ones = {name for name, frame in found.items() if not len(frame)} - {"corruption_settings"}
    assert {"cap_hybrid_training", "cap_hybrid_arms", "prior_top_words", "prior_precision", "out_of_scope"} <= empty_ones
    for table in TABLES:
        assert lake.version(table.spec) == (0 if not len(found[table.spec.name]) else 1), table.spec.name
    before = {table.spec.name: lake.version(table.spec) for table in TABLES}
    build(lake, inputs(None))
    assert {table.spec.name: lake.version(table.spec) for table in TABLES} == before
