"""How sure is a classifier, judged by its logits alone? The plain scores that explanations must beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp


@dataclass(frozen=True)
class Confidence:
    """Per example, all float64 [n]: largest probability, margin over the second, normalised entropy, energy, p-norm logit."""

    predicted: NDArray[np.int64]
    confidence: NDArray[np.float64]
    margin: NDArray[np.float64]
    softmax_entropy: NDArray[np.float64]
    energy: NDArray[np.float64]
    pnorm_logit: NDArray[np.float64]


def confidence_scores(logits: NDArray[np.float32]) -> Confidence:
    """Scores of float32 logits [n, labels], computed in float64.

    confidence, margin in [0, 1], higher is surer. softmax_entropy = H / log(labels) in [0, 1], lower is surer, NaN with one
    label. energy = -logsumexp(logits), lower is surer (Liu et al. 2020). pnorm_logit = max centred logit / 2-norm of the
    centred logits in [0, 1], higher is surer, 0 for equal logits (Cattelan & Silva 2024). Ties go to the first label.
    """
    wide = logits.astype(np.float64, order="C")  # a row's terms are then added in one order, whatever its neighbours
    energy = -logsumexp(wide, axis=1)
    log_p = wide + energy[:, None]
    p = np.exp(log_p)
    n_labels = wide.shape[1]
    top = np.sort(p, axis=1)[:, ::-1]
    second = top[:, 1] if n_labels > 1 else np.zeros(len(p))
    entropy = -(p * log_p).sum(axis=1) / np.log(n_labels) if n_labels > 1 else np.full(len(p), np.nan)
    centred = wide - wide.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(centred, axis=1)
    pnorm = np.divide(centred.max(axis=1), norm, out=np.zeros(len(p)), where=norm > 0)
    clip = (0.0, 1.0)  # rounding may leave the interval by an ulp, and the table's CHECK would refuse the row
    return Confidence(
        wide.argmax(axis=1), top[:, 0].clip(*clip), (top[:, 0] - second).clip(*clip), entropy.clip(*clip), energy, pnorm.clip(*clip)
    )  # fmt: skip
