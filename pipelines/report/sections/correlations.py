"""Which clean figures go together with being right under corruption, and does that hold inside each adapter?"""

from __future__ import annotations

from pipelines.report.charts.scale import around
from pipelines.report.charts.strips import Point, Strip
from pipelines.report.figures import count, signed
from pipelines.report.markup import Markup, data, joined, paragraph, tag
from pipelines.report.section import Section
from pipelines.report.source import Reading, Row
from pipelines.report.tables import Column, html_table

TABLE = "gold.correlations"
POOLED, WITHIN = "pooled", "within_adapter"
DIFFER, ONE_OPEN, BOTH_OPEN = "differ", "differ, but one may be 0", "both may be 0"
COLUMNS = ("method", "feature", "scope", "pearson_r", "pearson_ci_low", "pearson_ci_high", "spearman_r", "n_examples", "n")


def draw(reading: Reading) -> Markup | None:
    """A row per figure: over all rows, and with what differs between adapters taken out. Where the signs differ, it says so."""
    rows = reading.table(TABLE, COLUMNS, "method, feature, scope")
    pairs: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        pairs.setdefault((row["method"], row["feature"]), {})[row["scope"]] = row
    shown = {key: scopes for key, scopes in pairs.items() if any(row["pearson_r"] is not None for row in scopes.values())}
    if not shown:
        return None
    values = [row[name] for row in rows for name in ("pearson_r", "pearson_ci_low", "pearson_ci_high")]
    strip = Strip(*around([*values, 0.0], 0.2, (-1.0, 1.0)), marks=(0.0,))
    columns = (
        Column("Clean figure"), Column(strip.head("r with being right under corruption"), "plot"), Column("Pooled r", "num"),
        Column("Within r", "num"), Column("Pooled ρ", "num"), Column("Within ρ", "num"),
        Column("Signs"), Column("Method"), Column("n", "num"),
    )  # fmt: skip
    body = [_row(method, feature, scopes, strip) for (method, feature), scopes in shown.items()]
    caption = "Pearson's r and Spearman's ρ of a clean figure with being right under corruption; n rows are not independent"
    return joined([html_table(caption, columns, body), _key(), _words(shown)])


def signs(scopes: dict[str, Row]) -> str:
    """Whether the pooled correlation points the way that the one within adapters does (Simpson), as far as their intervals tell."""
    pooled, within = (scopes.get(scope, {}) for scope in (POOLED, WITHIN))
    if pooled.get("pearson_r") is None or within.get("pearson_r") is None:
        return "unknown"
    open_ones = [_may_be_zero(row) for row in (pooled, within)]
    if all(open_ones):
        return BOTH_OPEN
    if pooled["pearson_r"] * within["pearson_r"] >= 0:
        return "agree"
    return ONE_OPEN if any(open_ones) else DIFFER


def _may_be_zero(row: Row) -> bool:
    low, high = row["pearson_ci_low"], row["pearson_ci_high"]
    return low is not None and high is not None and low <= 0 <= high


def _row(method: str, feature: str, scopes: dict[str, Row], strip: Strip) -> tuple[Markup | str, ...]:
    pooled, within = scopes.get(POOLED, {}), scopes.get(WITHIN, {})
    points = [
        Point(row.get("pearson_r"), row.get("pearson_ci_low"), row.get("pearson_ci_high"), kind, lift)
        for row, kind, lift in ((pooled, "b", 4.0), (within, "a", -4.0))
    ]
    title = f"{feature}: pooled {signed(pooled.get('pearson_r'))}, within adapters {signed(within.get('pearson_r'))}"
    said = signs(scopes)
    mark = tag("span", {"class": "flag"}, said) if said == DIFFER else said
    return (
        data(feature, 40), strip.cell(title, points), signed(pooled.get("pearson_r")), signed(within.get("pearson_r")),
        signed(pooled.get("spearman_r")), signed(within.get("spearman_r")), mark, data(method, 30), count((pooled or within).get("n")),
    )  # fmt: skip


def _key() -> Markup:
    pooled = tag("span", None, tag("i", {"class": "b"}), "over all rows")
    return tag("p", {"class": "key"}, pooled, tag("span", None, tag("i", {"class": "a"}), "within adapters"), "both with 95 % interval")


def _words(shown: dict[tuple[str, str], dict[str, Row]]) -> Markup:
    turned = [feature for (_, feature), scopes in shown.items() if signs(scopes) == DIFFER]
    if not turned:
        return paragraph("No sign turns beyond chance when each adapter is compared with itself only.", kind="note")
    names = [part for feature in turned for part in (", ", data(feature, 40))][1:]
    return paragraph(
        "The sign turns within adapters for ",
        *names,
        ": read over all rows, it says which adapter is good, not which answer is.",
        kind="note",
    )


SECTION = Section("correlations", "What goes together with being right", "The table of correlations", (TABLE,), draw)
