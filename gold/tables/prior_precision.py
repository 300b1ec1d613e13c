"""Do priors point at the words that decide, where the makers of the data know them?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from gold.frames import Frames
from gold.steering.columns import SCORER, SELECTION, SELECTION_KEY, SOURCE
from gold.steering.frames import TRAIN
from gold.steering.inputs import Truth
from gold.steering.stacks import PriorRows, prior_rows
from gold.table import TAIL, GoldTable, as_table, share
from lake.spec import DATASET, Table
from xai.metrics.truth import precision_at_k

SPEC = Table(
    layer="gold",
    name="prior_precision",
    comment="how many of a prior's best words are those that decide; only of data whose decisive words are known, else empty",
    key=("dataset", "scorer", "source", *SELECTION_KEY),
    partition_by=("dataset",),
    columns=(
        DATASET,
        SCORER,
        SOURCE,
        *SELECTION,
        share(
            "precision_at_k", "share of a text's k best words that decide, k being the number that do; mean over texts; higher is better"
        ),
        share("chance", "what random words reach: k / words of the text, mean over the same texts"),
        *TAIL,
    ),
)


def build(frames: Frames) -> pd.DataFrame:
    """One row per source and scorer; n = texts whose decisive words are known. No row without a truth."""
    text = frames.text
    if text is None or text.truth is None:
        return as_table(SPEC, frames.dataset, [])
    train = text.examples[text.examples["split"] == TRAIN]
    text_of = dict(zip(train["example_id"], train["text"], strict=True))
    return as_table(SPEC, frames.dataset, [_record(one, text_of, text.truth) for one in prior_rows(text)])


def _record(one: PriorRows, text_of: dict[str, str], truth: Truth) -> dict[str, object]:
    """The prior is for the label that is trained: of a wrong one the truth knows no words."""
    stack = one.stack
    decisive = np.zeros(stack.included.shape, dtype=bool)
    for row, (example_id, label) in enumerate(zip(one.example_ids, stack.labels, strict=True)):
        found = truth(text_of[example_id], label) if example_id in text_of else None
        if found is not None:
            decisive[row, stack.included[row]] = found
    precision = precision_at_k(stack.values, decisive, stack.included)
    known = np.isfinite(precision)
    chance = decisive.sum(axis=1) / stack.included.sum(axis=1)
    return one.columns | {
        "precision_at_k": float(precision[known].mean()) if known.any() else None,
        "chance": float(chance[known].mean()) if known.any() else None,
        "n": int(known.sum()),
        "reason": None if known.any() else "of no text is it known which words decide",
    }


TABLE = GoldTable(SPEC, build)
