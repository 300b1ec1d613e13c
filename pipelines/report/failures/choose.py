"""Which failures are shown? A rule decides that no one can bend: hashes, spread over corruptions and adapters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipelines.report.source import Reading, Row

# Right on the clean input, wrong under a corruption, at the mildest severity where that is so; a few of each corruption and adapter, by a
# hash of the key, so that neither the striking nor the kind ones are preferred.
CANDIDATES = """
SELECT p.example_id, p.adapter_id, p.corruption, MIN(p.severity) AS severity,
       arg_min(p.predicted_id, p.severity) AS predicted_id, arg_min(p.confidence, p.severity) AS confidence,
       arg_min(p.settings_id, p.severity) AS settings_id, md5(concat_ws(' ', p.example_id, p.adapter_id, p.corruption)) AS draw
FROM ood.predictions_current p
WHERE p.dataset = ? AND p.flipped AND list_contains(?, p.corruption)
GROUP BY p.example_id, p.adapter_id, p.corruption
QUALIFY row_number() OVER (PARTITION BY p.adapter_id, p.corruption ORDER BY draw) <= 8
ORDER BY draw
"""


def candidates(reading: Reading, corruptions: Sequence[str]) -> list[Row]:
    """Failures under these corruptions, up to eight of each corruption and adapter, in the order of their hashes."""
    return reading.rows(CANDIDATES, reading.dataset, list(corruptions))


def choose(rows: Sequence[Row], most: int) -> list[Row]:
    """At most so many of the rows (in the order of their hashes): the corruptions in turn, each time from the adapter shown least.

    An example is shown once. The same rows give the same choice, whatever their order.
    """
    rows = sorted(rows, key=lambda row: (row["draw"], row["example_id"], row["adapter_id"], row["corruption"]))
    order = sorted({row["corruption"] for row in rows})
    chosen: list[Row] = []
    shown: Counter[str] = Counter()
    examples: set[str] = set()
    while len(chosen) < most:
        before = len(chosen)
        for corruption in order:
            left = [row for row in rows if row["corruption"] == corruption and row["example_id"] not in examples]
            if left and len(chosen) < most:
                pick = min(left, key=lambda row: shown[row["adapter_id"]])  # of equals the first, that is the smallest hash
                chosen.append(pick)
                shown[pick["adapter_id"]] += 1
                examples.add(pick["example_id"])
        if len(chosen) == before:
            break
    return chosen
