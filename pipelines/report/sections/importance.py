"""Which clean figures do the learners lean on?"""

from __future__ import annotations

from pipelines.report.charts.scale import around
from pipelines.report.charts.strips import Point, Strip
from pipelines.report.figures import count, number, signed
from pipelines.report.markup import Markup, data
from pipelines.report.section import Section
from pipelines.report.sections.protocols import main_protocol
from pipelines.report.source import Reading
from pipelines.report.tables import Column, html_table

TABLE = "gold.feature_importance"
COLUMNS = ("protocol", "feature", "perm_importance", "perm_std", "rf_importance", "xgb_importance", "lr_coef", "lr_odds_ratio", "n")


def draw(reading: Reading) -> Markup | None:
    """A row per feature under the main protocol, what costs most when shuffled first."""
    rows = [row for row in reading.table(TABLE, COLUMNS, "protocol, feature") if row["perm_importance"] is not None]
    if not rows:
        return None
    protocol = main_protocol(row["protocol"] for row in rows)
    mine = sorted((row for row in rows if row["protocol"] == protocol), key=lambda row: (-row["perm_importance"], row["feature"]))
    ends = {
        row["feature"]: (row["perm_importance"] - (row["perm_std"] or 0.0), row["perm_importance"] + (row["perm_std"] or 0.0))
        for row in mine
    }
    values = [value for row in mine for value in (row["perm_importance"], *ends[row["feature"]], 0.0)]
    strip = Strip(*around(values, 0.02), marks=(0.0,))
    columns = (
        Column("Feature"), Column("Shuffled", "num"), Column(strip.head("loss when shuffled"), "plot"), Column("Forest", "num"),
        Column("XGBoost", "num"), Column("Logistic", "num"), Column("Odds ratio", "num"), Column("n", "num"),
    )  # fmt: skip
    body = [
        (
            data(row["feature"], 40), f"{signed(row['perm_importance'])} ± {number(row['perm_std'])}",
            strip.cell(f"{row['feature']}: {signed(row['perm_importance'])}", [Point(row["perm_importance"], *ends[row["feature"]])]),
            number(row["rf_importance"]), number(row["xgb_importance"]), signed(row["lr_coef"]), number(row["lr_odds_ratio"], 2),
            count(row["n"]),
        )
        for row in mine
    ]  # fmt: skip
    caption = (
        f"What the learners use, rows held out by {protocol}. Shuffled: accuracy lost when the feature is shuffled, ± one standard "
        "deviation over shuffles (no interval over examples is stored); forest and XGBoost: share of the splits' gain; logistic: per "
        "standard deviation"
    )
    return html_table(caption, columns, body)


SECTION = Section("importance", "What the learners lean on", "The table of feature importance", (TABLE,), draw)
