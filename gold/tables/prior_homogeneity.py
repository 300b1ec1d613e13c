"""Do priors, and models before and after training, look at words that tell two confusable classes apart, or at those both have?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import pandas as pd

from gold.frames import Frames
from gold.steering.columns import SELECTION, SELECTION_KEY
from gold.steering.confusable import Pair, confusable_pairs
from gold.steering.frames import TRAIN, TextFrames
from gold.steering.recipes import described, recipe_of
from gold.steering.stacks import Stack, prior_rows, stacked
from gold.table import TAIL, GoldTable, as_table, count, share
from lake.spec import DATASET, Column, Table
from models.words import word_spans
from xai.prior_words import class_words, homogeneity

SPEC = Table(
    layer="gold",
    name="prior_homogeneity",
    comment=(
        "share of prior mass on words that two confusable classes have in common, against words of one of them alone; pairs by the "
        "mistakes of arm none on clean meta texts; the attributions of self:… are of the class of the text, so of the texts alone that the "
        "adapter gets right; empty for pictures"
    ),
    key=("dataset", "scorer", "source", *SELECTION_KEY, "label_a", "label_b"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        Column("scorer", "string", "hash of the language model; for ig the twin's adapter_id, for self:… that of the adapter explained"),
        Column(
            "source",
            "string",
            "cap, ig, lime, shap: priors of training texts; self:none, self:cap, …: integrated gradients of an adapter of that arm on the "
            "meta texts it gets right, whose predicted class is their own; n counts those alone",
        ),
        *SELECTION,
        Column("label_a", "string", "one class of the pair"),
        Column("label_b", "string", "the other, later in the alphabet"),
        count("confusions", "meta texts of either class that were called the other, summed over the adapters of arm none"),
        share("shared_mass", "mean share of a text's |prior| on words of both classes; such words cannot tell them apart"),
        share("discriminating_mass", "mean share on words of exactly one of the two; the rest lies on words of neither"),
        *TAIL,
        Column("beta", "double", "of self:… the weight of the attribution loss, 0 of self:none; else null", added=True),
        Column(
            "fusion", "string", "of self:… how sources became one prior: mean or max, none where there is no source; else null", added=True
        ),
        Column(
            "pair_id", "string", "of self:… hash of the recipe without its prior, as in gold.cap_hybrid_training; else null", added=True
        ),
    ),
)
OF_TRAINING = tuple(column.name for column in SPEC.columns if column.added)

ByClass = Mapping[str, AbstractSet[str]]


def build(frames: Frames) -> pd.DataFrame:
    """One row per pair and source of priors, and per pair and adapter; n = texts. A word is a class's that stands in at least
    `steering.least_share` of its adapter_train texts, under their true labels."""
    if frames.text is None:
        return as_table(SPEC, frames.dataset, [])
    text, settings = frames.text, frames.settings.steering
    pairs = confusable_pairs(text.confusions, text.trainings, settings.pairs)
    by_class = words_by_class(text, settings.least_share)
    known = [pair for pair in pairs if pair.label_a in by_class and pair.label_b in by_class]
    stacks = [*((dict.fromkeys(OF_TRAINING) | one.columns, one.stack) for one in prior_rows(text)), *_own(text)]
    return as_table(SPEC, frames.dataset, [_record(*stack, pair, by_class) for stack in stacks for pair in known])


def words_by_class(text: TextFrames, least_share: float) -> dict[str, frozenset[str]]:
    """class -> its words, from the texts of adapter_train."""
    train = text.examples[text.examples["split"] == TRAIN]
    words = [[own[start:end] for start, end in word_spans(own)] for own in train["text"]]
    return class_words(words, [text.labels[label_id] for label_id in train["label_id"]], least_share)


def _own(text: TextFrames) -> Iterator[tuple[dict[str, Any], Stack]]:
    """The self-attributions of every adapter with a recipe that has some, and which training it comes from."""
    for row in text.trainings.sort_values("adapter_id").to_dict("records"):
        recipe = recipe_of(row["recipe_settings"])
        mine = text.attributions[text.attributions["adapter_id"] == row["adapter_id"]].sort_values("example_id")
        if recipe is not None and len(mine):
            about = described(recipe)
            columns = {name: about[name] for name in (*SELECTION_KEY, *OF_TRAINING)}
            columns |= {"scorer": row["adapter_id"], "source": f"self:{recipe.arm}"}
            yield columns, stacked(mine["values"].tolist(), mine["words"].tolist(), mine["label"].tolist())


def _record(columns: dict[str, Any], stack: Stack, pair: Pair, by_class: ByClass) -> dict[str, Any]:
    found = homogeneity(stack.values, stack.words, stack.labels, stack.included, by_class, (pair.label_a, pair.label_b))
    return columns | {
        "label_a": pair.label_a,
        "label_b": pair.label_b,
        "confusions": pair.n,
        "shared_mass": min(found.shared_mass, 1.0) if found.n else None,
        "discriminating_mass": min(found.discriminating_mass, 1.0) if found.n else None,
        "n": found.n,
        "reason": None if found.n else "no text of these two classes",
    }


TABLE = GoldTable(SPEC, build)
