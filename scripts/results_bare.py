"""What does the results page say of a dataset without adapters, whose networks and heads are all that was asked?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from results_made import made_section
from results_numbers import NOTHING
from results_provenance import provenance_part
from results_read import LABEL_SQL, RUN_SQL, SPLIT_SQL, WORDS
from results_summary import TITLES
from results_text_summary import TITLES as TEXT_TITLES
from results_text_summary import encoder_name

from lake.errors import MissingInputError
from pipelines.sql.duck import connect

SETTINGS_SQL = "SELECT DISTINCT settings_id FROM bronze.examples_current WHERE dataset = ?"


@dataclass(frozen=True)
class Bare:
    """A dataset of a lake of which gold judges no adapter. `splits`: examples by split; `settings_ids`: by table."""

    lake: Path
    dataset: str
    modality: str
    n_labels: int
    splits: dict[str, int]
    runs: pd.DataFrame
    settings_ids: dict[str, str]

    @property
    def config(self) -> dict[str, Any] | None:
        """The resolved configuration of the newest run on record; None where there is none."""
        found: dict[str, Any] | None = json.loads(self.runs["config"].iloc[-1]) if len(self.runs) else None
        return found


def read_bare(lake: Path, dataset: str) -> Bare:
    """The dataset's examples and runs. Raises MissingInputError when their tables are not there."""
    wanted = {"bronze.examples", "bronze.examples_current", "audit.runs", "audit.cells"}
    connection, found = connect(str(lake), wanted)
    with connection:
        if lacking := sorted(set(found.absent) & wanted):
            raise MissingInputError(f"{lake} must hold {', '.join(lacking)}: run `assay run CONFIG --lake {lake}` to the end")
        splits = connection.execute(SPLIT_SQL, [dataset]).fetchall()
        labels, modality = connection.execute(LABEL_SQL, [dataset]).fetchall()[0]
        runs = connection.execute(RUN_SQL, [dataset]).df()
        ids = {"bronze.examples": ", ".join(str(row[0]) for row in connection.execute(SETTINGS_SQL, [dataset]).fetchall())}
    return Bare(lake, dataset, str(modality), int(labels), {str(name): int(n) for name, n in splits}, runs, ids)


def bare_row(bare: Bare) -> list[str]:
    """The summary's line: classes and examples; no adapter was asked, so there is nothing else."""
    link, meta = f"[{bare.dataset}](#{bare.dataset})", bare.splits.get("meta", 0)
    if bare.modality == "image":
        own = [link, f"{bare.n_labels}", f"{meta:,}", NOTHING, "none", "not judged"]
        return own + [NOTHING] * (len(TITLES) - len(own))
    settings = bare.settings_ids["bronze.examples"][:8]
    own = [link, f"{bare.n_labels} classes, {meta:,} of meta, settings `{settings}`", encoder_name(bare.config)]
    return own + [NOTHING] * (len(TEXT_TITLES) - len(own))


def bare_section(root: Path, bare: Bare) -> str:
    """All of one dataset in Markdown."""
    splits = ", ".join(f"{name} {n:,}" for name, n in sorted(bare.splits.items()))
    many = WORDS[bare.modality].many.capitalize()
    parts = [
        f"## {bare.dataset}\n",
        f"- {many}: {splits}; {bare.n_labels} classes. Settings `{bare.settings_ids['bronze.examples']}`.",
        "- Gold judges no adapters of this dataset: here are networks that name training examples, and what they were asked.",
        provenance_part(bare.lake, bare.dataset),
        f"\n### {bare.dataset}: how it was made\n",
        made_section(root, bare),
    ]
    return "\n".join(part for part in parts if part) + "\n"
