"""Which pictures stand on the results page? Two heat maps per dataset: what each adapter loses, and how it grows with severity."""

from __future__ import annotations

from pathlib import Path

from results_chart import heatmap
from results_intervals import Share, by_cell
from results_read import Findings

LEAST_TOP = 10.0  # points: below that a dark cell would make noise look like damage


def charts(findings: Findings, out: Path) -> list[tuple[str, str]]:
    """(title, path from the page) of each chart."""
    folder = out.parent / out.stem
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, (title, svg) in {"adapters": _by_adapter(findings), "severity": _by_severity(findings)}.items():
        path = folder / f"{findings.dataset}-{name}.svg"
        path.write_text(svg, encoding="utf-8")
        written.append((title, f"{out.stem}/{path.name}"))
    return written


def _by_adapter(findings: Findings) -> tuple[str, str]:
    corrupted = findings.degradation[findings.degradation["severity"] > 0]
    drops = corrupted.groupby(["corruption", "adapter_id"])["drop_from_clean"].mean()
    corruptions = list(dict.fromkeys(corrupted["corruption"]))
    names = dict(zip(findings.adapters["adapter_id"], findings.adapters["name"], strict=True))
    values: list[list[float | None]] = [[100 * float(drops[corruption, adapter]) for adapter in names] for corruption in corruptions]
    title = f"{findings.dataset}: accuracy lost to each corruption, points, mean over its severities"
    note = f"n = {findings.n_meta:,} pictures of meta per cell and severity; settings {findings.settings_ids['gold.degradation']}"
    return title, heatmap(title, note, corruptions, list(names.values()), values, _top(values))


def _by_severity(findings: Findings) -> tuple[str, str]:
    cells = by_cell(findings.cells)
    clean = cells[("none", 0)].value
    corruptions = list(dict.fromkeys(name for name, severity in cells if severity))
    severities = range(1, max(severity for _, severity in cells) + 1)
    values = [[_drop(clean, cells.get((name, severity))) for severity in severities] for name in corruptions]
    title = f"{findings.dataset}: accuracy lost at each severity, points, mean over adapters"
    note = (
        f"n = {findings.n_meta:,} pictures of meta x {len(findings.adapters)} adapters; settings {findings.settings_ids['ood.predictions']}"
    )
    return title, heatmap(title, note, corruptions, [str(severity) for severity in severities], values, _top(values))


def _drop(clean: float, share: Share | None) -> float | None:
    return None if share is None else 100 * (clean - share.value)


def _top(values: list[list[float | None]]) -> float:
    """The value of the darkest colour."""
    return max([LEAST_TOP, *(value for line in values for value in line if value is not None)])
