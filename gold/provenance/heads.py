"""How right are the heads over a dataset's embeddings, and the plain classifier on the same vectors?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtrit

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
    """Generations of one dataset's heads. `exemplar_ids`: head_id -> settings_id of its rows of silver.exemplars, of which there are `k` an
    example; `recipes`: head_id -> the factors of its training (alpha, lambda_class, lambda_index, teacher_forcing, seed), nothing for knn;
    `sha256`: of all that the rows rest on."""

    dataset: str
    examples_id: str
    embeddings_id: str
    exemplar_ids: Mapping[str, str]
    recipes: Mapping[str, Mapping[str, object]]
    k: int
    sha256: str


SAID = {"better": "is better than", "worse": "is worse than", "no_evidence": "is not seen to differ from", None: "stands beside"}
PAIRED = {"right": "class accuracy", "first": "class match of the first example", "shared": "class match of five examples"}


def summaries(heads: pd.DataFrame, counts: pd.DataFrame, inputs: HeadInputs) -> list[Record]:
    """One record of gold.provenance_summary per head; with a reason in place of figures where it has no exemplars.

    `heads`: rows of silver.heads; `counts`: per head_id over examples of meta the number `n`, of those whose class it tells `right`, whose
    first exemplar is of their class `first`, any of five `any`, and the sum of shares of five `shared`.
    """
    ready = heads.merge(counts, on="head_id", how="left")
    records: list[dict[str, object]] = ready.to_dict("records")  # type: ignore[assignment]  # columns have names
    return [_record(row, inputs.recipes.get(str(row["head_id"]), {}), inputs.k) for row in records]


def against_knn(heads: pd.DataFrame, counts: pd.DataFrame, apart: pd.DataFrame) -> list[Record]:
    """Records of gold.provenance_verdict: every head against knn on the same examples of meta, paired. `apart`: per head_id over examples
    the mean and standard deviation of the differences `mean_*` and `sd_*` of each figure, and `n`; Student's t over examples."""
    names = heads.set_index("head_id")
    knn = counts[counts["head_id"].isin(names.index[names["variant"] == KNN])].iloc[0]
    found: list[Record] = []
    for row in apart.to_dict("records"):
        name, n = str(names.loc[str(row["head_id"]), "name"]), int(row["n"])
        own = counts[counts["head_id"] == row["head_id"]].iloc[0]
        for figure, question in PAIRED.items():
            mean, half = float(row[f"mean_{figure}"]), None
            if n > 1:
                half = float(stdtrit(n - 1, 0.975)) * float(row[f"sd_{figure}"]) / float(np.sqrt(n))
            low, high = (None, None) if half is None else (mean - half, mean + half)
            better = None if low is None or high is None else "better" if low > 0 else "worse" if high < 0 else "no_evidence"
            values = float(own[figure]) / n, float(knn[figure]) / float(knn["n"])
            said = SAID[better]
            ends = "" if low is None else f", {low:+.4f} to {high:+.4f}"
            found.append(
                {
                    "question": f"{question}, over embeddings", "variant": name, "against": KNN, "value": values[0],
                    "against_value": values[1], "difference": mean, "ci_low": low, "ci_high": high, "verdict": better,
                    "sentence": f"{question}, over embeddings: head {name} {said} knn: share {values[0]:.4f} and {values[1]:.4f} "
                    f"({mean:+.4f}{ends} over {n} examples, one training).",
                    "n_seeds": 1, "n": n, "reason": None if n > 1 else "an interval over examples needs at least two of them",
                }
            )  # fmt: skip
    return found


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


LACKING = (
    "class_accuracy", "class_accuracy_ci_low", "class_accuracy_ci_high", "class_accuracy_train", "parameters",
)  # fmt: skip
_EMPTY: Record = dict.fromkeys(
    (
        "head_id", "top1_index", "top5_index", "class_match_top1", "class_match_top1_ci_low", "class_match_top1_ci_high",
        "class_match_top5",
        "class_match_top5_share", "membership_auc", "membership_auc_ci_low", "membership_auc_ci_high", "membership_tpr",
        "membership_tpr_ci_low", "membership_tpr_ci_high", "n_members", "others", "membership_auc_class", "privacy",
        "slots", "epochs", "seconds",
    )
)  # fmt: skip


def _key(variant: str, recipe: Mapping[str, object]) -> Record:
    level = {"single_branch": "all"}.get(variant, "none")  # two branches share nothing but the frozen backbone
    usual: Record = {"alpha": 0.0, "lambda_class": 1.0, "lambda_index": 1.0, "teacher_forcing": True, "seed": 0}
    own = {name: recipe[name] for name in usual if name in recipe}
    return {"variant": variant, "model_size": EMBEDDINGS, "subset": 1.0, "selection": "stratified", "sharing_level": level} | usual | own


def _record(row: Mapping[str, object], recipe: Mapping[str, object], k: int) -> Record:
    variant = "knn_plain" if row["variant"] == KNN else str(row["variant"])
    told: Record = {"name": row["name"], "head_id": row["head_id"], "n_train": row["n_train"], "slots": row["n_slots"], "n": 0}
    if row["status"] != "ready" or not float(str(row["n"])) > 0:
        why = row["reason"] if row["status"] != "ready" else "it has named no examples yet: run silver"
        lacking = dict.fromkeys(LACKING)
        return _key(variant, recipe) | _EMPTY | lacking | told | {"reason": why}
    number = {name: float(str(row[name])) for name in ("n", "right", "first", "any", "shared")}
    n = int(number["n"])
    right = wilson(number["right"], n)
    first = wilson(number["first"], n)
    five = k >= 5
    return _key(variant, recipe) | _EMPTY | told | {
        "class_accuracy": number["right"] / n,
        "class_accuracy_ci_low": right.low,
        "class_accuracy_ci_high": right.high,
        "class_accuracy_train": row["class_accuracy"],
        "top1_index": row["top1_index"],
        "top5_index": row["top5_index"],
        "class_match_top1": number["first"] / n,
        "class_match_top1_ci_low": first.low,
        "class_match_top1_ci_high": first.high,
        "class_match_top5": number["any"] / n if five else None,
        "class_match_top5_share": number["shared"] / n if five else None,
        "parameters": row["parameters"],
        "epochs": None if row["variant"] == KNN else row["epochs"],
        "seconds": row["seconds"],
        "n": n,
        "reason": UNKEPT if five else f"{UNKEPT}; of {k} examples named, none knows of five",
    }  # fmt: skip
