"""What does a lake hold about provenance networks, and about heads over embeddings? Read with DuckDB, without a JVM."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pandas as pd

from gold.provenance.heads import EMBEDDINGS
from lake.errors import ConfigError, MissingInputError
from pipelines.sql.duck import connect

GOLD = (
    "summary", "epochs", "robustness", "class_errors", "mislabels", "causal", "generation", "generated", "verdict",
)  # fmt: skip
HEADS = "silver.heads_current"
WITHOUT = {"generated": " EXCLUDE (image)"}  # pictures are not read


@dataclass(frozen=True)
class Study:
    """All rows of one dataset, by the table's name without `provenance_`; `heads`: those of silver.heads. What is absent has no rows."""

    dataset: str
    lake: str
    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def rows(self, name: str) -> pd.DataFrame:
        """The rows of a table; an empty frame, without columns where the table is absent."""
        return self.frames.get(name, pd.DataFrame())

    @property
    def nets(self) -> pd.DataFrame:
        """Rows of the summary that are of conv nets, or of kNN over their features."""
        found = self.rows("summary")
        return found if found.empty else found[found["model_size"] != EMBEDDINGS]

    @property
    def embedded(self) -> pd.DataFrame:
        """Rows of the summary that are of heads over embeddings, of kNN and of the plain classifier on the same."""
        found = self.rows("summary")
        return found if found.empty else found[found["model_size"] == EMBEDDINGS]

    @property
    def settings_ids(self) -> list[str]:
        """settings_id of the study's rows, each once."""
        found = [frame["settings_id"] for name, frame in self.frames.items() if name != "heads" and len(frame)]
        return sorted({str(one) for one in pd.concat(found)}) if found else []


def named_in(lake: Path | str, *, in_gold: bool = False) -> list[str]:
    """Datasets of which the lake has rows about provenance (`in_gold`: in gold, where a run came to its end); none without such tables."""
    connection, names = _opened(lake)
    with connection:
        return sorted({name for table in names if table != HEADS or not in_gold for name in _datasets(connection, table)})


def read_study(lake: Path | str, dataset: str) -> Study:
    """What the lake holds about one dataset; a study without rows where it holds nothing."""
    connection, names = _opened(lake)
    with connection:
        found = {}
        for table in names:
            short = "heads" if table == HEADS else table.removeprefix("gold.provenance_")
            sql = f"SELECT *{WITHOUT.get(short, '')} FROM {table} WHERE dataset = ? ORDER BY ALL"  # noqa: S608  # names of our own tables
            frame = connection.execute(sql, [dataset]).df()
            if len(frame):
                found[short] = frame
    return Study(dataset, str(lake), found)


def read_studies(lakes: Iterable[Path | str]) -> list[Study]:
    """Every dataset of every lake, in the order given.

    Raises MissingInputError for a lake without such rows, ConfigError where two lakes have one dataset.
    """
    found: list[Study] = []
    for lake in lakes:
        names = named_in(lake)
        if not names:
            raise MissingInputError(
                f"{lake} must hold gold.provenance_summary or silver.heads, found no rows: run a configuration with them"
            )
        if twice := sorted(set(names) & {one.dataset for one in found}):
            raise ConfigError(f"--also: a dataset stands once on the page, found {', '.join(twice)} in several lakes; leave one out")
        found += [read_study(lake, name) for name in names]
    return found


def _opened(lake: Path | str) -> tuple[duckdb.DuckDBPyConnection, list[str]]:
    wanted = [*(f"gold.provenance_{name}" for name in GOLD), HEADS]
    connection, plan = connect(str(lake), set(wanted))
    return connection, [name for name in wanted if name not in plan.absent]


def _datasets(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    return [str(row[0]) for row in connection.execute(f"SELECT DISTINCT dataset FROM {table}").fetchall()]  # noqa: S608  # our own names
