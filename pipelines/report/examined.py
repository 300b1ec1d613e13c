"""Of which attribution, and of which group of its metrics, does the page speak?"""

from __future__ import annotations

from pipelines.report.source import Reading

METRICS, EXAMINED = "silver.explanation_metrics_current", "gold.correlations"
CONTROLS = ("random", "reverse", "oracle")
KI = "ki"

# The groups inversion and provenance have none of the metrics that the page draws.
GROUPS = """
SELECT method, metric_group FROM silver.explanation_metrics_current WHERE dataset = ? AND metric_group NOT IN ('inversion', 'provenance')
GROUP BY ALL ORDER BY ALL
"""


def examined(reading: Reading) -> tuple[str, str] | None:
    """Method and metric group: of the method that gold examined, Assay's own presets before the study's; None without any."""
    groups = reading.rows(GROUPS, reading.dataset) if reading.has(METRICS) else []
    if not groups:
        return None
    methods = {row["method"] for row in reading.table(EXAMINED, ("method",), "method")} if reading.has(EXAMINED) else set()
    own = [row for row in groups if row["method"] in methods] or groups
    best = min(own, key=lambda row: (row["metric_group"] == KI, row["method"] in CONTROLS, row["method"], row["metric_group"]))
    return best["method"], best["metric_group"]
