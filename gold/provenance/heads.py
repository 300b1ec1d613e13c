"""How right are the heads over a dataset's embeddings, and the plain classifier on the same vectors?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gold.linear_baseline import answers
from gold.provenance.figures import Record, accuracy
from gold.statistics.intervals import wilson
from models.provenance.slots import Positions
from models.stored_vectors import Vectors

EMBEDDINGS, KNN = "embeddings", "knn"
SAMPLED = 10_000  # training inputs of which the plain classifier's own accuracy is told
UNKEPT = "membership is not asked of heads over embeddings: probabilities of training inputs are not kept"


@dataclass(frozen=True)
class HeadInputs:
    """Generations of one dataset's heads. `exemplar_ids`: head_id -> settings_id of its rows of silver.exemplars; `recipes`:
    head_id -> the factors of its training (alpha, lambda_class, lambda_index, teacher_forcing), nothing for knn; `sha256`: of all of it."""

    dataset: str
    examples_id: str
    embeddings_id: str
    exemplar_ids: Mapping[str, str]
    recipes: Mapping[str, Mapping[str, object]]
    sha256: str


def summaries(heads: pd.DataFrame, counts: pd.DataFrame, recipes: Mapping[str, Mapping[str, object]]) -> list[Record]:
    """One record of gold.provenance_summary per ready head. `heads`: rows of silver.heads; `counts`: per head_id over examples of meta the
    number `n`, of those whose class it tells `right`, whose first exemplar is of their class `first`, any of five `any`, and the sum of
    shares of five `shared`."""
    ready = heads[heads["status"] == "ready"].merge(counts, on="head_id", how="inner")
    records: list[dict[str, object]] = ready.to_dict("records")  # type: ignore[assignment]  # columns have names
    return [_record(row, recipes.get(str(row["head_id"]), {})) for row in records]


def plain(train: Vectors, train_labels: Positions, meta: Vectors, labels: Positions) -> Record:
    """Logistic regression on the vectors (gold.linear_baseline), which names nothing."""
    told = answers(train, train_labels, np.concatenate([meta, train[:SAMPLED]])).label_ids
    n = len(labels)
    return _key("plain", {}) | _EMPTY | {"name": "logistic_regression"} | accuracy(told[:n] == labels) | {
        "class_accuracy_train": float((told[n:] == train_labels[:SAMPLED]).mean()),
        "parameters": (train.shape[1] + 1) * len(np.unique(train_labels)),
        "n_train": len(train_labels),
        "n": n,
        "reason": "the plain classifier names no training examples",
    }  # fmt: skip


_EMPTY: Record = dict.fromkeys(
    (
        "head_id", "top1_index", "top5_index", "class_match_top1", "class_match_top1_ci_low", "class_match_top1_ci_high",
        "class_match_top5",
        "class_match_top5_share", "membership_auc", "membership_auc_ci_low", "membership_auc_ci_high", "membership_tpr",
        "membership_tpr_ci_low", "membership_tpr_ci_high", "n_members", "membership_auc_class", "privacy",
        "slots", "epochs", "seconds",
    )
)  # fmt: skip


def _key(variant: str, recipe: Mapping[str, object]) -> Record:
    level = {"plain": "none", "single_branch": "all"}.get(variant, "none")
    usual: Record = {"alpha": 0.0, "lambda_class": 1.0, "lambda_index": 1.0, "teacher_forcing": True, "seed": 0}
    own = {name: recipe[name] for name in usual if name in recipe}
    return {"variant": variant, "model_size": EMBEDDINGS, "subset": 1.0, "selection": "stratified", "sharing_level": level} | usual | own


def _record(row: Mapping[str, object], recipe: Mapping[str, object]) -> Record:
    number = {name: float(str(row[name])) for name in ("n", "right", "first", "any", "shared")}
    n = int(number["n"])
    right = wilson(number["right"], n)
    first = wilson(number["first"], n)
    return _key("knn_plain" if row["variant"] == KNN else str(row["variant"]), recipe) | _EMPTY | {
        "name": row["name"],
        "head_id": row["head_id"],
        "class_accuracy": number["right"] / n,
        "class_accuracy_ci_low": right.low,
        "class_accuracy_ci_high": right.high,
        "class_accuracy_train": row["class_accuracy"],
        "top1_index": row["top1_index"],
        "top5_index": row["top5_index"],
        "class_match_top1": number["first"] / n,
        "class_match_top1_ci_low": first.low,
        "class_match_top1_ci_high": first.high,
        "class_match_top5": number["any"] / n,
        "class_match_top5_share": number["shared"] / n,
        "parameters": row["parameters"],
        "slots": row["n_slots"],
        "n_train": row["n_train"],
        "epochs": None if row["variant"] == KNN else row["epochs"],
        "seconds": row["seconds"],
        "n": n,
        "reason": UNKEPT,
    }  # fmt: skip
