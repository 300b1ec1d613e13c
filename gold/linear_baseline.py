"""What would a user pick instead of training an adapter? Logistic regression on the frozen embeddings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import NDArray

from models.stored_vectors import Vectors

Ids = Int64[NDArray[np.int64], "examples"]

C, MAX_ITER = 1.0, 1000  # inverse strength of the L2 penalty; iterations


class Answers(NamedTuple):
    """The label id given to each example, and p of each label that has a training example (in the order of their ids; rows sum to 1)."""

    label_ids: Ids
    p: Float64[NDArray[np.float64], "examples known"]


def answers(train: Vectors, label_ids: Ids, vectors: Vectors) -> Answers:
    """What multinomial logistic regression, fitted on `train`, answers to each of `vectors`.

    Every vector is scaled to L2 norm 1 first (one of zeros stays so), which makes C mean the same for every encoder. Labels without a
    training example are never given; of one label alone there is nothing to learn, and all get that one. Deterministic: one thread, no
    draws. Raises ValueError without training examples or for parts that do not fit.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    if train.ndim != 2 or not len(train) or label_ids.shape != (len(train),):
        raise ValueError(
            f"there must be one label id per training vector and one vector at least, found {train.shape} and {label_ids.shape}"
        )
    if vectors.shape[1:] != train.shape[1:]:
        raise ValueError(f"all vectors must be of one backbone, found {train.shape[1]} and {vectors.shape[1:]} dimensions")
    if not len(vectors) or len(np.unique(label_ids)) == 1:
        return Answers(np.full(len(vectors), label_ids[0], dtype=np.int64), np.ones((len(vectors), 1)))
    with threadpool_limits(1):
        model = LogisticRegression(C=C, max_iter=MAX_ITER).fit(_unit(train), label_ids)
        asked = _unit(vectors)
        return Answers(np.asarray(model.predict(asked), dtype=np.int64), np.asarray(model.predict_proba(asked), dtype=np.float64))


def scores(p: Float64[NDArray[np.float64], "examples known"]) -> dict[str, NDArray[np.float64]]:
    """float64 [examples] each: the scores of silver.predictions that p alone gives, confidence, margin, softmax_entropy (NaN with one
    label)."""
    from scipy.special import xlogy

    n_known = p.shape[1]
    top = np.sort(p, axis=1)[:, ::-1]
    second = top[:, 1] if n_known > 1 else np.zeros(len(p))
    entropy = -xlogy(p, p).sum(axis=1) / np.log(n_known) if n_known > 1 else np.full(len(p), np.nan)
    return {"confidence": top[:, 0], "margin": top[:, 0] - second, "softmax_entropy": entropy}


def _unit(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0))
