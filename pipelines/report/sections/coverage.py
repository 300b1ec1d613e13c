"""If the riskiest answers are turned away, how far does the error of the rest fall?"""

from __future__ import annotations

from pipelines.report.figures import count, percent
from pipelines.report.markup import Markup, data, joined
from pipelines.report.section import Section
from pipelines.report.sections.protocols import features_first, in_order
from pipelines.report.source import Reading, Row
from pipelines.report.tables import Column, folded, html_table

TABLE = "gold.coverage_risk"
COLUMNS = ("protocol", "features", "model", "coverage", "error", "ci_low", "ci_high", "n")


def draw(reading: Reading) -> Markup | None:
    """A table per protocol: rows are feature sets with their learner, columns how much is kept. The first stands open."""
    rows = [row for row in reading.table(TABLE, COLUMNS, "features, model, coverage") if row["coverage"] is not None]
    if not rows:
        return None
    protocols = in_order(row["protocol"] for row in rows)
    tables = {protocol: _table(protocol, [row for row in rows if row["protocol"] == protocol]) for protocol in protocols}
    first, *rest = protocols
    return joined([tables[first], *(folded(f"held out by {protocol}", tables[protocol]) for protocol in rest)])


def _table(protocol: str, rows: list[Row]) -> Markup:
    kept = sorted({row["coverage"] for row in rows}, reverse=True)
    columns = (Column("Features"), Column("Learner"), *(Column(f"keep {100 * share:.0f} %", "num") for share in kept), Column("n", "num"))
    error = {(row["features"], row["model"], row["coverage"]): row for row in rows}
    body = []
    for features in features_first(row["features"] for row in rows):
        for model in sorted({row["model"] for row in rows if row["features"] == features}):
            found = [error.get((features, model, share)) for share in kept]
            n = max((row["n"] for row in found if row is not None and row["n"] is not None), default=None)
            body.append((data(features, 40), data(model, 40), *(_cell(row) for row in found), count(n)))
    caption = f"Error among the answers that are kept when the riskiest are turned away, rows held out by {protocol}"
    return html_table(caption, columns, body)


def _cell(row: Row | None) -> str:
    if row is None or row["error"] is None:
        return "–"
    known = row["ci_low"] is not None and row["ci_high"] is not None
    return percent(row["error"]) + (f" ({100 * row['ci_low']:.1f} to {100 * row['ci_high']:.1f})" if known else "")


SECTION = Section("coverage", "What turning away the riskiest answers buys", "The coverage-risk table", (TABLE,), draw)
