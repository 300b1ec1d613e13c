"""Is a model less sure of inputs of no class than of its own? And is logistic regression, which a user would pick instead?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from gold.frames import Frames
from gold.separations import SCORES, SEPARATIONS
from gold.steering.recipes import LOGISTIC, NOTHING, Choice, described, recipe_of
from gold.steering.selections import Trained
from gold.table import TAIL, GoldTable, as_table, count, share
from lake.spec import DATASET, Column, Table

# What a row has of `gold.steering.recipes.described`.
ABOUT = ("setting", "shots_seed", "label_noise_seed", "priors", "fusion", "beta", "n_perturbations", "seed", "tuning")

SPEC = Table(
    layer="gold",
    name="out_of_scope",
    comment=(
        "how well each score of an answer tells clean meta examples, right or wrong, from inputs of no class (split outside), per adapter, "
        "and for logistic regression on the frozen embeddings; empty where the dataset has no such inputs"
    ),
    key=("dataset", "adapter_id", "setting", "shots_seed", "label_noise_seed", "score"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        Column("adapter_id", "string", "the adapter, as in silver.adapters; none for logistic regression"),
        Column(
            "setting",
            "string",
            "as in gold.cap_hybrid_training; none for adapters without a recipe for texts",
        ),
        Column("shots_seed", "bigint", "seed that chose the shots; 0 where all texts are used", low=0),
        Column("label_noise_seed", "bigint", "seed that chose the wrong labels; 0 where there are none", low=0),
        Column(
            "score",
            "string",
            "column of silver.predictions and silver.outside_predictions; logistic regression has those of probabilities alone",
            allowed=tuple(SCORES),
        ),
        Column("direction", "string", "which end of the score is the surer one", allowed=("higher", "lower"), nullable=False),
        Column("name", "string", "label of the adapter, as in silver.adapters; logistic_regression"),
        Column("priors", "string", "the arm, as in gold.cap_hybrid_training; logistic_regression; null without a recipe for texts"),
        Column("fusion", "string", "how sources become one prior: mean or max; null as priors"),
        Column("beta", "double", "weight of the attribution loss; null as priors", low=0.0),
        Column("n_perturbations", "bigint", "masks behind the prior; null as priors", unit="masks", low=0),
        Column("seed", "bigint", "seed of the training; null where unknown, 0 for logistic regression"),
        Column("tuning", "string", "lora or full, none for logistic regression; null as priors"),
        count("n_in", "clean meta examples with the score"),
        count("n_out", "inputs of no class with the score"),
        share("auroc", "chance that the score is surer on a meta example than on an input of no class, ties one half; 0.5 knows nothing"),
        Column(
            "standard_error",
            "double",
            "of auroc by DeLong, over the draw of both kinds of example for this one model (gold.cap_hybrid_arms: over trainings); 0 where "
            "all pairs agree, which says nothing",
            low=0.0,
        ),
        share("fpr95", "share of inputs of no class that are let in where 95 % of the meta examples are; lower is better"),
        *TAIL,
    ),
)


def build(frames: Frames) -> pd.DataFrame:
    """One row per scored adapter and score, and per choice of training examples and score of logistic regression."""
    return as_table(SPEC, frames.dataset, [*_adapters(frames), *_logistic(frames.linear)])


def _adapters(frames: Frames) -> Iterator[dict[str, Any]]:
    known = {row["adapter_id"]: row for row in frames.adapters.to_dict("records")}
    trainings = [] if frames.text is None else frames.text.trainings.to_dict("records")
    settings = {row["adapter_id"]: row["recipe_settings"] for row in trainings}
    for row in frames.separations.to_dict("records"):
        own, recipe = known.get(row["adapter_id"], {}), recipe_of(settings.get(row["adapter_id"]))
        about = {"setting": NOTHING, "shots_seed": 0, "label_noise_seed": 0, "seed": own.get("seed")}
        if recipe is not None:
            about = described(recipe)
        yield _row(row, about) | {"name": own.get("name")}


def _logistic(linear: Mapping[Choice, Trained]) -> Iterator[dict[str, Any]]:
    nothing = dict.fromkeys(("adapter_id", "fusion", "tuning"), NOTHING) | dict.fromkeys(("beta", "n_perturbations", "seed"), 0)
    for choice, found in linear.items():
        for score, one in found.separations.items():
            figures = {"adapter_id": NOTHING, "score": score, **asdict(one)}
            yield _row(figures, nothing | choice.columns() | {"priors": LOGISTIC}) | {"name": LOGISTIC}


def _row(figures: dict[Any, Any], about: Mapping[str, object]) -> dict[str, Any]:
    """The columns of `SEPARATIONS` and what the recipe says."""
    own = {name: figures[name] for name in SEPARATIONS}
    direction = "higher" if SCORES[own["score"]] > 0 else "lower"
    return {name: about.get(name) for name in ABOUT} | own | {"direction": direction, "n": own["n_in"] + own["n_out"]}


TABLE = GoldTable(SPEC, build)
