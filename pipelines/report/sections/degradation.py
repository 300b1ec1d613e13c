"""How does each adapter fall as each corruption grows?"""

from __future__ import annotations

from pipelines.report.charts.panel import Axis, Curve, Panel
from pipelines.report.figures import count_range, percent, plural
from pipelines.report.markup import Markup, data, joined, safe, tag
from pipelines.report.section import Section
from pipelines.report.source import Reading, Row

TABLE, ADAPTERS = "gold.degradation", "silver.adapters_current"
CLEAN = "none"
COLUMNS = ("adapter_id", "corruption", "severity", "accuracy", "ci_low", "ci_high", "n")


def draw(reading: Reading) -> Markup | None:
    """A small panel per corruption, all on one scale; best and worst adapter in colour, the others grey."""
    rows = [row for row in reading.table(TABLE, COLUMNS, "corruption, adapter_id, severity") if row["accuracy"] is not None]
    names = {row["adapter_id"]: row["name"] for row in reading.table(ADAPTERS, ("adapter_id", "name"), "adapter_id")}
    corruptions = list(dict.fromkeys(row["corruption"] for row in rows if row["corruption"] != CLEAN))
    if not corruptions:
        return None
    best, worst = ends(rows)
    adapters = sorted({row["adapter_id"] for row in rows} - {best, worst})
    drawn = {best, worst, *adapters[: reading.source.room.curves]}  # ids are hashes: the first are as good as any
    rows = [row for row in rows if row["adapter_id"] in drawn]
    panels = [_panel(corruption, rows, names, best, worst) for corruption in corruptions]
    caption = (
        "Share of right answers, in percent, over severity; 0 is the clean input. Upright lines: 95 % intervals. "
        f"n = {count_range(row['n'] for row in rows)} answers per point. Best and worst: by mean accuracy over all corrupted points"
    )
    figure = tag("figure", None, tag("div", {"class": "panels"}, *panels), tag("figcaption", None, caption, "."))
    return joined([_key(names, best, worst, len(adapters), reading.source.room.curves), figure])


def ends(rows: list[Row]) -> tuple[str, str | None]:
    """The adapters with the highest and lowest mean accuracy under corruption (ties: the smaller id first); one alone is the best."""
    cells: dict[str, list[float]] = {}
    for row in rows:
        if row["corruption"] != CLEAN:
            cells.setdefault(row["adapter_id"], []).append(row["accuracy"])
    order = sorted(cells, key=lambda adapter: (-sum(cells[adapter]) / len(cells[adapter]), adapter))
    return order[0], order[-1] if len(order) > 1 else None


def _panel(corruption: str, rows: list[Row], names: dict[str, str], best: str, worst: str | None) -> Markup:
    mine = [row for row in rows if row["corruption"] in (corruption, CLEAN)]
    by_adapter: dict[str, list[Row]] = {}
    for row in sorted(mine, key=lambda row: row["severity"]):
        by_adapter.setdefault(row["adapter_id"], []).append(row)
    last = max(row["severity"] for row in mine)
    order = [adapter for adapter in sorted(by_adapter) if adapter not in (best, worst)]
    order += [adapter for adapter in (worst, best) if adapter in by_adapter]
    curves = [_curve(by_adapter[adapter], names.get(adapter, adapter), {best: "a", worst: "b"}.get(adapter, "rest")) for adapter in order]
    panel = Panel(
        safe(corruption.replace("_", " "))[:28],
        Axis("severity", 0, last, values=tuple(float(value) for value in range(last + 1))),
        Axis("% right", 0.0, 1.0, "%"),
    )
    told = [f"{names.get(adapter, adapter)} falls to {percent(by_adapter[adapter][-1]['accuracy'])}" for adapter in order[-2:]]
    return panel.curves(f"{corruption}: " + ", ".join(told), curves)


def _curve(rows: list[Row], name: str, kind: str) -> Curve:
    points = [(float(row["severity"]), row["accuracy"]) for row in rows]
    known = [row for row in rows if kind != "rest" and row["ci_low"] is not None and row["ci_high"] is not None]
    intervals = [(float(row["severity"]), row["ci_low"], row["ci_high"]) for row in known]
    return Curve(name, points, intervals, kind, None if kind == "rest" else f"{100 * points[-1][1]:.0f}")


def _key(names: dict[str, str], best: str, worst: str | None, others: int, most: int) -> Markup:
    made = [tag("span", None, tag("i", {"class": "a"}), "best: ", data(names.get(best, best), 60))]
    if worst is not None:
        made.append(tag("span", None, tag("i", {"class": "b"}), "worst: ", data(names.get(worst, worst), 60)))
    if others:
        made.append(
            tag(
                "span",
                None,
                tag("i", {"class": "rest"}),
                plural(others, "other adapter") + (f", {most} of them drawn" if others > most else ""),
            )
        )
    return tag("p", {"class": "key"}, *made)


SECTION = Section("degradation", "Accuracy as corruption grows", "The degradation curves", (TABLE, ADAPTERS), draw)
