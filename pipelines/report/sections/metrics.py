"""How do the explanations of each adapter differ? The spread of their metrics, counted where the rows lie."""

from __future__ import annotations

from pipelines.report.charts.scale import around
from pipelines.report.charts.strips import Strip
from pipelines.report.examined import EXAMINED, METRICS, examined
from pipelines.report.figures import count, number
from pipelines.report.markup import Markup, data
from pipelines.report.section import Section
from pipelines.report.source import Reading, Row
from pipelines.report.tables import Column, html_table

ADAPTERS = "silver.adapters_current"
SHOWN = ("entropy", "sparsity", "deletion", "insertion", "comprehensiveness", "sufficiency")
WIDTH = 130

# One pass over the maps; a metric that a group does not have is null, and counts for nothing.
SPREAD = """
SELECT adapter_id, metric, quantile_cont(value, [0.05, 0.25, 0.5, 0.75, 0.95]) AS quantiles, COUNT(value) AS n
FROM (SELECT adapter_id, unnest(?) AS metric, unnest([metrics[name] for name in ?]) AS value
      FROM silver.explanation_metrics_current WHERE dataset = ? AND method = ? AND metric_group = ?)
WHERE isfinite(value) GROUP BY ALL ORDER BY ALL
"""


def draw(reading: Reading) -> Markup | None:
    """A row per adapter, a strip per metric: median, middle half, and where the middle 90 % lie."""
    chosen = examined(reading)
    if chosen is None:
        return None
    rows = reading.rows(SPREAD, list(SHOWN), list(SHOWN), reading.dataset, *chosen)
    metrics = [name for name in SHOWN if any(row["metric"] == name for row in rows)]
    if not metrics:
        return None
    names = {row["adapter_id"]: row["name"] for row in reading.table(ADAPTERS, ("adapter_id", "name"), "adapter_id")}
    spread = {(row["adapter_id"], row["metric"]): row for row in rows}
    strips = {name: _strip([row for row in rows if row["metric"] == name]) for name in metrics}
    columns = (Column("Adapter"), *(Column(strips[name].head(name), "plot") for name in metrics), Column("n", "num"))
    adapters = sorted({row["adapter_id"] for row in rows}, key=lambda adapter: (names.get(adapter, adapter), adapter))
    body = []
    for adapter in adapters:
        found = [spread.get((adapter, name)) for name in metrics]
        cells = [_cell(strips[name], name, row) for name, row in zip(metrics, found, strict=True)]
        body.append((data(names.get(adapter, adapter), 60), *cells, count(max(row["n"] for row in found if row is not None))))
    caption = (
        f"Metrics of the explanation by {chosen[0]} (group {chosen[1]}) on clean inputs, n examples per adapter. Bar: median; box: "
        "middle half; line: middle 90 %"
    )
    return html_table(caption, columns, body, reading.source.room.rows)


def _strip(rows: list[Row]) -> Strip:
    return Strip(*around([value for row in rows for value in row["quantiles"]], 0.1), width=WIDTH)


def _cell(strip: Strip, name: str, row: Row | None) -> Markup | str:
    if row is None:
        return "–"
    low, lower, median, upper, high = (number(value) for value in row["quantiles"])
    title = f"{name}: median {median}, middle half {lower} to {upper}, middle 90 % {low} to {high}, n = {count(row['n'])}"
    return strip.box(title, row["quantiles"])


SECTION = Section(
    "metrics", "How the explanations differ", "The spread of explanation metrics", (METRICS, ADAPTERS), draw, also=(EXAMINED,)
)
