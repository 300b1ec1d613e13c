"""Which tables and views does a lake have? Every spec of every layer, and the long, wide and current forms for SQL users."""

from __future__ import annotations

import re

import bronze.specs
import gold
import gold.forecast.tables
import gold.inversion.tables
import gold.provenance.tables
import lake.audit
import ood.specs
import silver.specs
from gold import attack_reach
from lake.audit import CELLS
from lake.catalog import View
from lake.spec import LAYERS, Table
from silver.exemplars.specs import EXEMPLARS, HEADS
from silver.specs import EXPLANATION_METRICS, INVERSION, PRIORS, PROVENANCE

TABLES: tuple[Table, ...] = (
    *bronze.specs.TABLES,
    *silver.specs.TABLES,
    *ood.specs.TABLES,
    *(table.spec for table in gold.TABLES),
    *gold.forecast.tables.TABLES,
    *gold.inversion.tables.TABLES,
    *gold.provenance.tables.TABLES,
    *lake.audit.TABLES,
)

# One ledger entry stands for all that one ingestion writes.
LEDGER_OF = {"bronze.references": "bronze.examples", "bronze.rejected": "bronze.examples"}
# Their rows are several generations beside each other, each of a part: the group inversion, each head, all others. The ledger keeps their
# cells apart, by the name of the part.
IN_PARTS = {
    EXPLANATION_METRICS: f"of the group {INVERSION}, and of {PROVENANCE} by each head,",
    HEADS: "of each name",
    EXEMPLARS: "of each head",
}
WITHOUT_CELLS: tuple[Table, ...] = (PRIORS,)  # it has cells, but generations (n, selections, templates) that all are current

GOLD_COMMENTS = {
    "degradation_wide": (
        "KI's wide form of gold.degradation: accuracy on clean inputs, at severity 1 (shallow), at the middle severity (medium) and at the "
        "deepest of each corruption (heavy); drop_shallow_heavy = shallow - heavy, drop_pct the same in percent of shallow."
    ),
    attack_reach.VIEW: attack_reach.COMMENT,
}

_NAMED = re.compile(rf"\b({'|'.join(LAYERS)})\.([a-z][a-z0-9_]*)")


def current(table: Table) -> View:
    """The newest complete generation of each dataset, or of each (dataset, adapter_id) where the table has adapters.

    Complete: every cell the ledger has of that generation has all its rows. Newest: the largest `generation` of the ledger; of a table in
    parts that of each part. One text serves both engines.
    """
    part = ", corruption" if table in IN_PARTS else ""
    by = [name for name in ("dataset", "adapter_id") if name in table.key]
    names = ", ".join(by)
    same = " AND ".join(f"t.{name} = newest.{name}" for name in [*by, "settings_id"])
    # Every part of this text is a spec's name, checked by its pattern.
    sql = f"""
SELECT t.* FROM {table.full_name} t JOIN (
  SELECT {names}, max_by(settings_id, generation) AS settings_id FROM (
    SELECT {names}{part}, settings_id, MAX(generation) AS generation FROM {CELLS.full_name}
    WHERE table_name = '{LEDGER_OF.get(table.full_name, table.full_name)}'
    GROUP BY {names}{part}, settings_id HAVING MIN(CASE WHEN n_done = n_expected THEN 1 ELSE 0 END) = 1
  ) complete GROUP BY {names}{part}
) newest ON {same}
"""  # noqa: S608  # names of specs only, each checked by a pattern
    of_part = f", {IN_PARTS[table]} apart from the others" if part else ""
    comment = f"{table.full_name}: only the newest complete settings_id of each {' and '.join(by)}{of_part}. {table.comment}"
    return View(table.layer, f"{table.name}_current", comment, sql, sql, (table.full_name, CELLS.full_name))


def _metrics_long() -> View:
    names, source = ", ".join(EXPLANATION_METRICS.key), EXPLANATION_METRICS.full_name
    # Names of specs only, each checked by a pattern.
    return View(
        EXPLANATION_METRICS.layer,
        "explanation_metrics_long",
        "silver.explanation_metrics with one row per metric: metric is its name, value null where it could not be computed.",
        f"SELECT {names}, metric, value FROM {source} LATERAL VIEW explode(metrics) entries AS metric, value",  # noqa: S608  # names of specs
        f"SELECT {names}, unnest(map_keys(metrics)) AS metric, unnest(map_values(metrics)) AS value FROM {source}",  # noqa: S608  # names of specs
        (source,),
    )


def _gold_view(name: str, sql: str) -> View:
    reads = tuple(sorted({match[0] for match in _NAMED.finditer(sql)}))
    return View("gold", name, GOLD_COMMENTS[name], sql, sql, reads)


VIEWS: tuple[View, ...] = (
    *(
        current(table)
        for table in (*bronze.specs.TABLES, *silver.specs.TABLES, *ood.specs.TABLES)
        if "settings_id" in table.key and table not in WITHOUT_CELLS
    ),
    _metrics_long(),
    *(_gold_view(name, sql) for name, sql in gold.VIEWS.items()),
)
