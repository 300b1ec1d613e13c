"""What does the results page say about corruptions? Accuracy per severity, what hurts each adapter most, rank against update scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from docs_markdown import grid
from results_intervals import by_cell, failed, shown
from results_read import Findings

BAND = (0.05, 0.60)  # shares of wrong answers between which a cell leaves something to foresee


def corruption_section(findings: Findings) -> str:
    """Accuracy per corruption and severity over adapters, and what hurts each adapter most."""
    lines = [
        accuracy_by_severity(findings),
        "",
        "What hurts each adapter most, all severities together (wrong: share of rows, t over pictures, 95 %):",
        "",
        grid(
            ["adapter", "corruption", "wrong", "lost from clean", "rows"],
            [_worst(findings, row) for row in findings.adapters.to_dict("records")],
        ).rstrip(),
        "",
        _ranks(findings.ranks),
    ]
    return "\n".join(lines)


def accuracy_by_severity(findings: Findings) -> str:
    """Mean accuracy over adapters per corruption (of texts: attack) and severity, with what it rests on."""
    words = findings.words
    cells = by_cell(findings.cells)
    names = list(dict.fromkeys(name for name, severity in cells if severity))
    deepest = max((severity for _, severity in cells), default=0)
    rows = []
    for name in names:
        found = [cells.get((name, severity)) for severity in range(1, deepest + 1)]
        rows.append([name, *("" if share is None else shown(share) for share in found)])
    clean = cells.get(("none", 0))
    wrong = [1 - share.value for (_, severity), share in cells.items() if severity]
    inside = sum(BAND[0] <= value <= BAND[1] for value in wrong)
    head = (
        f"Mean accuracy over {len(findings.adapters)} adapters, t over {findings.n_shifted:,} {words.many} of meta, 95 %. Clean: "
        f"{'–' if clean is None else shown(clean)}. {inside} of {len(wrong)} cells fail between {BAND[0]:.0%} and {BAND[1]:.0%}. Settings "
        f"`{findings.settings_ids['ood.predictions']}`."
    )
    titles = [words.change, *(f"severity {severity}" for severity in range(1, deepest + 1))]
    return f"{head}\n\n{grid(titles, rows).rstrip()}"


def _worst(findings: Findings, row: Mapping[Any, Any]) -> list[str]:
    found = findings.worst[findings.worst["adapter_id"] == row["adapter_id"]]
    if found.empty:
        return [str(row["name"]), "none was tried", "", "", ""]
    first = found.iloc[0]
    failures = findings.failures
    rows = failures[(failures["adapter_id"] == row["adapter_id"]) & (failures["corruption"] == first["corruption"])]
    lost = f"{100 * first['drop_from_clean']:.1f} points"
    return [str(row["name"]), str(first["corruption"]), shown(failed(rows, "wrong")), lost, f"{int(first['n']):,}"]


def _ranks(ranks: pd.DataFrame) -> str:
    rows = [
        [f"{row['update_scale']:.3g}", f"{row['rank']:.0f}", f"{row['ood_accuracy']:.3f}", _ends(row), f"{int(row['n_adapters'])}"]
        for row in ranks.to_dict("records")
    ]
    head = ["update scale", "rank", "accuracy under corruption", "95 % over adapters", "adapters"]
    left_out = int(ranks["n_left_out"].max()) if "n_left_out" in ranks and ranks["n_left_out"].notna().any() else 0
    told = f" ({left_out} adapters with other recipes are left out)" if left_out else ""
    intro = f"Rank at a fixed update scale, and scale at a fixed rank, among recipes that differ in nothing else but the seed{told}:"
    return f"{intro}\n\n{grid(head, rows).rstrip()}"


def _ends(row: Mapping[Any, Any]) -> str:
    return "one adapter" if pd.isna(row["ci_low"]) else f"{row['ci_low']:.3f} to {row['ci_high']:.3f}"
