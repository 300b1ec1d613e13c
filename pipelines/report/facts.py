"""What is there of a dataset, in a handful of figures?"""

from __future__ import annotations

from pipelines.report.figures import NONE, count, percent, plural
from pipelines.report.markup import Markup, tag
from pipelines.report.source import Reading

EXAMPLES, ADAPTERS = "bronze.examples_current", "silver.adapters_current"
SUMMARY, DEGRADATION = "gold.adapter_summary", "gold.degradation"
READS = (EXAMPLES, ADAPTERS, SUMMARY, DEGRADATION)
KINDS = {"image": "pictures", "text": "texts"}

INPUTS = """
SELECT MIN(modality) AS modality, COUNT(*) AS n, COUNT(*) FILTER (split = 'meta') AS meta,
       COUNT(DISTINCT label_id) FILTER (split <> 'outside') AS labels
FROM bronze.examples_current WHERE dataset = ?
"""
READY = "SELECT COUNT(DISTINCT adapter_id) AS n FROM silver.adapters_current WHERE dataset = ? AND status = 'ready'"
SPAN = """
SELECT MIN(clean_accuracy) AS low, MAX(clean_accuracy) AS high, MIN(accuracy) AS corrupted_low, MAX(accuracy) AS corrupted_high
FROM gold.adapter_summary WHERE dataset = ?
"""
CELLS = """
SELECT COUNT(DISTINCT corruption) AS corruptions, COUNT(DISTINCT (corruption, severity)) AS cells
FROM gold.degradation WHERE dataset = ? AND severity > 0
"""


def modality(reading: Reading) -> str | None:
    """`image` or `text`; None where the lake does not say."""
    found = reading.rows(INPUTS, reading.dataset) if reading.has(EXAMPLES) else []
    return str(found[0]["modality"]) if found and found[0]["modality"] else None


def facts(reading: Reading) -> Markup:
    """The figures, as a list of terms."""
    made: list[tuple[str, str]] = []
    if reading.has(EXAMPLES) and (row := reading.rows(INPUTS, reading.dataset)[0])["n"]:
        kind = KINDS.get(str(row["modality"]), "examples")
        made += [(f"held-out {kind}, of {count(row['n'])}", count(row["meta"])), ("labels", count(row["labels"]))]
    if reading.has(ADAPTERS):
        made.append(("adapters ready", count(reading.rows(READY, reading.dataset)[0]["n"])))
    if reading.has(DEGRADATION):
        row = reading.rows(CELLS, reading.dataset)[0]
        many = "corruption" if row["corruptions"] == 1 else "corruptions"
        made.append((f"{many}, {plural(row['cells'], 'severity', 'severities')} in all", count(row["corruptions"])))
    if reading.has(SUMMARY):
        row = reading.rows(SPAN, reading.dataset)[0]
        made.append(("right when clean, worst to best", _span(row["low"], row["high"])))
        made.append(("right when corrupted, worst to best", _span(row["corrupted_low"], row["corrupted_high"])))
    return tag("dl", {"class": "facts"}, *(tag("div", None, tag("dt", None, what), tag("dd", None, value)) for what, value in made))


def _span(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return NONE
    return percent(high) if percent(low) == percent(high) else f"{100 * low:.1f} – {percent(high)}"
