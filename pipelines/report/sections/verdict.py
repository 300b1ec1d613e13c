"""Do explanations on clean inputs foretell failures better than plain confidence does? The verdict first, in plain words."""

from __future__ import annotations

from pipelines.report.charts.scale import around
from pipelines.report.charts.strips import Point, Strip
from pipelines.report.figures import count, number, plural, signed, within
from pipelines.report.markup import Markup, data, joined, paragraph, tag
from pipelines.report.section import Section
from pipelines.report.sections.protocols import LEAKY, in_order
from pipelines.report.source import Reading, Row
from pipelines.report.tables import Column, html_table

VERDICTS, LEARNERS = "gold.forecast_verdict", "gold.classifier_comparison"
WORDS = {
    "adds_value": ("Explanations add to what confidence says.", "good"),
    "no_evidence": ("No evidence that explanations add to what confidence says.", ""),
    "harms": ("Explanations make the forecast worse than confidence alone.", "bad"),
    "underpowered": ("Too few data to tell whether explanations add to confidence.", ""),
}
COLUMNS = ("protocol", "model", "delta_auroc", "ci_low", "ci_high", "min_detectable_delta", "verdict", "sentence", "n")


def draw(reading: Reading) -> Markup | None:
    """From the standing test where the lake has it, else from the learners on explanations alone."""
    rows = reading.table(VERDICTS, COLUMNS, "protocol, model") if reading.has(VERDICTS) else []
    if rows:
        return _verdict(rows)
    if not reading.has(LEARNERS):
        return None
    learners = reading.table(LEARNERS, ("protocol", "model", "roc_auc", "ci_low", "ci_high", "confidence_auc", "n_test"), "protocol, model")
    grouped = [row for row in learners if row["protocol"] == "grouped" and row["roc_auc"] is not None and row["confidence_auc"] is not None]
    return _provisional(grouped) if grouped else None


def _verdict(rows: list[Row]) -> Markup:
    order = in_order(row["protocol"] for row in rows)
    rows = sorted(rows, key=lambda row: (order.index(row["protocol"]), str(row["model"])))
    judged = [row for row in rows if row["verdict"] and row["protocol"] != LEAKY]
    first = (judged or rows)[0]
    word, kind = WORDS.get(str(first["verdict"]), ("No verdict could be reached.", ""))
    interval = f"95 % interval {within(first['ci_low'], first['ci_high'])}; n = {count(first['n'])} rows of this protocol"
    inside = [
        paragraph(word, kind="word"),
        paragraph(data(first["sentence"] or "", 800)),
        paragraph(f"Difference in AUROC {signed(first['delta_auroc'])}, {interval} (", data(first["protocol"]), ").", kind="note"),
    ]
    return joined([tag("div", {"class": f"verdict {kind}".strip()}, *inside), _protocols(rows)])


def _protocols(rows: list[Row]) -> Markup:
    values = [value for row in rows for value in (row["delta_auroc"], row["ci_low"], row["ci_high"])]
    strip = Strip(*around([*values, 0.0], 0.04), marks=(0.0,))
    columns = (
        Column("Protocol"), Column("Learner"), Column("Difference", "num"), Column("95 % interval", "num"),
        Column(strip.head("AUROC gained"), "plot"), Column("Smallest detectable", "num"), Column("Verdict"), Column("n", "num"),
    )  # fmt: skip
    body = [
        (
            data(row["protocol"]), data(row["model"] or ""), signed(row["delta_auroc"]), within(row["ci_low"], row["ci_high"]),
            strip.cell(
                f"{row['protocol']}: {signed(row['delta_auroc'])}", [Point(row["delta_auroc"], row["ci_low"], row["ci_high"])]
            ),
            number(row["min_detectable_delta"]), data(row["verdict"] or row["sentence"] or "none", 60), count(row["n"]),
        )
        for row in rows
    ]  # fmt: skip
    caption = "AUROC of confidence with explanations minus confidence alone, paired, by how rows are held out; the dashed line is no gain"
    return html_table(caption, columns, body)


def _provisional(rows: list[Row]) -> Markup:
    word, kind = _compared(rows)
    low, high = min(row["roc_auc"] for row in rows), max(row["roc_auc"] for row in rows)
    models = plural(len(rows), "learner")
    reach = f"an AUROC of {number(low)}" if len(rows) == 1 else f"an AUROC of {number(low)} to {number(high)}"
    widest = f"{number(min(_ends(rows, 'ci_low')))} to {number(max(_ends(rows, 'ci_high')))}" if _ends(rows, "ci_low") else "withheld"
    said = (
        f"Asked on held-out examples which answers will be wrong under corruption, {models} that see only explanation metrics of the clean "
        f"input reach {reach} (95 % intervals within {widest}). Plain confidence reaches {number(rows[0]['confidence_auc'])} on the same "
        f"n = {count(rows[0]['n_test'])} rows; 0.5 is a guess."
    )
    caution = (
        "This compares explanations alone with confidence alone, interval against point. The paired test of what explanations add "
        f"to confidence, {VERDICTS}, is not in this lake."
    )
    inside = [paragraph(word, kind="word"), paragraph(said), paragraph(caution, kind="note")]
    return tag("div", {"class": f"verdict {kind}".strip()}, *inside)


def _ends(rows: list[Row], column: str) -> list[float]:
    return [row[column] for row in rows if row["ci_low"] is not None and row["ci_high"] is not None]


def _compared(rows: list[Row]) -> tuple[str, str]:
    """What the intervals say, all learners together: none is picked for being best."""
    known = [row for row in rows if row["ci_low"] is not None and row["ci_high"] is not None]
    above = sum(row["ci_low"] > row["confidence_auc"] for row in known)
    below = sum(row["ci_high"] < row["confidence_auc"] for row in known)
    if not known:
        return "Explanations and confidence cannot be compared: no interval could be made.", ""
    if above == len(known):
        return "Explanations alone foresee failures better than confidence alone.", "good"
    if below == len(known):
        return "Explanations alone foresee failures worse than confidence alone.", "bad"
    if not above and not below:
        return "Explanations alone and confidence alone cannot be told apart.", ""
    told = f"{above} of {len(known)} learners better than confidence, {below} worse"
    return f"The learners disagree on explanations alone: {told}, the rest not told apart.", ""


SECTION = Section("verdict", "Do explanations foresee failures?", "The verdict", (), draw, also=(LEARNERS, VERDICTS))
