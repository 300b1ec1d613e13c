"""From which features is failure forecast? Nested sets, so that each says what the next one adds (METHODS 4.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from gold.forecast.rows import CONFIDENCE, EMBEDDING, SHIFTED, XAI, Rows, group_of
from gold.statistics.estimate import Codes, Floats
from lake.identity import rng
from silver.specs import PROVENANCE


@dataclass(frozen=True)
class FeatureSet:
    """`means`: no learner, the failure rate of a group of training rows (`all`, `adapter`, `cell`). Else the parts that are learned from:
    `confidence`, `embedding`, `xai`, `attributions` (xai but what is of exemplars), `shuffled` (xai of another example of the same adapter:
    the permutation control), `shifted` (of the corrupted input itself: a ceiling, no forecast); `cell`: with the logit of the cell's
    training rate beside them."""

    name: str
    meaning: str
    means: str | None = None
    parts: tuple[str, ...] = ()
    cell: bool = False


FEATURE_SETS = (
    FeatureSet("constant", "the failure rate of the training rows", means="all"),
    FeatureSet("adapter", "the adapter's failure rate in the training rows; one not seen there has that of all", means="adapter"),
    FeatureSet("cell", "the failure rate of adapter, corruption and severity in the training rows, as far as they were seen", means="cell"),
    FeatureSet("confidence", "max softmax, margin, softmax entropy, energy and p-norm logit on the clean input", parts=("confidence",)),
    FeatureSet("embedding", "distance to training examples and margin between class centres in the backbone's space", parts=("embedding",)),
    FeatureSet("xai", "all explanation metrics on the clean input", parts=("xai",)),
    FeatureSet("confidence+xai", "both", parts=("confidence", "xai")),
    FeatureSet(
        "confidence+attributions", "confidence, and all explanation metrics but those of exemplars", parts=("confidence", "attributions")
    ),
    FeatureSet("confidence+shuffled_xai", "the control: xai of another example, adapter by adapter", parts=("confidence", "shuffled")),
    FeatureSet("all", "confidence, embedding, xai and the cell", parts=("confidence", "embedding", "xai"), cell=True),
    FeatureSet("confidence|cell", "confidence and the cell", parts=("confidence",), cell=True),
    FeatureSet("xai|cell", "xai and the cell", parts=("xai",), cell=True),
    FeatureSet("confidence+xai|cell", "confidence, xai and the cell", parts=("confidence", "xai"), cell=True),
    FeatureSet("corrupted_confidence", "confidence on the corrupted input: a ceiling for reference, no forecast", parts=("shifted",)),
)  # fmt: skip

BASE, FULL, CONTROL = "confidence", "confidence+xai", "confidence+shuffled_xai"  # sets of the verdict
ATTRIBUTIONS = "confidence+attributions"  # splits the gain of FULL
BY_NAME = {features.name: features for features in FEATURE_SETS}


def columns_of(rows: Rows, features: FeatureSet) -> tuple[str, ...] | str:
    """The set's columns without its cell, or why it is not learned from."""
    names: list[str] = []
    xai, attributions = rows.xai, rows.attributions
    if "attributions" in features.parts and xai and attributions == xai:
        lost = sorted({rows.left_out[name] for name in rows.left_out if name.startswith(XAI) and group_of(name) == PROVENANCE})
        return f"no metric of exemplars ({'; '.join(lost) or 'none is in the rows'}): it would be {FULL} again"
    for part in features.parts:
        wanted = {
            "confidence": CONFIDENCE,
            "embedding": EMBEDDING,
            "xai": xai,
            "attributions": attributions,
            "shuffled": xai,
            "shifted": (SHIFTED,),
        }[part]
        found = rows.named(wanted)
        if not found:
            reasons = sorted({rows.left_out[name] for name in wanted if name in rows.left_out})
            return f"no feature of {part}: {'; '.join(reasons) or 'none is in the rows'}"
        names += found
    return tuple(names)


def matrix_of(rows: Rows, features: FeatureSet, columns: tuple[str, ...], seed: int) -> Floats:
    """float64[n, columns]; where the set is the control, explanation metrics are those of another example."""
    x = rows.matrix(columns)
    if "shuffled" in features.parts:
        places = np.asarray([place for place, name in enumerate(columns) if name in rows.xai], dtype=np.int64)
        x[:, places] = x[np.ix_(shuffled_within(rows.examples, rows.adapters, seed), places)]
    return x


def shuffled_within(examples: Codes, adapters: Codes, seed: int) -> Codes:
    """Per row a row of the same adapter that belongs to a drawn other example; all rows of an (example, adapter) get one example's.

    Explanation metrics repeat over the corruptions of an example, so the first row of the other example speaks for it. The examples of an
    adapter hand theirs on in one drawn circle: none keeps its own, unless the adapter has no other.
    """
    pair = adapters * (int(examples.max()) + 1) + examples
    names, first, code = np.unique(pair, return_index=True, return_inverse=True)
    owner = adapters[first]
    partner = np.empty(len(names), dtype=np.int64)
    for adapter in np.unique(owner):
        mine = np.flatnonzero(owner == adapter)
        circle = mine[rng(seed, "", "forecast", "shuffled", int(adapter)).permutation(len(mine))]
        partner[circle] = np.roll(circle, 1)
    return np.asarray(first[partner][code], dtype=np.int64)


def group_rate(rows: Rows, train: Codes, asked: Codes, level: str, *, adapter_known: bool, cell_known: bool) -> Floats:
    """Failure rate of the asked rows' group over the training rows, float64[asked] in (0, 1).

    Level `all`, `adapter` or `cell`. A group that has no training row has the rate of the next wider one: a cell of an adapter that was
    not seen (`adapter_known` False) is that of all adapters, an adapter's that of all. Each rate is drawn towards the wider one by one row.
    """
    overall = (rows.failed[train].sum() + 0.5) / (len(train) + 1.0)
    rate = np.full(len(asked), overall)
    n_cells = len(rows.cell_names)
    ladders = {
        "all": [],
        "adapter": [rows.adapters] if adapter_known else [],
        "cell": [
            *([rows.cells] if cell_known else []),
            *([rows.adapters * n_cells + rows.cells] if adapter_known and cell_known else []),
            *([rows.adapters] if adapter_known and not cell_known else []),
        ],
    }
    for group in ladders[level]:
        size = int(group.max()) + 1
        n = np.bincount(group[train], minlength=size)[group[asked]]
        failed = np.bincount(group[train], weights=rows.failed[train], minlength=size)[group[asked]]
        rate = (failed + rate) / (n + 1.0)
    return rate


def cell_logit(rate: Floats) -> Floats:
    """The rate as a feature of a linear model, float64[n, 1]."""
    return np.asarray(logit(rate), dtype=np.float64)[:, None]
