"""What do raw pixels alone give? A logistic regression on the pictures as the model sees them, the floor under every adapter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from lake.errors import MissingInputError
from models.decode import DecodeLimits, decode
from models.images import Preprocessing, normalise, to_model_resolution
from pipelines.sql.duck import connect

STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
MAX_ITERATIONS = 300
EXAMPLE_SQL = "SELECT example_id, label_id, image FROM bronze.examples_current WHERE dataset = ? AND split = ? ORDER BY example_id"

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pictures:
    """One split: ids in order, label ids, and the normalised pixels as rows."""

    ids: tuple[str, ...]
    labels: Labels
    pixels: Floats


@dataclass(frozen=True)
class Probe:
    """`right`: per meta picture (in the order of `ids`) whether the probe names its label. `c` was chosen on adapter_val, whose
    accuracy was `val_accuracy`; the probe saw `n_train` pictures of adapter_train."""

    ids: tuple[str, ...]
    right: npt.NDArray[np.bool_]
    c: float
    val_accuracy: float
    n_train: int
    n_val: int

    @property
    def accuracy(self) -> float:
        """On meta, in [0, 1]."""
        return float(self.right.mean())


def probe_lake(lake: Path, dataset: str, preprocessing: Preprocessing) -> Probe:
    """The probe of one dataset. Raises MissingInputError where one of the three splits has no pictures."""
    splits = {name: _pictures(lake, dataset, name, preprocessing) for name in ("adapter_train", "adapter_val", "meta")}
    if empty := [name for name, found in splits.items() if not len(found.ids)]:
        raise MissingInputError(f"{dataset}: the raw-pixel probe needs pictures in {', '.join(empty)}; see source.split_map and splits")
    return probe(splits["adapter_train"], splits["adapter_val"], splits["meta"])


def probe(train: Pictures, val: Pictures, meta: Pictures) -> Probe:
    """Multinomial logistic regression, L2, C from 1e-5 to 0.1 by accuracy on `val` (the smallest of equals); `meta` chooses nothing."""
    turned = _in_their_own_space(train.pixels, val.pixels, meta.pixels)
    best: tuple[float, float, LogisticRegression] | None = None
    for c in STRENGTHS:
        model = LogisticRegression(C=c, max_iter=MAX_ITERATIONS, tol=1e-3).fit(turned[0], train.labels)
        accuracy = float((model.predict(turned[1]) == val.labels).mean())
        if best is None or accuracy > best[0]:
            best = (accuracy, c, model)
    if best is None:
        raise ValueError("STRENGTHS must name at least one C")
    right = np.asarray(best[2].predict(turned[2]) == meta.labels, dtype=np.bool_)
    return Probe(meta.ids, right, best[1], best[0], len(train.ids), len(val.ids))


def _in_their_own_space(train: Floats, *others: Floats) -> tuple[Floats, ...]:
    """All rows in an orthonormal basis of what the training rows span, about their mean. An L2 penalty does not see the rotation, and
    directions in which no training picture differs get no weight: the answers are the same, at a fraction of the cost where there are
    fewer pictures than pixels."""
    mean = train.mean(axis=0)
    rows = [part - mean for part in (train, *others)]
    if len(train) >= train.shape[1]:
        return tuple(rows)
    values, vectors = np.linalg.eigh(rows[0] @ rows[0].T)
    kept = values > values.max(initial=0.0) * 1e-10
    basis = rows[0].T @ (vectors[:, kept] / np.sqrt(values[kept]))
    return tuple(part @ basis for part in rows)


def _pictures(lake: Path, dataset: str, split: str, preprocessing: Preprocessing) -> Pictures:
    connection, _ = connect(str(lake), {"bronze.examples_current"})
    try:
        rows = connection.execute(EXAMPLE_SQL, [dataset, split]).fetchall()
    finally:
        connection.close()
    images = [to_model_resolution(decode(bytes(content), DecodeLimits()).image, preprocessing) for _, _, content in rows]
    side = preprocessing.size
    stacked = np.stack(images) if images else np.empty((0, side, side, 3), dtype=np.uint8)
    pixels = normalise(stacked, preprocessing).reshape(len(rows), -1).astype(np.float64)
    return Pictures(tuple(str(row[0]) for row in rows), np.array([row[1] for row in rows], dtype=np.int64), pixels)
