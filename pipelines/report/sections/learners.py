"""Which learner foretells failures, from which figures, and how much of it is left when rows are held out honestly?"""

from __future__ import annotations

from gold.forecast.features import FEATURE_SETS
from pipelines.report.charts.scale import around
from pipelines.report.charts.strips import Point, Strip
from pipelines.report.figures import count, number, percent, within
from pipelines.report.markup import Content, Markup, data, joined, paragraph, tag
from pipelines.report.section import Section
from pipelines.report.sections.protocols import LEAKY, features_first, in_order
from pipelines.report.source import Reading, Row
from pipelines.report.tables import Column, folded, html_table

FORECASTS, LEARNERS = "gold.forecast_comparison", "gold.classifier_comparison"
FIGURES = {
    "auroc": "AUROC", "auroc_within_adapter": "Within adapter", "avg_precision": "Average precision", "aurc": "AURC", "fpr95": "FPR at 95",
    "brier": "Brier", "ece": "ECE",
}  # fmt: skip
FORECAST_COLUMNS = (
    "protocol", "features", "model", *(f"{name}{end}" for name in FIGURES for end in ("", "_ci_low", "_ci_high")), "is_headline", "n",
)  # fmt: skip
COLUMNS = (
    "protocol", "model", "features", "roc_auc", "ci_low", "ci_high", "auc_within_adapter", "confidence_auc", "adapter_auc", "accuracy",
    "majority_accuracy", "brier", "cv_auc_mean", "cv_auc_std", "n_test",
)  # fmt: skip


def draw(reading: Reading) -> Markup | None:
    """Nested feature sets where the lake has them, then the study's four learners on explanations beside their baselines."""
    rows = reading.table(FORECASTS, FORECAST_COLUMNS, "protocol, features, model") if reading.has(FORECASTS) else []
    forecasts = _forecasts([row for row in rows if row["auroc"] is not None])
    study = _study(reading.table(LEARNERS, COLUMNS, "protocol, model")) if reading.has(LEARNERS) else None
    return joined([forecasts, study]) if forecasts or study else None


def _forecasts(rows: list[Row]) -> Markup | None:
    if not rows:
        return None
    first, *rest = in_order(row["protocol"] for row in rows)
    tables = {protocol: _features(protocol, [row for row in rows if row["protocol"] == protocol]) for protocol in (first, *rest)}
    seen = {row["features"] for row in rows}
    meanings = [tag("li", None, tag("b", None, one.name), f": {one.meaning}") for one in FEATURE_SETS if one.name in seen]
    others = [folded(f"held out by {protocol}", tables[protocol]) for protocol in rest]
    return joined([tables[first], folded("what each set of features is", tag("ul", None, *meanings)), *others])


def _features(protocol: str, rows: list[Row]) -> Markup:
    for row in rows:
        row["ends"] = row["auroc_ci_low"], row["auroc_ci_high"]
    strip = Strip(*around([value for row in rows for value in (row["auroc"], *row["ends"], 0.5)], 0.2, (0.0, 1.0)), marks=(0.5,))
    columns = (
        Column("Features"), Column("Learner"), Column(strip.head("AUROC"), "plot"), *(Column(name, "num") for name in FIGURES.values()),
        Column("n", "num"),
    )  # fmt: skip
    order = features_first(row["features"] for row in rows)
    body = [
        (
            data(row["features"], 40), _learner(row),
            strip.cell(f"{row['features']}: {number(row['auroc'])}", [Point(row["auroc"], *row["ends"])]),
            *(_ranged(row, name) for name in FIGURES), count(row["n"]),
        )
        for row in sorted(rows, key=lambda row: (order.index(row["features"]), row["model"]))
    ]  # fmt: skip
    leaky = " (leaky: one example stands on both sides)" if protocol == LEAKY else ""
    caption = f"Foretelling wrong answers, rows held out by {protocol}{leaky}; under each figure its 95 % interval; dashed: a guess"
    return html_table(caption, columns, body)


def _ranged(row: Row, name: str) -> Markup:
    """A figure, and its interval under it."""
    return joined([number(row[name]), tag("span", {"class": "under soft"}, within(row[f"{name}_ci_low"], row[f"{name}_ci_high"]))])


def _learner(row: Row) -> Markup:
    return joined([data(row["model"], 40), " (headline)" if row["is_headline"] else None])


def _study(rows: list[Row]) -> Markup | None:
    rows = [row for row in rows if row["roc_auc"] is not None]
    if not rows:
        return None
    strip = Strip(*around([value for row in rows for value in _drawn(row)], 0.2, (0.0, 1.0)), marks=(0.5,))
    columns = (
        Column("Learner"), Column(strip.head("AUROC; ring: confidence"), "plot"), Column("Held out by"), Column("AUROC", "num"),
        Column("95 % interval", "num"), Column("Confidence", "num"), Column("Adapter", "num"), Column("Within adapter", "num"),
        Column("Cross-validated", "num"), Column("Accuracy", "num"), Column("Majority", "num"), Column("Brier", "num"), Column("n", "num"),
    )  # fmt: skip
    order = in_order(row["protocol"] for row in rows)
    body = [_row(row, strip) for row in sorted(rows, key=lambda row: (order.index(row["protocol"]), row["model"]))]
    features = sorted({str(row["features"]).replace(",", ", ") for row in rows if row["features"]})
    caption = "Foretelling right answers under corruption from explanation metrics alone; n rows of the test side; dashed: a guess"
    note = paragraph(
        "Features: ", data("; ".join(features) or "–", 300), ". Confidence and Adapter: the AUROC of plain confidence, and of the "
        "adapter's name, on the same rows. ki: the study's split of rows, leaky, since one example stands on both sides. These are other "
        "figures than those above: the study's metrics alone, foretelling right answers on one test part.", kind="note",
    )  # fmt: skip
    return joined([html_table(caption, columns, body), note])


def _drawn(row: Row) -> tuple[float | None, ...]:
    return row["roc_auc"], row["ci_low"], row["ci_high"], row["confidence_auc"], 0.5


def _row(row: Row, strip: Strip) -> tuple[Content, ...]:
    leaky = row["protocol"] == LEAKY
    title = f"{row['model']}, {row['protocol']}: {number(row['roc_auc'])}, confidence {number(row['confidence_auc'])}"
    points = [
        Point(row["confidence_auc"], kind="hollow"),
        Point(row["roc_auc"], row["ci_low"], row["ci_high"], "rest" if leaky else "a"),
    ]
    folds = f"{number(row['cv_auc_mean'])} ± {number(row['cv_auc_std'])}"
    return (
        data(row["model"], 40), strip.cell(title, points), joined([data(row["protocol"], 40), " (leaky)" if leaky else None]),
        number(row["roc_auc"]), within(row["ci_low"], row["ci_high"]), number(row["confidence_auc"]), number(row["adapter_auc"]),
        number(row["auc_within_adapter"]), folds, percent(row["accuracy"]), percent(row["majority_accuracy"]), number(row["brier"]),
        count(row["n_test"]),
    )  # fmt: skip


SECTION = Section("learners", "Learners that foretell failures", "The comparison of learners", (), draw, also=(LEARNERS, FORECASTS))
