"""What does a finished lake say about one dataset? Read with deltalake and DuckDB, without a JVM."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pandas as pd
from provenance_read import named_in

from gold.examined import examined
from lake.errors import ContractError, MissingInputError
from pipelines.sql.duck import connect
from silver.specs import EXPLANATION_METRICS, INVERSION, PROVENANCE

TABLES = (
    "bronze.examples",
    "silver.adapters",
    "silver.predictions",
    "silver.explanation_metrics",
    "ood.predictions",
    "gold.adapter_summary",
    "gold.correlations",
    "gold.classifier_comparison",
    "gold.degradation",
    "gold.worst_corruption",
    "gold.rank_effect",
)
AUDIT = ("audit.runs", "audit.settings", "audit.cells", "audit.rejected", "bronze.rejected")
BY_ADAPTER = ("silver.adapters", "silver.predictions", "silver.explanation_metrics", "ood.predictions")
CURRENT = ("bronze.examples", *BY_ADAPTER)

SPLIT_SQL = "SELECT split, COUNT(*) AS n FROM bronze.examples_current WHERE dataset = ? GROUP BY split ORDER BY split"
LABEL_SQL = (
    "SELECT COUNT(DISTINCT label) AS n, MIN(modality) AS modality FROM bronze.examples_current WHERE dataset = ? AND split <> 'outside'"
)
# Gold lists the adapters the configuration asked for; of those only what has rows is judged here.
ADAPTER_SQL = """
SELECT a.adapter_id, a.name, a.rank, a.update_scale, a.seed, a.trainable_parameters, a.trainable_share, a.minutes, a.backbone,
       s.clean_accuracy, s.n_examples, s.n, s.settings_id
