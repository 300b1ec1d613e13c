"""When the learner says 30 % will fail, do 30 % fail?"""

from __future__ import annotations

from pipelines.report.charts.panel import Axis, Curve, Panel
from pipelines.report.figures import count_range, percent
from pipelines.report.markup import Markup, data, joined, safe, tag
from pipelines.report.section import Section
from pipelines.report.sections.protocols import features_first, main_protocol
from pipelines.report.source import Reading, Row

TABLE = "gold.reliability"
COLUMNS = ("protocol", "features", "model", "bin", "mean_forecast", "failure_rate", "ci_low", "ci_high", "n")
KINDS = ("a", "b", "c")


def draw(reading: Reading) -> Markup | None:
    """A panel per feature set under the main protocol, a curve per learner."""
    rows = [row for row in reading.table(TABLE, COLUMNS, "features, model, bin") if None not in (row["mean_forecast"], row["failure_rate"])]
    if not rows:
        return None
    protocol = main_protocol(row["protocol"] for row in rows)
    mine = [row for row in rows if row["protocol"] == protocol]
    models = sorted({row["model"] for row in mine})[: len(KINDS)]
    panels = [_panel(features, mine, models) for features in features_first(row["features"] for row in mine)]
    key = [tag("span", None, tag("i", {"class": kind}), data(model, 40)) for model, kind in zip(models, KINDS, strict=False)]
    ranged = any(row["ci_low"] is not None for row in mine)
    each = f" n = {count_range(row['n'] for row in mine)} rows per bin; {'lines: 95 % intervals' if ranged else 'no interval is stored'}."
    caption = [
        "Observed failure rate over the mean forecast of each bin, protocol ",
        data(protocol, 60),
        ". Dashed: perfectly calibrated.",
        each,
    ]
    figure = tag("figure", None, tag("div", {"class": "panels"}, *panels), tag("figcaption", None, *caption))
    return joined([tag("p", {"class": "key"}, *key), figure])


def _panel(features: str, rows: list[Row], models: list[str]) -> Markup:
    panel = Panel(safe(features)[:26], Axis("forecast, %", 0.0, 1.0, "%"), Axis("% failed", 0.0, 1.0, "%"), 220, 200)
    curves, told = [], []
    for model, kind in zip(models, KINDS, strict=False):
        mine = sorted((row for row in rows if row["features"] == features and row["model"] == model), key=lambda row: row["mean_forecast"])
        if not mine:
            continue
        ranged = [row for row in mine if row["ci_low"] is not None and row["ci_high"] is not None]
        intervals = [(row["mean_forecast"], row["ci_low"], row["ci_high"]) for row in ranged]
        curves.append(Curve(model, [(row["mean_forecast"], row["failure_rate"]) for row in mine], intervals, kind))
        told.append(f"{model}: forecast {percent(mine[-1]['mean_forecast'])}, failed {percent(mine[-1]['failure_rate'])} in the last bin")
    return panel.curves(f"Reliability of {features}. " + "; ".join(told), curves, panel.diagonal())


SECTION = Section("reliability", "Is the forecast calibrated?", "The reliability diagram", (TABLE,), draw)
