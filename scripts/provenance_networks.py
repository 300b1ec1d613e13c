"""Which rows are of one network, and which networks differ from the usual one by one factor?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from docs_markdown import grid
from provenance_figures import Apart, Figure, cell, counted, over_seeds, paired, signed, word

CONDITIONAL = "class_conditional"
VARIANTS = ("plain", "single_branch", "two_branch", CONDITIONAL)
FACTORS = ("model_size", "subset", "selection", "alpha", "sharing_level", "lambda_class", "lambda_index", "teacher_forcing")
# What a variant does not read does not name it (gold.provenance.arms).
IDLE = {"plain": ("alpha", "sharing_level", "lambda_class", "lambda_index"), "single_branch": ("sharing_level",)}
FIGURES = {"class accuracy": "class_accuracy", "top-1 index": "top1_index", "top-5 index": "top5_index"}
MATCH = "first example's class"
TITLES = (*FIGURES, MATCH)
Network = Mapping[str, Any]


def usual(nets: pd.DataFrame) -> dict[str, Any]:
    """The network around which one factor at a time is changed: of the class-conditional ones (else of the first of VARIANTS from behind
    that there is) the one whose factors most networks share."""
    own = next((rows for variant in reversed(VARIANTS) if len(rows := nets[nets["variant"] == variant])), nets)
    forced = own[own["teacher_forcing"].astype(bool)]
    own = own if forced.empty else forced
    shared = np.sum([own[name].map(nets[name].value_counts()).to_numpy(dtype=np.int64) for name in FACTORS], axis=0)
    first = own.iloc[int(shared.argmax())]
    return {name: first[name] for name in FACTORS}


def twin(frame: pd.DataFrame, network: Network, variant: str = CONDITIONAL, **changed: Any) -> pd.DataFrame:
    """Rows of the network of this variant with these factors changed, in the order of the seeds; factors it does not read are let be."""
    wanted = {**network, **changed}
    rows = frame[frame["variant"] == variant]
    for name in FACTORS:
        if name not in IDLE.get(variant.removeprefix("knn_"), ()):
            rows = rows[rows[name] == wanted[name]]
    return rows.sort_values("seed")


def variants(frame: pd.DataFrame, network: Network, **changed: Any) -> dict[str, pd.DataFrame]:
    """Name -> rows of every variant with these factors that has rows, in the order of VARIANTS; the class-conditional one that learns
    from its own predicted classes is a network of its own."""
    found = {variant: twin(frame, network, variant, **changed) for variant in VARIANTS}
    found[f"{CONDITIONAL}, no teacher forcing"] = twin(frame, network, CONDITIONAL, **changed, teacher_forcing=False)
    return {name: rows for name, rows in found.items() if len(rows)}


def neighbours(frame: pd.DataFrame, network: Network, **changed: Any) -> dict[str, pd.DataFrame]:
    """Name -> rows of kNN over the features of each of these variants."""
    found = {f"kNN, features of {variant}": twin(frame, network, f"knn_{variant}", **changed) for variant in VARIANTS}
    return {name: rows for name, rows in found.items() if len(rows)}


def varied(frame: pd.DataFrame, network: Network, factor: str, **changed: Any) -> dict[Any, pd.DataFrame]:
    """Value -> rows of the class-conditional networks that differ from `network` (with `changed`) by this factor at most."""
    values = sorted(frame.loc[frame["variant"] == CONDITIONAL, factor].unique())
    found = {value: twin(frame, network, CONDITIONAL, **{**changed, factor: value}) for value in values}
    return {value: rows for value, rows in found.items() if len(rows)}


def figure(rows: pd.DataFrame, column: str) -> Figure | None:
    """One of the summary's shares over seeds; index accuracy rests on training examples, the others on meta."""
    of_training = column in ("top1_index", "top5_index", "class_accuracy_train")
    return over_seeds(rows[column], int(rows["n_train" if of_training else "n"].max()))


def line(title: str, rows: pd.DataFrame) -> list[str]:
    """A table's row: the network, its seeds, the figures of TITLES."""
    cells = [cell(figure(rows, column)) for column in (*FIGURES.values(), "class_match_top1")]
    return [title, f"{rows['seed'].nunique()}", *cells]


def table(first: str, networks: Mapping[str, pd.DataFrame]) -> str:
    """A table of networks."""
    return grid([first, "seeds", *TITLES], [line(str(name), rows) for name, rows in networks.items()])


def apart(rows: pd.DataFrame, base: pd.DataFrame, column: str) -> Apart | None:
    """The difference of one figure, paired by seed."""
    return paired(rows.set_index("seed")[column], base.set_index("seed")[column])


def changes(rows: pd.DataFrame, base: pd.DataFrame) -> str:
    """`class accuracy +0.0010 (-0.0020 to +0.0040), not seen to differ; ... (3 seeds)`: of all figures that both have."""
    found = {name: apart(rows, base, column) for name, column in FIGURES.items()}
    there = {name: one for name, one in found.items() if one is not None}
    if not there:
        return "no seed in common"
    pairs = min(one.pairs for one in there.values())
    told = [f"{name} {signed(one)}{'' if pairs < 2 else f', {word(one)}'}" for name, one in there.items()]
    return f"{'; '.join(told)} ({counted(pairs, 'seed')}{', no verdict' if pairs < 2 else ''})"
