"""Do the sources of priors say the same? Two that do have little to gain from fusion."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import pandas as pd

from gold.frames import Frames
from gold.steering.columns import SELECTION, SELECTION_KEY
from gold.steering.recipes import choice_columns
from gold.steering.stacks import PriorRows, PriorSet, Stack, prior_rows, prior_sets, stacked
from gold.table import TAIL, GoldTable, as_table, count, share, signed
from lake.spec import DATASET, Column, Table
from xai.prior_statistics import agreement
from xai.prior_words import mean_overlap, top_words

SPEC = Table(
    layer="gold",
    name="prior_correlations",
    comment=(
        "how alike two sources of priors are on the same training texts, both clipped at 0 and normalised as they steer; empty for pictures"
    ),
    key=("dataset", "scorer", "source_a", "source_b", *SELECTION_KEY),
    partition_by=("dataset",),
    columns=(
        DATASET,
        Column("scorer", "string", "hash of the language model behind cap, lime and shap"),
        Column("source_a", "string", "one source; ig is that of every twin on these texts, each (text, twin) counting once"),
        Column("source_b", "string", "another source, later in the alphabet"),
        *SELECTION,
        signed("pearson_r", "Pearson correlation over the words of a text, mean over texts"),
        signed("spearman_r", "Spearman correlation over the words of a text, mean over texts"),
        share("top10_overlap", "words in both lists of ten best per class / ten, mean over classes"),
        count("n_twins", "twins behind ig; 0 where ig is neither source"),
        *TAIL,
    ),
)


def build(frames: Frames) -> pd.DataFrame:
    """One row per pair of sources of a language model and choice of texts; n = texts where both correlations exist."""
    sets = [] if frames.text is None else prior_sets(list(prior_rows(frames.text)))
    return as_table(SPEC, frames.dataset, [record for one in sets for record in _records(one, frames.settings.steering.top_words)])


def _records(one: PriorSet, k: int) -> Iterator[dict[str, object]]:
    for source_a, source_b in combinations(sorted(one.sources), 2):
        pairs = [_shared(a, b) for a in one.sources[source_a] for b in one.sources[source_b]]
        a, b = (_joined([pair[side] for pair in pairs]) for side in (0, 1))
        found = agreement(a.values, b.values, a.included) if len(a) else None
        known = found is not None and found.n > 0
        yield {
            "scorer": one.scorer,
            "source_a": source_a,
            "source_b": source_b,
            **choice_columns(one.choice),
            "n_perturbations": one.n,
            "pearson_r": found.pearson if found else None,
            "spearman_r": found.spearman if found else None,
            "top10_overlap": mean_overlap(_top(a, k), _top(b, k)) if len(a) else None,
            "n_twins": len(one.sources["ig"]) if "ig" in (source_a, source_b) else 0,
            "n": found.n if found else 0,
            "reason": None if known else "no text on which both sources differ between words",
        }


def _top(stack: Stack, k: int) -> dict[str, tuple[tuple[str, float], ...]]:
    return top_words(stack.values, stack.words, stack.labels, stack.included, k)


def _shared(a: PriorRows, b: PriorRows) -> tuple[Stack, Stack]:
    """Both on the texts that both have, in one order."""
    both = sorted(set(a.example_ids) & set(b.example_ids))
    return _taken(a, both), _taken(b, both)


def _taken(rows: PriorRows, ids: list[str]) -> Stack:
    place = {example_id: at for at, example_id in enumerate(rows.example_ids)}
    at = [place[example_id] for example_id in ids]
    own = rows.stack
    return Stack(own.values[at], own.included[at], [own.words[i] for i in at], [own.labels[i] for i in at])


def _joined(parts: list[Stack]) -> Stack:
    """Several stacks as one; each word keeps its number."""
    values = [row[kept] for part in parts for row, kept in zip(part.values, part.included, strict=True)]
    return stacked(values, [own for part in parts for own in part.words], [label for part in parts for label in part.labels])


TABLE = GoldTable(SPEC, build)
