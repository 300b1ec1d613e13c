"""How near did forecasts of adapters come that the forecaster had not seen, and do they beat what is simpler?"""

from __future__ import annotations

from pipelines.report.charts.panel import Axis, Panel
from pipelines.report.figures import count, count_range, number, percent, percent_within, plural, signed, within
from pipelines.report.markup import Markup, data, joined, paragraph, tag
from pipelines.report.section import Section
from pipelines.report.source import Reading, Row
from pipelines.report.tables import Column, html_table

TABLE, ADAPTERS, CHECK = "gold.forecasts", "silver.adapters_current", "gold.forecast_check"
COLUMNS = (
    "adapter_id", "corruption", "severity", "origin", "predicted_failure_rate", "ci_low", "ci_high", "observed_failure_rate", "cell_mean",
    "reason", "n",
)  # fmt: skip
CHECK_COLUMNS = (
    "origin", "estimator", "mean_absolute_error", "bias", "spearman_adapters", "spearman_cells", "forecast_error_over", "ci_low",
    "ci_high", "sentence", "n_adapters", "n",
)  # fmt: skip
ORIGINS = {"ahead": "Stored before the adapter was tried", "held_out": "Made afterwards, by models that left the adapter out"}
ESTIMATORS = {
    "forecast": "the forecast", "cell_mean": "the cell mean, of the other adapters", "atc": "ATC, needs shifted confidences",
    "doc": "DoC, needs shifted confidences",
}  # fmt: skip
MOST = 1500  # points of one drawing


def draw(reading: Reading) -> Markup | None:
    """Predicted against observed failure rate, a point per adapter, corruption and severity; beside it the check, in words and figures."""
    rows = reading.table(TABLE, COLUMNS, "adapter_id, corruption, severity")
    named = reading.table(ADAPTERS, ("adapter_id", "name"), "adapter_id") if reading.has(ADAPTERS) else []
    names = {row["adapter_id"]: row["name"] for row in named}
    predicted = [row for row in rows if row["predicted_failure_rate"] is not None]
    both = [row for row in predicted if row["observed_failure_rate"] is not None]
    if not predicted:
        return None
    waiting = _waiting([row for row in predicted if row["observed_failure_rate"] is None], names)
    check = reading.table(CHECK, CHECK_COLUMNS, "origin, estimator") if reading.has(CHECK) else []
    return joined([waiting, *(part for origin in _origins(both) for part in _origin(origin, both, names, check))])


def _waiting(rows: list[Row], names: dict[str, str]) -> Markup | None:
    """What is to be expected of adapters that were not tried yet, the worst first."""
    if not rows:
        return None
    columns = (
        Column("Adapter"), Column("Corruption"), Column("Severity", "num"), Column("Forecast", "num"), Column("95 % interval", "num"),
        Column("Cell mean", "num"), Column("n", "num"),
    )  # fmt: skip
    worst = sorted(rows, key=lambda row: (-row["predicted_failure_rate"], str(row["adapter_id"]), row["corruption"], row["severity"]))
    body = [
        (
            data(names.get(row["adapter_id"], row["adapter_id"]), 60), data(row["corruption"], 60), count(row["severity"]),
            percent(row["predicted_failure_rate"]), percent_within(row["ci_low"], row["ci_high"]), percent(row["cell_mean"]),
            count(row["n"]),
        )
        for row in worst
    ]  # fmt: skip
    adapters = len({row["adapter_id"] for row in rows})
    why = sorted({str(row["reason"]) for row in rows if row["reason"]})
    caption = f"Wrong answers to expect of {plural(adapters, 'adapter')} not tried yet, the worst first; n clean examples"
    return joined([
        tag("h4", None, "Still waiting for the truth"), html_table(caption, columns, body),
        paragraph(data("; ".join(why), 300), kind="note") if why else None,
    ])  # fmt: skip


