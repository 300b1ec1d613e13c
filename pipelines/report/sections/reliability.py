"""When the learner says 30 % will fail, do 30 % fail? Before and after calibration on other examples."""

from __future__ import annotations

from pipelines.report.charts.panel import Axis, Curve, Panel
from pipelines.report.figures import count_range, number, percent
from pipelines.report.markup import Markup, data, joined, safe, tag
from pipelines.report.section import Section
from pipelines.report.sections.protocols import HEADLINE, LEAKY, features_first, in_order
from pipelines.report.source import Reading, Row
from pipelines.report.tables import folded

TABLE = "gold.reliability"
COLUMNS = ("protocol", "features", "model", "calibration", "bin", "mean_forecast", "failure_rate", "ci_low", "ci_high", "n")
MAPS = {"none": "as the learner says", "platt": "after Platt's curve", "isotonic": "after isotonic steps"}
KINDS = ("a", "b", "c")


def draw(reading: Reading) -> Markup | None:
    """A panel per map for the headline features under the main protocol; other features and protocols are folded."""
    rows = [row for row in reading.table(TABLE, COLUMNS, "features, model, bin") if None not in (row["mean_forecast"], row["failure_rate"])]
    if not rows:
        return None
    first, *rest = in_order(row["protocol"] for row in rows)
    mine = [row for row in rows if row["protocol"] == first]
    sets = features_first(row["features"] for row in mine)
    headline = HEADLINE if HEADLINE in sets else sets[-1]
    more = [_figure(first, features, mine) for features in sets if features != headline]
    others = [
        _figure(protocol, headline, [row for row in rows if row["protocol"] == protocol])
        for protocol in rest
        if protocol != LEAKY and any(row["protocol"] == protocol and row["features"] == headline for row in rows)
    ]
    return joined([
        _figure(first, headline, mine),
        folded("other features", *more) if more else None,
        folded("other protocols", *others) if others else None,
    ])  # fmt: skip


def _figure(protocol: str, features: str, rows: list[Row]) -> Markup:
    mine = [row for row in rows if row["features"] == features]
    models = sorted({row["model"] for row in mine})[: len(KINDS)]
    maps = [name for name in (None, *MAPS) if any(row["calibration"] == name for row in mine)]
    panels = [_panel(features, name, [row for row in mine if row["calibration"] == name], models) for name in maps]
    key = [tag("span", None, tag("i", {"class": kind}), data(model, 40)) for model, kind in zip(models, KINDS, strict=False)]
    ranged = any(row["ci_low"] is not None for row in mine)
    each = f" n = {count_range(row['n'] for row in mine)} rows per bin; {'lines: 95 % intervals' if ranged else 'no interval is stored'}."
    caption = [
        "Observed failure rate over the mean forecast of each bin, features ", data(features, 40), ", protocol ", data(protocol, 60),
        ". Dashed: perfectly calibrated. Maps are learned on other examples.", each,
    ]  # fmt: skip
    figure = tag("figure", None, tag("div", {"class": "panels"}, *panels), tag("figcaption", None, *caption))
    return joined([tag("p", {"class": "key"}, *key), figure])


def _panel(features: str, name: str | None, rows: list[Row], models: list[str]) -> Markup:
    title = safe(MAPS[name] if name is not None else features)[:26]
    panel = Panel(title, Axis("forecast, %", 0.0, 1.0, "%"), Axis("% failed", 0.0, 1.0, "%"), 220, 200)
    curves, told = [], []
    for model, kind in zip(models, KINDS, strict=False):
        mine = sorted((row for row in rows if row["model"] == model), key=lambda row: row["mean_forecast"])
        if not mine:
            continue
        ranged = [row for row in mine if row["ci_low"] is not None and row["ci_high"] is not None]
        intervals = [(row["mean_forecast"], row["ci_low"], row["ci_high"]) for row in ranged]
        curves.append(Curve(model, [(row["mean_forecast"], row["failure_rate"]) for row in mine], intervals, kind))
        last = f"forecast {percent(mine[-1]['mean_forecast'])}, failed {percent(mine[-1]['failure_rate'])} in the last bin"
        told.append(f"{model}: {last}, off by {number(100 * _off(mine), 1)} points on average")
    return panel.curves(f"Reliability of {features}, {title}. " + "; ".join(told), curves, panel.diagonal())


def _off(rows: list[Row]) -> float:
    """Mean over rows of |mean forecast - failure rate| of their bin: the expected calibration error of these bins."""
    total = sum(row["n"] or 0 for row in rows)
    return sum(abs(row["mean_forecast"] - row["failure_rate"]) * (row["n"] or 0) for row in rows) / total if total else 0.0


SECTION = Section("reliability", "Is the forecast calibrated?", "The reliability diagram", (TABLE,), draw)
