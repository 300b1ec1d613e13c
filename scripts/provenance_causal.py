"""Do predictions rest on the examples that are named for them? The causal check as a table, and one conclusion made of its intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import provenance_words as words
from docs_markdown import grid
from provenance_figures import NOTHING, counted, listed, plus, side
from provenance_read import Study

HEAD = "index_head"
PEERS = {"knn": "kNN", "tracin": "TracIn"}
NAMES = {HEAD: "the index head", **PEERS, "random": "random"}
SCOPES = {"head": "head fitted again", "whole_net": "whole network trained again"}
SHORT = {"head": "head", "whole_net": "whole network"}
TITLES = ("trained again", "k", "named by", "change", "minus random", "minus the index head's", "test examples", "seeds")
Row = dict[str, Any]


def causal_part(study: Study) -> str:
    """Table, one sentence per row, and the conclusion; nothing without rows."""
    rows = study.rows("causal")
    if rows.empty:
        return ""
    said = "".join(f"- {row['sentence']}\n" for row in ordered(rows))
    return f"{words.CAUSAL.format(name=study.dataset)}{causal_table(rows)}\n**{conclusion(rows)}** {peers_told(rows)}\n\n{said}"


def causal_table(rows: pd.DataFrame) -> str:
    """A line per scope, k and method, with all intervals."""
    lines = [
        [
            SHORT[row["scope"]], f"{row['k']}", NAMES[row["method"]], _ends(row, "change", "change"),
            _ends(row, "difference_from_random", "difference"), _ends(row, "difference_from_index_head", "against_head"),
            f"{row['n']}", f"{row['n_seeds']}",
        ]
        for row in ordered(rows)
    ]  # fmt: skip
    return grid(TITLES, lines)


def ordered(rows: pd.DataFrame) -> list[Row]:
    """Rows by scope and k, methods in one order."""
    places = {name: place for place, name in enumerate(NAMES)}
    found: list[Row] = rows.assign(place=rows["method"].map(places)).sort_values(["scope", "k", "place"]).to_dict("records")  # type: ignore[assignment]  # columns have names
    return found


def conclusion(rows: pd.DataFrame) -> str:
    """What all intervals say of the index head's examples against random ones."""
    return _against_random(HEAD, ordered(rows)) or "The index head was not asked."


def peers_told(rows: pd.DataFrame) -> str:
    """The same of each peer, then of each against the index head, and what all of it rests on."""
    found = ordered(rows)
    parts = [*(_against_random(peer, found) for peer in PEERS), *(_against_head(peer, found) for peer in PEERS), _reach(found)]
    return " ".join(part for part in parts if part)


def _against_random(method: str, rows: Sequence[Row]) -> str:
    own = [row for row in rows if row["method"] == method]
    if not own:
        return ""
    whose = f"the training examples that {NAMES[method]} names"
    by = _sides(own, "difference")
    if len(by[None]) == len(own):
        return f"Of {whose} there are too few test examples for an interval."
    if len(by[-1]) == len(own):
        told = f"Predictions rest on {whose} more than on random ones of the class, in every check"
    elif not by[-1] and not by[1]:
        told = f"There is no evidence that predictions rest on {whose} more than on random ones of the class, in any check"
    elif not by[-1] and len(by[1]) == len(own):
        told = f"Predictions rest on {whose} less than on random ones of the class, in every check"
    else:
        told = f"Of {whose}, held against random ones of the class, {_mixed(by, 'predictions rest on them')}"
    return f"{told} ({_range(own, 'difference_from_random')})."


def _against_head(peer: str, rows: Sequence[Row]) -> str:
    own = [row for row in rows if row["method"] == peer]
    if not own:
        return ""
    by = _sides(own, "against_head")
    if len(by[None]) == len(own):
        return ""
    if len(by[-1]) == len(own):
        told = f"{PEERS[peer]}'s examples matter more than the index head's in every check"
    elif len(by[1]) == len(own):
        told = f"{PEERS[peer]}'s examples matter less than the index head's in every check"
    elif len(by[0]) == len(own):
        told = f"{PEERS[peer]}'s examples are not seen to matter more or less than the index head's, in any check"
    else:
        told = f"Of {PEERS[peer]}'s examples, held against the index head's, {_mixed(by, 'they matter')}"
    return f"{told} ({_range(own, 'difference_from_index_head')})."


def _sides(rows: Sequence[Row], ends: str) -> dict[int | None, list[Row]]:
    found: dict[int | None, list[Row]] = {-1: [], 0: [], 1: [], None: []}
    for row in rows:
        found[side(row[f"{ends}_ci_low"], row[f"{ends}_ci_high"])].append(row)
    return found


def _mixed(by: dict[int | None, list[Row]], what: str) -> str:
    said = {-1: f"{what} more", 1: f"{what} less", 0: "no difference is seen", None: "there is no interval"}
    return "; ".join(f"{start} with the {_where(by[where])}" for where, start in said.items() if by[where])


def _where(rows: Sequence[Row]) -> str:
    """`head fitted again (k 5 and 20) and whole network trained again (k 20)`."""
    by = {scope: [f"{row['k']}" for row in rows if row["scope"] == scope] for scope in SCOPES}
    return listed([f"{SCOPES[scope]} (k {listed(ks)})" for scope, ks in by.items() if ks])


def _range(rows: Sequence[Row], name: str) -> str:
    values = [float(row[name]) for row in rows]
    low, high = plus(min(values)), plus(max(values))
    return f"mean difference of p {low}" if low == high else f"mean differences of p {low} to {high}"


def _reach(rows: Sequence[Row]) -> str:
    """What the check rests on; the whole network's is small."""
    by = {scope: [row for row in rows if row["scope"] == scope] for scope in SCOPES}
    parts = [
        f"{counted(max(int(row['n']) for row in own), 'test example')} and {counted(max(int(row['n_seeds']) for row in own), 'seed')} "
        f"({SCOPES[scope]})"
        for scope, own in by.items()
        if own
    ]
    return f"This rests on {listed(parts)}; the intervals are not corrected for their number."


def _ends(row: Row, name: str, ends: str) -> str:
    low, high = row[f"{ends}_ci_low"], row[f"{ends}_ci_high"]
    if pd.isna(row[name]):
        return NOTHING
    return plus(row[name]) if pd.isna(low) or pd.isna(high) else f"{plus(row[name])} ({plus(low)} to {plus(high)})"