def _origins(rows: list[Row]) -> list[str | None]:
    """Where the forecasts come from, those stored ahead first."""
    place = {name: number for number, name in enumerate(ORIGINS)}
    return sorted({row["origin"] for row in rows}, key=lambda name: (place.get(name, len(place)), str(name)))


def _origin(origin: str | None, rows: list[Row], names: dict[str, str], check: list[Row]) -> list[Markup]:
    mine = [row for row in rows if row["origin"] == origin]
    judged = [row for row in check if row["origin"] == origin]
    said = next((row["sentence"] for row in judged if row["estimator"] == "forecast" and row["sentence"]), None)
    title = tag("h4", None, ORIGINS[origin]) if origin in ORIGINS else None
    spoken = paragraph(data(said, 400)) if said else None
    beside = tag("div", {"class": "beside"}, _figure(mine[:MOST], names, len(mine)), _checked(judged) if judged else None)
    return [part for part in (title, _words(mine), spoken, beside) if part is not None]


def _checked(rows: list[Row]) -> Markup:
    """The estimates against the truth, the forecast first."""
    place = {name: number for number, name in enumerate(ESTIMATORS)}
    columns = (
        Column("Estimate"), Column("Off by", "num"), Column("Bias", "num"), Column("Order of adapters", "num"),
        Column("Order of cells", "num"), Column("The forecast's error over it", "num"), Column("n", "num"),
    )  # fmt: skip
    body = [
        (
            data(ESTIMATORS.get(row["estimator"], row["estimator"]), 60), number(row["mean_absolute_error"]), signed(row["bias"]),
            number(row["spearman_adapters"], 2), number(row["spearman_cells"], 2), _against(row), count(row["n"]),
        )
        for row in sorted(rows, key=lambda row: place.get(row["estimator"], len(place)))
    ]  # fmt: skip
    adapters = max((row["n_adapters"] or 0 for row in rows), default=0)
    caption = (
        f"n cells of {plural(adapters, 'adapter')}: rates from 0 to 1; below 0 in the last column but one the forecast is the nearer one"
    )
    return html_table(caption, columns, body)


def _against(row: Row) -> str:
    known = row["ci_low"] is not None and row["ci_high"] is not None
    return signed(row["forecast_error_over"]) + (f" ({within(row['ci_low'], row['ci_high'])})" if known else "")


def _words(rows: list[Row]) -> Markup:
    errors = [abs(row["predicted_failure_rate"] - row["observed_failure_rate"]) for row in rows]
    bias = sum(row["predicted_failure_rate"] - row["observed_failure_rate"] for row in rows) / len(rows)
    ranged = [row for row in rows if row["ci_low"] is not None and row["ci_high"] is not None]
    inside = sum(row["ci_low"] <= row["observed_failure_rate"] <= row["ci_high"] for row in ranged)
    covered = (
        f"{count(inside)} of {count(len(ranged))} forecast intervals hold the observed rate" if ranged else "no forecast has an interval"
    )
    way = "too high" if bias > 0 else "too low"
    return paragraph(
        f"Over {plural(len(rows), 'cell')} the forecast is off by {percent(sum(errors) / len(errors))} points on average, and "
        f"{number(abs(100 * bias), 1)} points {way} in the large; {covered}.".replace(" % points", " points")
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
    lines = "Dashed: forecast and truth agree." + (" Lines: 95 % intervals." if spreads else "")
    each = f"{count(n)} cells, n = {count_range(row['n'] for row in rows)} answers each"
    said = f"A point per adapter, corruption and severity ({each}). {lines}{cut}"
    return tag("figure", None, drawn, tag("figcaption", None, said))


def _said(row: Row, names: dict[str, str]) -> str:
    name = names.get(row["adapter_id"], row["adapter_id"])
    rates = f"forecast {percent(row['predicted_failure_rate'])}, observed {percent(row['observed_failure_rate'])}"
    return f"{name}, {row['corruption']} {row['severity']}: {rates}"


SECTION = Section("forecasts", "Forecast against truth", "The forecast of new adapters", (TABLE,), draw, also=(ADAPTERS, CHECK))
