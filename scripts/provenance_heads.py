"""How do heads over embeddings stand beside kNN and logistic regression on the same vectors?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import provenance_words as words
from docs_markdown import grid
from provenance_figures import NOTHING, listed, side, span
from provenance_networks import MATCH
from provenance_read import Study

NAMES = {"knn_plain": "kNN", "plain": "logistic regression"}
TITLES = ("dataset, classes", "head", "training examples", "slots", "class accuracy", "top-5 index", MATCH)
Row = dict[str, Any]


def heads_part(studies: Sequence[Study]) -> str:
    """A table over all datasets, a line on each network head, and the heads that were refused; nothing without heads."""
    lines = [line for study in studies for line in head_lines(study)]
    refused = [line for study in studies for line in _refused(study)]
    if not lines and not refused:
        return ""
    told = "".join(f"- {study.dataset}: {sentence}\n" for study in studies for sentence in comparisons(study))
    return words.HEADS.format(match=MATCH) + grid(TITLES, lines) + "".join(f"\n{part}" for part in (told, "".join(refused)) if part)


def head_lines(study: Study) -> list[list[str]]:
    """A table's rows of one dataset: network heads, then kNN, then logistic regression."""
    classes, dataset = study.rows("heads"), study.dataset
    told = dataset if classes.empty else f"{dataset}, {span(classes['n_classes'])}"
    return [
        [
            told, name_of(row), f"{int(row['n_train']):,}", _whole(row["slots"]), _share(row, "class_accuracy"), _plain(row["top5_index"]),
            _share(row, "class_match_top1"),
        ]
        for row in records(study)
    ]  # fmt: skip


def records(study: Study) -> list[Row]:
    """Rows of heads over embeddings in the table's order."""
    rows = study.embedded
    if rows.empty:
        return []
    places = {"knn_plain": 1, "plain": 2}
    found: list[Row] = rows.assign(place=rows["variant"].map(places).fillna(0)).sort_values(["place", "variant", "name"]).to_dict("records")  # type: ignore[assignment]  # columns have names
    return found


def name_of(row: Row) -> str:
    """The variant, with the name the configuration gave it."""
    return NAMES.get(row["variant"], f"{row['variant']} ({row['name']})")


def comparisons(study: Study) -> list[str]:
    """Each network head's class accuracy, and first named example, beside kNN's and logistic regression's."""
    rows = records(study)
    peers = {row["variant"]: row for row in rows if row["variant"] in NAMES}
    found = []
    for row in rows:
        if row["variant"] in NAMES:
            continue
        parts = [f"class accuracy {_held(row, other, 'class_accuracy')} {NAMES[name]}'s" for name, other in peers.items()]
        if "knn_plain" in peers:
            parts.append(f"the share of first examples of the true class {_held(row, peers['knn_plain'], 'class_match_top1')} kNN's")
        if parts:
            found.append(f"{name_of(row)}: {listed(parts)} ({int(row['n']):,} of meta).")
    return found


def _held(row: Row, other: Row, figure: str) -> str:
    low, high = (f"{figure}_ci_low", f"{figure}_ci_high")
    where = side(row[low] - other[high], row[high] - other[low])
    return {1: "is above", -1: "is below", 0: "has an interval that overlaps", None: "has no interval to hold against"}[where]


def _refused(study: Study) -> list[str]:
    rows = study.rows("heads")
    if rows.empty:
        return []
    bad = rows[rows["status"] == "rejected"]
    return [f"- {study.dataset}: head `{row['name']}` was rejected: {row['reason']}.\n" for row in bad.to_dict("records")]


def _share(row: Row, name: str) -> str:
    low, high = row[f"{name}_ci_low"], row[f"{name}_ci_high"]
    return NOTHING if pd.isna(row[name]) or pd.isna(low) else f"{row[name]:.3f} ({low:.3f} to {high:.3f})"


def _plain(value: Any) -> str:
    return NOTHING if pd.isna(value) else f"{value:.3f}"


def _whole(value: Any) -> str:
    return NOTHING if pd.isna(value) else f"{int(value):,}"
