"""Which words does each source rest on in each class?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pandas as pd

from gold.frames import Frames
from gold.steering.columns import SCORER, SELECTION, SELECTION_KEY, SOURCE
from gold.steering.stacks import PriorRows, prior_rows
from gold.table import TAIL, GoldTable, as_table, rank_column, share
from lake.spec import DATASET, Column, Table
from xai.prior_words import top_words

SPEC = Table(
    layer="gold",
    name="prior_top_words",
    comment="the words that a source of priors rests on most in each class of training texts; empty for pictures",
    key=("dataset", "scorer", "source", *SELECTION_KEY, "label", "rank"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        SCORER,
        SOURCE,
        *SELECTION,
        Column("label", "string", "the class that is trained, a wrong one too"),
        rank_column("1 = the word with the largest score; ties by alphabet, so no two share a rank"),
        Column("word", "string", "the word, casefolded"),
        share("score", "the word's share of a text's prior, averaged over the class's texts, 0 where it does not occur"),
        *TAIL,
    ),
)


def build(frames: Frames) -> pd.DataFrame:
    """At most `steering.top_words` rows per source and class; n = texts of the class."""
    rows = () if frames.text is None else prior_rows(frames.text)
    return as_table(SPEC, frames.dataset, [record for one in rows for record in _records(one, frames.settings.steering.top_words)])


def _records(one: PriorRows, k: int) -> Iterator[dict[str, object]]:
    stack, texts = one.stack, Counter(one.stack.labels)
    for label, best in top_words(stack.values, stack.words, stack.labels, stack.included, k).items():
        for rank, (word, score) in enumerate(best, 1):
            # Rounding may carry a sum of shares past 1 by one bit.
            yield one.columns | {
                "label": label, "rank": rank, "word": word, "score": min(score, 1.0), "n": texts[label], "reason": None,
            }  # fmt: skip


TABLE = GoldTable(SPEC, build)
