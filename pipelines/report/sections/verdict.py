"""Do explanations on clean inputs foretell failures better than plain confidence does? The verdict first, in plain words."""

from __future__ import annotations

from pipelines.report.charts.scale import around
from pipelines.report.charts.strips import Point, Strip
from pipelines.report.figures import count, number, plural, signed, within
from pipelines.report.markup import Content, Markup, data, joined, paragraph, tag
from pipelines.report.section import Section
from pipelines.report.sections.protocols import LEAKY, in_order
from pipelines.report.source import Reading, Row
from pipelines.report.tables import Column, folded, html_table

VERDICTS, LEARNERS = "gold.forecast_verdict", "gold.classifier_comparison"
WORDS = {
    "adds_value": ("Explanations add to what confidence says.", "good"),
    "no_evidence": ("No evidence that explanations add to what confidence says.", ""),
    "harms": ("Explanations make the forecast worse than confidence alone.", "bad"),
    "underpowered": ("Too few data to tell whether explanations add to confidence.", ""),
}
COLUMNS = (
    "protocol", "model", "delta_auroc", "ci_low", "ci_high", "min_detectable_delta", "verdict", "sentence", "n", "reason",
    "delta_within_adapter", "delta_within_adapter_ci_low", "delta_within_adapter_ci_high", "delta_over_control",
    "delta_over_control_ci_low", "delta_over_control_ci_high", "auroc_confidence", "auroc_confidence_xai", "other_model", "other_verdict",
    "n_examples", "n_adapters",
)  # fmt: skip
GAINS = ("delta_within_adapter", "delta_over_control")


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
    inside = [paragraph(word, kind="word"), paragraph(data(first["sentence"] or "", 800)), paragraph(*_details(first), kind="note")]
    said = [
        tag("li", None, data(row["protocol"], 60), ": ", data(row["sentence"], 800)) for row in rows if row is not first and row["sentence"]
    ]
    others = folded("the other protocols in words", tag("ul", None, *said)) if said else None
    return joined([tag("div", {"class": f"verdict {kind}".strip()}, *inside), _protocols(rows), others])


def _details(row: Row) -> list[Content]:
    """AUROCs and counts behind the sentence, and whether the other learner agrees."""
    aurocs = f"AUROC {number(row['auroc_confidence'])} by confidence, {number(row['auroc_confidence_xai'])} with explanations"
    of = [
        part
        for part, n in (
            (plural(row["n_examples"] or 0, "example"), row["n_examples"]),
            (plural(row["n_adapters"] or 0, "adapter"), row["n_adapters"]),
        )
        if n
    ]
    n = f"n = {count(row['n'])} rows" + (f" of {' and '.join(of)}" if of else "")
    said = str(row["other_verdict"] or "").replace("_", " ")
    other = f" The other learner, {row['other_model']}, says: {said}." if said else ""
    return [data(row["protocol"], 60), f": {aurocs}; {n}.{other}"]


def _ends(row: Row, name: str) -> tuple[float | None, float | None]:
    return row[f"{name}_ci_low"], row[f"{name}_ci_high"]


def _protocols(rows: list[Row]) -> Markup:
    values = [value for row in rows for value in (row["delta_auroc"], row["ci_low"], row["ci_high"])]
    strip = Strip(*around([*values, 0.0], 0.04), marks=(0.0,))
    columns = (
        Column("Protocol"), Column("Verdict"), Column("Difference", "num"), Column(strip.head("AUROC gained"), "plot"),
        Column("Within adapters", "num"), Column("Over shuffled", "num"), Column("Least that would be found", "num"), Column("n", "num"),
        Column("Learner"),
    )  # fmt: skip
    body = [
        (
            data(row["protocol"]), data(_leaky(row) or row["verdict"] or "none", 24),
            _under(signed(row["delta_auroc"]), row["ci_low"], row["ci_high"]),
            strip.cell(
                f"{row['protocol']}: {signed(row['delta_auroc'])}", [Point(row["delta_auroc"], row["ci_low"], row["ci_high"])]
            ),
            *(_gain(row, of) for of in GAINS), number(row["min_detectable_delta"]), count(row["n"]), data(row["model"] or ""),
        )
        for row in rows
    ]  # fmt: skip
    caption = (
        "AUROC of confidence with explanations minus confidence alone, paired, by how rows are held out; 95 % intervals; dashed: no gain"
    )
    return html_table(caption, columns, body)


def _gain(row: Row, name: str) -> Markup:
    return _under(signed(row[name]), *_ends(row, name))


def _under(text: str, low: float | None, high: float | None) -> Markup:
    """A figure, and its interval under it where there is one."""
    known = low is not None and high is not None
    return joined([text, tag("span", {"class": "under soft"}, within(low, high)) if known else None])


def _leaky(row: Row) -> str | None:
    """What may be read where one example stands on both sides."""
    return f"leaky: {row['verdict'] or 'none'}" if row["protocol"] == LEAKY else None


def _provisional(rows: list[Row]) -> Markup:
    word, kind = _compared(rows)
    low, high = min(row["roc_auc"] for row in rows), max(row["roc_auc"] for row in rows)
    models = plural(len(rows), "learner")
    reach = f"an AUROC of {number(low)}" if len(rows) == 1 else f"an AUROC of {number(low)} to {number(high)}"
    lows, highs = (_known(rows, column) for column in ("ci_low", "ci_high"))
    widest = f"{number(min(lows))} to {number(max(highs))}" if lows else "withheld"
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


def _known(rows: list[Row], column: str) -> list[float]:
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
