"""What do a dataset's keywords rest on? Its adapter_train texts, and a fixed baseline's mistakes on adapter_val; nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.stored_vectors import Vectors, vectors_of
from ood.keywords import DEFAULT, Confusions, Ids, Keywords, KeywordSettings, confusion_matrix, find_keywords

TRAIN, VALIDATION = "adapter_train", "adapter_val"
C, MAX_ITER = 1.0, 1000  # of the baseline's logistic regression: inverse strength of its L2 penalty, iterations


def source_keywords(rows: pa.Table, labels: Sequence[str], settings: KeywordSettings = DEFAULT) -> Keywords:
    """The keywords of a dataset from `rows` (example_id, split, label_id, text, pooled: bytes of half-precision numbers, or null).

    Rows of other splits than adapter_train and adapter_val are left out, whatever they are. A text without a vector gives its words,
    and has no part in the confusions. Rows are put in the order of their id first, so that the order they come in changes nothing.
    """
    ordered = rows.sort_by("example_id")
    train, validation = (ordered.filter(pc.equal(ordered["split"], split)) for split in (TRAIN, VALIDATION))
    confusions = baseline_confusions(*_embedded(train), *_embedded(validation), len(labels))
    return find_keywords(train["text"].to_pylist(), _ids(train), labels, confusions, settings)


def _embedded(rows: pa.Table) -> tuple[Vectors, Ids]:
    """The vectors that are there, and the label ids of their texts."""
    known = rows.filter(pc.is_valid(rows["pooled"]))
    return vectors_of(known["pooled"].to_pylist()), _ids(known)


def _ids(rows: pa.Table) -> Ids:
    return np.array(rows["label_id"].to_pylist(), dtype=np.int64)


def baseline_confusions(train_vectors: Vectors, train_ids: Ids, val_vectors: Vectors, val_ids: Ids, n_labels: int) -> Confusions:
    """Entry [a, b]: validation examples of class a that the baseline called b; all 0 where there is nothing to learn or to try.

    The baseline (METHODS 6: one for all models) is multinomial logistic regression, C = 1, on the frozen embeddings standardised by the
    training mean and deviation: encoders differ in the scale of their vectors and of single dimensions, and C would mean another strength
    for each of them. One thread, so that the order of sums, and with it the answer, is that of one core. Raises ValueError for vectors and
    ids that do not fit each other.
    """
    _check(train_vectors, train_ids, val_vectors, val_ids)
    if not len(train_ids) or not len(val_ids):
        return np.zeros((n_labels, n_labels), dtype=np.int64)
    return confusion_matrix(val_ids, baseline_answers(train_vectors, train_ids, val_vectors), n_labels)


def baseline_answers(train_vectors: Vectors, train_ids: Ids, vectors: Vectors) -> Ids:
    """The label id that the baseline gives each vector; of one class alone there is nothing to learn, and all get that one."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    if len(np.unique(train_ids)) == 1:
        return np.full(len(vectors), train_ids[0], dtype=np.int64)
    with threadpool_limits(1):
        scaler = StandardScaler().fit(train_vectors)
        model = LogisticRegression(C=C, max_iter=MAX_ITER).fit(scaler.transform(train_vectors), train_ids)
        return np.asarray(model.predict(scaler.transform(vectors)), dtype=np.int64)


def baseline_accuracy(confusions: Confusions) -> float | None:
    """Share of validation examples that the baseline names rightly, in [0, 1]; None without any."""
    n = int(confusions.sum())
    return float(np.trace(confusions)) / n if n else None


def _check(train_vectors: Vectors, train_ids: Ids, val_vectors: Vectors, val_ids: Ids) -> None:
    for name, vectors, ids in (("training", train_vectors, train_ids), ("validation", val_vectors, val_ids)):
        if vectors.ndim != 2 or ids.shape != (len(vectors),):
            raise ValueError(f"there must be one label id per {name} vector, found vectors {vectors.shape} and ids {ids.shape}")
    if len(train_ids) and len(val_ids) and train_vectors.shape[1] != val_vectors.shape[1]:
        raise ValueError(
            f"training and validation vectors must be of one backbone, found {train_vectors.shape[1]} and {val_vectors.shape[1]} dimensions"
        )