FROM gold.adapter_summary s JOIN silver.adapters_current a ON a.dataset = s.dataset AND a.adapter_id = s.adapter_id
WHERE s.dataset = ? AND s.n > 0 AND s.n_examples > 0 ORDER BY a.rank, a.update_scale, a.seed, a.name
"""
CLEAN_SQL = """
SELECT p.adapter_id, p.example_id, p.is_correct FROM silver.predictions_current p
JOIN gold.adapter_summary s ON s.dataset = p.dataset AND s.adapter_id = p.adapter_id AND s.n > 0 WHERE p.dataset = ?
ORDER BY p.adapter_id, p.example_id
"""
EXAMINED = examined("ood.predictions_current")
# One row per picture and cell: means over the adapters. 0 to 1.
CELL_SQL = f"""
SELECT o.example_id, o.corruption, o.severity, AVG(o.is_correct::INT) AS correct, AVG(o.flipped::INT) AS flipped, COUNT(*) AS n
FROM ({EXAMINED}) o
WHERE o.dataset = ? GROUP BY o.example_id, o.corruption, o.severity ORDER BY o.corruption, o.severity, o.example_id
"""  # noqa: S608  # names of our own tables
# One row per picture, adapter and corruption: counts over its severities.
FAILURE_SQL = f"""
SELECT o.example_id, o.adapter_id, o.corruption, SUM(1 - o.is_correct::INT) AS wrong, SUM(o.flipped::INT) AS flipped, COUNT(*) AS n
FROM ({EXAMINED}) o
WHERE o.dataset = ? AND o.severity > 0 GROUP BY o.example_id, o.adapter_id, o.corruption
ORDER BY o.adapter_id, o.corruption, o.example_id
"""  # noqa: S608  # names of our own tables
GOLD_SQL = {
    "correlations": "SELECT * FROM gold.correlations WHERE dataset = ? ORDER BY feature, scope",
    "learners": "SELECT * FROM gold.classifier_comparison WHERE dataset = ? ORDER BY protocol, model",
    "degradation": "SELECT * FROM gold.degradation WHERE dataset = ? ORDER BY adapter_id, corruption, severity",
    "worst": "SELECT * FROM gold.worst_corruption WHERE dataset = ? AND rank = 1 ORDER BY adapter_id, corruption",
    "ranks": "SELECT * FROM gold.rank_effect WHERE dataset = ? ORDER BY update_scale, rank",
}
REFUSED_SQL = """
SELECT 'bronze.examples' AS table_name, error_code, COUNT(*) AS n FROM bronze.rejected WHERE dataset = $1 GROUP BY ALL
UNION ALL SELECT table_name, error_code, COUNT(*) FROM audit.rejected WHERE dataset = $1 GROUP BY ALL ORDER BY ALL
"""
RUN_SQL = "SELECT * FROM audit.runs WHERE dataset = ? ORDER BY started_at, run_id"


class Words(NamedTuple):
    """What the page calls an example, and what is done to it."""

    one: str
    many: str
    change: str
    changes: str


WORDS = {
    "image": Words("picture", "pictures", "corruption", "corruptions"),
    "text": Words("text", "texts", "attack", "attacks"),
}


@dataclass(frozen=True)
class Findings:
    """What the page says about one dataset of one lake, of whatever modality. Frames have the columns of the SELECT they come from.

    `clean` and `failures`, which have rows per adapter and example, are empty of texts: of those there may be a hundred adapters, and the
    page speaks of arms. `method`: the explainer whose metrics gold holds.
    """

    lake: Path
    dataset: str
    modality: str
    n_labels: int
    splits: dict[str, int]
    adapters: pd.DataFrame
    clean: pd.DataFrame
    cells: pd.DataFrame
    failures: pd.DataFrame
    correlations: pd.DataFrame
    learners: pd.DataFrame
    degradation: pd.DataFrame
    worst: pd.DataFrame
    ranks: pd.DataFrame
    refused: pd.DataFrame
    runs: pd.DataFrame
    settings_ids: dict[str, str]
    scoring: dict[str, Any]
    metric_group: str
    method: str

    @property
    def n_meta(self) -> int:
        """Examples on which everything is judged."""
        return self.splits.get("meta", 0)

    @property
    def n_shifted(self) -> int:
        """Examples of meta that were shifted: all, unless the configuration examines a part."""
        return int(self.cells["example_id"].nunique())

    @property
    def words(self) -> Words:
        """What the page calls an example, and what is done to it."""
        return WORDS[self.modality]

    @property
    def config(self) -> dict[str, Any] | None:
        """The resolved configuration of the newest run on record; None where a run was killed before it was written down."""
        found: dict[str, Any] | None = json.loads(self.runs["config"].iloc[-1]) if len(self.runs) else None
        return found


def datasets(lake: Path) -> list[str]:
    """The datasets whose adapters gold judges, and those of which it has provenance networks or heads alone.

    Raises MissingInputError when there is none.
    """
    rows = sorted({*with_adapters(lake), *named_in(lake, in_gold=True)})
    if not rows:
        raise MissingInputError(f"{lake}: gold.adapter_summary has no rows; run `assay run CONFIG --lake {lake}` to the end")
    return rows


def with_adapters(lake: Path) -> list[str]:
    """The datasets whose adapters gold judges. Raises MissingInputError where there is no gold."""
    connection, found = connect(str(lake), {"gold.adapter_summary"})
    with connection:
        if found.absent:
            raise MissingInputError(f"{lake} must be a lake with gold tables, found none: run `assay run CONFIG --lake {lake}` to the end")
        rows = connection.execute("SELECT DISTINCT dataset FROM gold.adapter_summary ORDER BY dataset").fetchall()
    return [str(row[0]) for row in rows]


def read(lake: Path, dataset: str) -> Findings:
    """All findings of one dataset, each from the newest complete generation.

    Raises MissingInputError when a table is not there, ContractError when gold does not rest on the rows that are read beside it.
    """
    connection, found = connect(str(lake), {*TABLES, *AUDIT, *(f"{name}_current" for name in CURRENT)})
    try:
        if lacking := sorted(set(found.absent) & {*TABLES, "audit.runs"}):
            raise MissingInputError(f"{lake} must hold {', '.join(lacking)}: run `assay run CONFIG --lake {lake}` to the end")
        findings = _findings(connection, lake, dataset)
    finally:
        connection.close()
    require_one_generation(findings)
    return findings


def _findings(connection: duckdb.DuckDBPyConnection, lake: Path, dataset: str) -> Findings:
    def frame(sql: str) -> pd.DataFrame:
        return connection.execute(sql, [dataset]).df()

    ids = {name: _identity(connection, name, dataset) for name in TABLES}
    splits, labels = frame(SPLIT_SQL), frame(LABEL_SQL).iloc[0]
    modality = str(labels["modality"])
    judged = settings_behind(connection, dataset, "gold.correlations", ids["gold.correlations"])
    return Findings(
        lake=lake,
        dataset=dataset,
        modality=modality,
        n_labels=int(labels["n"]),
        splits={str(row["split"]): int(row["n"]) for row in splits.to_dict("records")},
        adapters=frame(ADAPTER_SQL),
        clean=frame(CLEAN_SQL) if modality == "image" else pd.DataFrame(),
        cells=frame(CELL_SQL),
        failures=frame(FAILURE_SQL) if modality == "image" else pd.DataFrame(),
        refused=frame(REFUSED_SQL),
        runs=frame(RUN_SQL),
        settings_ids=ids,
        scoring=settings_behind(connection, dataset, "silver.predictions", ids["silver.predictions"]),
        metric_group=str(judged["group"]),
        method=str(judged["settings"]["method"]),
        **{name: frame(sql) for name, sql in GOLD_SQL.items()},
    )


def _identity(connection: duckdb.DuckDBPyConnection, table: str, dataset: str) -> str:
    """The settings_id of the rows that are read: of the adapters that gold judges, for a lake keeps those of earlier configurations.

    Raises ContractError where there are none or several.
    """
    name = f"{table}_current" if table in CURRENT else table
    mine = " AND adapter_id IN (SELECT adapter_id FROM gold.adapter_summary WHERE dataset = $1 AND n > 0)" if table in BY_ADAPTER else ""
    if table == EXPLANATION_METRICS.full_name:  # parts have generations of their own
        mine += f" AND COALESCE(metric_group, '') NOT IN ('{INVERSION}', '{PROVENANCE}')"
    rows = connection.execute(f"SELECT DISTINCT settings_id FROM {name} WHERE dataset = $1{mine}", [dataset]).fetchall()  # noqa: S608  # our names
    if len(rows) != 1:
        raise ContractError(
            f"{table}: the page needs one generation of {dataset}, found {len(rows)}: bring the lake up to date with one configuration"
        )
    return str(rows[0][0])


def settings_behind(connection: duckdb.DuckDBPyConnection, dataset: str, table: str, identity: str) -> dict[str, Any]:
    """The settings that a settings_id of a table stands for. Raises ContractError where audit.settings does not hold them."""
    sql = "SELECT settings FROM audit.settings WHERE dataset = ? AND table_name = ? AND settings_id = ?"
    row = connection.execute(sql, [dataset, table, identity]).fetchone()
    if row is None:
        raise ContractError(f"audit.settings: nothing stands behind {identity} of {table}; run the configuration again")
    found: dict[str, Any] = json.loads(row[0])
    return found


def require_one_generation(findings: Findings) -> None:
    """Raises ContractError unless the accuracies counted here from ood.predictions are those that gold has: else they are of two runs."""
    counted = findings.cells.groupby(["corruption", "severity"])[["correct", "n"]].agg({"correct": "mean", "n": "sum"})
    gold = findings.degradation.assign(right=findings.degradation["accuracy"] * findings.degradation["n"])
    summed = gold.groupby(["corruption", "severity"])[["right", "n"]].sum()
    both = counted.join(summed, rsuffix="_gold", how="outer")
    apart = both[~((both["n"] == both["n_gold"]) & ((both["correct"] - both["right"] / both["n_gold"]).abs() < 1e-6))]
    if len(apart):
        raise ContractError(
            f"gold.degradation and ood.predictions of {findings.dataset} must agree, found {len(apart)} of {len(both)} cells that differ, "
            f"first {apart.index[0]}: run the configuration again, so that gold is of the same generation"
        )
