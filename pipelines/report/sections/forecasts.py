"""Where a forecast was stored before the truth was known: how near did it come?"""

from __future__ import annotations

from pipelines.report.charts.panel import Axis, Panel
from pipelines.report.figures import count, count_range, number, percent, plural
from pipelines.report.markup import Markup, joined, paragraph, tag
from pipelines.report.section import Section
from pipelines.report.source import Reading, Row

TABLE, ADAPTERS = "gold.forecasts", "silver.adapters_current"
COLUMNS = ("adapter_id", "corruption", "severity", "predicted_failure_rate", "ci_low", "ci_high", "observed_failure_rate", "n")
MOST = 1500  # points of one drawing


def draw(reading: Reading) -> Markup | None:
    """Predicted against observed failure rate, a point per adapter, corruption and severity."""
    rows = reading.table(TABLE, COLUMNS, "adapter_id, corruption, severity")
    named = reading.table(ADAPTERS, ("adapter_id", "name"), "adapter_id") if reading.has(ADAPTERS) else []
    names = {row["adapter_id"]: row["name"] for row in named}
    predicted = [row for row in rows if row["predicted_failure_rate"] is not None]
    both = [row for row in predicted if row["observed_failure_rate"] is not None]
    if not predicted:
        return None
    if not both:
        open_cells = plural(len(predicted), "forecast")
        return paragraph(f"{open_cells} stand, none of them with its truth yet: run the pipeline on these adapters to compare.")
    return joined([_words(both, len(predicted) - len(both)), _figure(both[:MOST], names, len(both))])


def _words(rows: list[Row], waiting: int) -> Markup:
    errors = [abs(row["predicted_failure_rate"] - row["observed_failure_rate"]) for row in rows]
    bias = sum(row["predicted_failure_rate"] - row["observed_failure_rate"] for row in rows) / len(rows)
    ranged = [row for row in rows if row["ci_low"] is not None and row["ci_high"] is not None]
    inside = sum(row["ci_low"] <= row["observed_failure_rate"] <= row["ci_high"] for row in ranged)
    covered = (
        f"{count(inside)} of {count(len(ranged))} forecast intervals hold the observed rate" if ranged else "no forecast has an interval"
    )
    rest = f" {plural(waiting, 'forecast')} still wait for the truth." if waiting else ""
    way = "too high" if bias > 0 else "too low"
    return paragraph(
        f"Over {plural(len(rows), 'cell')} the forecast is off by {percent(sum(errors) / len(errors))} points on average, and "
        f"{number(abs(100 * bias), 1)} points {way} in the large; {covered}.{rest}".replace(" % points", " points")
    )


def _figure(rows: list[Row], names: dict[str, str], n: int) -> Markup:
    panel = Panel("", Axis("forecast, % wrong", 0.0, 1.0, "%"), Axis("observed, % wrong", 0.0, 1.0, "%"), 320, 300)
    spreads = [
        panel.spread(row["observed_failure_rate"], row["ci_low"], row["ci_high"])
        for row in rows
        if row["ci_low"] is not None and row["ci_high"] is not None
    ]
    points = [(row["predicted_failure_rate"], row["observed_failure_rate"], "a", _said(row, names)) for row in rows]
    drawn = panel.cloud(f"Forecast against observed failure rate, {count(n)} cells", points, panel.diagonal(), *spreads)
    cut = f" The first {count(MOST)} are drawn." if n > MOST else ""
    lines = "Dashed: forecast and truth agree. Lines: 95 % intervals."
    each = f"{count(n)} cells, n = {count_range(row['n'] for row in rows)} answers each"
    said = f"A point per adapter, corruption and severity ({each}). {lines}{cut}"
    return tag("figure", None, drawn, tag("figcaption", None, said))


def _said(row: Row, names: dict[str, str]) -> str:
    name = names.get(row["adapter_id"], row["adapter_id"])
    rates = f"forecast {percent(row['predicted_failure_rate'])}, observed {percent(row['observed_failure_rate'])}"
    return f"{name}, {row['corruption']} {row['severity']}: {rates}"


SECTION = Section("forecasts", "Forecast against truth", "The forecast of new adapters", (TABLE,), draw, also=(ADAPTERS,))
