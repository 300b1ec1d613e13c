"""Which training examples stand behind one answer, and is the head worth more than kNN? On one screen, for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TextIO

import numpy as np
import pandas as pd
from PIL import Image

from bronze.specs import EXAMPLES
from gold.provenance.arms import Arm
from gold.provenance.heads import EMBEDDINGS
from gold.provenance.settings import SeededArm
from gold.provenance.tables.provenance_summary import SPEC as SUMMARY
from models.decode import DecodeLimits, decode
from pipelines.visible import visible
from silver.specs import EXEMPLARS, HEADS

SHADES, SIDE, WIDEST = " .:-=+*#%@", 10, 100
CHOSEN = """
SELECT e.head_id, e.example_id FROM silver.exemplars_current e JOIN silver.heads_current h USING (dataset, head_id)
WHERE e.dataset = ? AND e.rank = 1 AND h.name IN (SELECT unnest(?)) AND e.train_example_id IS NOT NULL
ORDER BY h.name, e.same_class, e.example_id LIMIT 1
"""
NAMED = """
SELECT e.rank, e.train_example_id, e.probability, e.distance, e.predicted_id, h.name
FROM silver.exemplars_current e JOIN silver.heads_current h USING (dataset, head_id)
WHERE e.dataset = ? AND e.head_id = ? AND e.example_id = ? AND e.rank <= 5 AND e.train_example_id IS NOT NULL ORDER BY e.rank
"""
SHOWN = (
    "SELECT example_id, label, label_id, image, text FROM bronze.examples_current WHERE dataset = ? AND example_id IN (SELECT unnest(?))"
)
FIGURES = ("class_accuracy", "top1_index", "top5_index", "class_match_top1", "class_match_top5_share", "membership_auc")
OF_ONE = {"silver.exemplars_current", "silver.heads_current", "bronze.examples_current"}
OF_ALL = {SUMMARY.full_name}


def tell_of_provenance(root: str, dataset: str, heads: Sequence[str], arms: Sequence[SeededArm], stream: TextIO) -> None:
    """Prints one answer with its five exemplars, a wrong one where there is one, and networks beside kNN and the plain classifier: the
    first of `arms` and its twins, and the `heads`, by name. `root`: of a lake in a local folder that has them."""
    from pipelines.sql.duck import connect, exists

    has_heads, has_summary = all(exists(root, table) for table in (EXEMPLARS, HEADS, EXAMPLES)), exists(root, SUMMARY)
    connection, _ = connect(root, (OF_ONE if has_heads else set()) | (OF_ALL if has_summary else set()))
    try:
        if has_heads and (chosen := connection.execute(CHOSEN, [dataset, list(heads)]).fetchone()):
            named = connection.execute(NAMED, [dataset, *chosen]).fetchdf()
            shown = connection.execute(SHOWN, [dataset, [chosen[1], *named["train_example_id"]]]).fetchdf().set_index("example_id")
            if chosen[1] in shown.index:
                stream.write(answer(chosen[1], named[named["train_example_id"].isin(shown.index)], shown))
        if has_summary:
            told = connection.execute("SELECT * FROM gold.provenance_summary WHERE dataset = ?", [dataset]).fetchdf()
            stream.write(summary(told, arms[0].arm if arms else None))
    finally:
        connection.close()


def answer(example_id: str, named: pd.DataFrame, shown: pd.DataFrame) -> str:
    """The example and its exemplars side by side as characters, or one under the other as texts."""
    example, classes = shown.loc[example_id], dict(zip(shown["label_id"], shown["label"], strict=True))
    head, told = named["name"].iloc[0], classes.get(named["predicted_id"].iloc[0], named["predicted_id"].iloc[0])
    asked = f"{example_id} is {visible(str(example['label']))}, and the head {head} takes it for {visible(str(told))}"
    rows = [_shown("asked", example)]
    rows += [
        _shown(f"{one['rank']}. {one['probability']:.3f}", shown.loc[str(one["train_example_id"])]) for one in named.to_dict("records")
    ]
    drawn: list[str] = _pictures(rows) if pd.isna(example["text"]) else _texts(rows)
    return "\n".join(["", f"which training examples stand behind an answer? {asked}:", *drawn, ""])


def _shown(name: str, row: Any) -> dict[str, Any]:
    return {"of": name, "label": row["label"], "image": row["image"], "text": row["text"]}


def _pictures(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    drawn = [art(bytes(row["image"])) for row in rows]
    heads = [f"{row['of']} ({visible(str(row['label']))})"[: 2 * SIDE].ljust(2 * SIDE) for row in rows]
    return ["  " + "  ".join(line).rstrip() for line in (heads, *zip(*drawn, strict=True))]


def _texts(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [f"  {row['of']:>9}  {visible(str(row['label'])):16.16}  {visible(str(row['text']))[:WIDEST]}" for row in rows]


def art(content: bytes) -> list[str]:
    """A picture file as SIDE lines of 2 SIDE characters, darker ones for brighter places."""
    grey = Image.fromarray(decode(content, DecodeLimits()).image).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    shades = np.asarray(grey).astype(int) * (len(SHADES) - 1) // 255
    return ["".join(2 * SHADES[shade] for shade in row) for row in shades]


def summary(told: pd.DataFrame, first: Arm | None) -> str:
    """One line per head over embeddings, and per variant of the first arm, and per kNN over its features: means over seeds. Others are in
    the table."""
    own = told["model_size"] == EMBEDDINGS if len(told) else pd.Series(dtype=bool)
    if first is not None and len(told):
        key = first.key()
        twin = told["sharing_level"].isin([key["sharing_level"], "all", "none"])
        for name in set(key) - {"variant", "sharing_level"}:
            twin &= told[name] == key[name]
        own |= twin
    if not own.any():
        return ""
    by = told[own].groupby(["name", "variant", "model_size", "subset"], sort=False)
    means = by[list(FIGURES)].mean().assign(seeds=by["seed"].nunique(), n=by["n"].max()).reset_index().sort_values(["name", "variant"])
    text = means.to_string(index=False, float_format=lambda number: f"{number:.3f}", na_rep="–")
    return (
        "\nprovenance networks beside kNN, which is free, and the plain classifier (index: of training inputs; class match: of new ones; "
        "membership: AUC near 1 is a leak; all: gold.provenance_summary)\n" + "\n".join("  " + line for line in text.splitlines()) + "\n"
    )
