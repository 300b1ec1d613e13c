"""What does a finished lake say about priors and the trainings they steer? Read as `results_read` reads, for texts alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import pandas as pd
from results_read import Findings, settings_behind

from gold.settings import GoldSettings
from lake.errors import MissingInputError
from pipelines.sql.duck import connect

GOLD = {
    "arms": "SELECT * FROM gold.cap_hybrid_arms WHERE dataset = ?",
    "training": "SELECT * FROM gold.cap_hybrid_training WHERE dataset = ? ORDER BY setting, priors, name, adapter_id",
    "correlations": "SELECT * FROM gold.prior_correlations WHERE dataset = ?",
    "homogeneity": "SELECT * FROM gold.prior_homogeneity WHERE dataset = ?",
    "precision": "SELECT * FROM gold.prior_precision WHERE dataset = ?",
    "top_words": "SELECT * FROM gold.prior_top_words WHERE dataset = ? ORDER BY label, source, rank",
}
TABLES = tuple(sql.split()[3] for sql in GOLD.values())
OUTSIDE = "gold.out_of_scope"  # not of every lake, nor of every version
RECIPES = "SELECT adapter_id, recipe_settings FROM silver.adapters_current WHERE dataset = ? AND recipe_settings IS NOT NULL"
# Of gold's own generations of priors alone: what the language model was asked, and how sure it was of the label.
ASKED = """
SELECT source, settings_id, scorer, AVG(whole_p) AS whole_p, AVG(clipped_share) AS clipped_share, COUNT(*) AS n
FROM silver.priors WHERE dataset = ? AND list_contains(?, settings_id) AND whole_p IS NOT NULL GROUP BY ALL ORDER BY ALL
"""
REACH = """
SELECT attack, severity, MAX(n) AS n, AVG(edited_share) AS edited_share, AVG(kept_share) AS kept_share, AVG(accuracy) AS accuracy,
       AVG(accuracy_edited) AS accuracy_edited
FROM gold.attack_reach WHERE dataset = ? AND settings_id = ? GROUP BY attack, severity ORDER BY attack, severity
"""


@dataclass(frozen=True)
class Steering:
    """Frames as their tables have them. `asked`: one row per source and generation of priors; `reach`: means over adapters per attack and
    severity; `outside`: None where the lake has no such table; `recipes`: adapter_id -> its recipe; `settings`: gold's."""

    arms: pd.DataFrame
    training: pd.DataFrame
    correlations: pd.DataFrame
    homogeneity: pd.DataFrame
    precision: pd.DataFrame
    top_words: pd.DataFrame
    asked: pd.DataFrame
    reach: pd.DataFrame
    outside: pd.DataFrame | None
    recipes: Mapping[str, Mapping[str, Any]]
    settings: GoldSettings
    settings_id: str


def read_steering(findings: Findings) -> Steering:
    """All of it for one dataset of texts. Raises MissingInputError where the lake lacks one of the tables."""
    wanted = {*TABLES, OUTSIDE, "silver.priors", "silver.adapters_current", "gold.attack_reach", "audit.settings"}
    connection, found = connect(str(findings.lake), wanted)
    try:
        if lacking := sorted(set(found.absent) & {*TABLES, "silver.adapters_current"}):
            raise MissingInputError(
                f"{findings.lake} must hold {', '.join(lacking)} of texts: run `assay run CONFIG --lake {findings.lake}` to the end"
            )
        return _steering(connection, findings, frozenset(found.names))
    finally:
        connection.close()


def _steering(connection: duckdb.DuckDBPyConnection, findings: Findings, names: frozenset[str]) -> Steering:
    dataset = findings.dataset

    def frame(sql: str, *more: Any) -> pd.DataFrame:
        return connection.execute(sql, [dataset, *more]).df()

    identity = findings.settings_ids["gold.correlations"]
    behind = settings_behind(connection, dataset, "gold.correlations", identity)
    generations = sorted({str(one[0]) for one in behind.get("text", {}).get("priors", [])})
    recipes = frame(RECIPES).to_dict("records")
    return Steering(
        **{name: frame(sql) for name, sql in GOLD.items()},
        asked=frame(ASKED, generations) if "silver.priors" in names else pd.DataFrame(),
        reach=frame(REACH, findings.settings_ids["ood.predictions"]) if "gold.attack_reach" in names else pd.DataFrame(),
        outside=frame(f"SELECT * FROM {OUTSIDE} WHERE dataset = ?") if OUTSIDE in names else None,  # noqa: S608  # our name
        recipes={str(row["adapter_id"]): json.loads(row["recipe_settings"]) for row in recipes},
        settings=GoldSettings.model_validate(behind["settings"]),
        settings_id=identity,
    )
