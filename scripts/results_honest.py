"""Do explanations say that an adapter will fail before confidence does? The standing test of a finished lake, in Markdown."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from docs_markdown import grid
from results_numbers import three
from results_read import Findings

from gold.forecast.settings import REGIME_NAMES
from pipelines.sql.duck import connect

TABLES = ("gold.forecast_comparison", "gold.forecast_verdict", "gold.coverage_risk", "gold.forecast_check")
LISTED = (
    "constant", "adapter", "cell", "confidence", "embedding", "xai", "confidence+xai", "confidence+attributions",
    "confidence+shuffled_xai", "confidence|cell", "xai|cell", "confidence+xai|cell", "all", "corrupted_confidence",
)  # fmt: skip
Row = Mapping[Hashable, Any]


@dataclass(frozen=True)
class Honest:
    """The dataset's rows of the forecast's tables."""

    comparison: pd.DataFrame
    verdict: pd.DataFrame
    coverage: pd.DataFrame
    check: pd.DataFrame


def read_honest(lake: Path, dataset: str) -> Honest | None:
    """None where the lake's gold is from before there were forecasts, or holds none of this dataset."""
    connection, found = connect(str(lake), set(TABLES))
    try:
        if set(found.absent) & set(TABLES):
            return None
        frames = [connection.execute(f"SELECT * FROM {name} WHERE dataset = ?", [dataset]).df() for name in TABLES]  # noqa: S608  # our names
    finally:
        connection.close()
    return None if frames[0].empty else Honest(*frames)


def honest_section(findings: Findings, honest: Honest | None) -> str:
    """The verdict per protocol, what each set of features foretells, what rejecting buys, and which forecasts came true."""
    title = f"### {findings.dataset}: does an explanation foretell failure beyond confidence?"
    if honest is None:
        return f"{title}\n\nNot known: this lake's gold is from before forecasts were made; run its configuration again."
    return "\n\n".join([title, _verdicts(honest), _compared(honest, findings), _rejected(honest), _checked(honest)])


def _ordered(frame: pd.DataFrame) -> list[Row]:
    return sorted(frame.to_dict("records"), key=lambda row: REGIME_NAMES.index(row["protocol"]))


def _verdicts(honest: Honest) -> str:
    rows = [
        [
            f"{row['protocol']}{' (leaky)' if row['leaky'] else ''}",
            _word(row["model"]),
            _signed(row, "delta_auroc", "ci_low", "ci_high"),
            _signed(row, "delta_within_adapter"),
            _signed(row, "delta_over_control"),
            three(row["min_detectable_delta"]),
            _word(row["verdict"]),
            f"{_word(row['other_model'])}: {_word(row['other_verdict'])}",
        ]
        for row in _ordered(honest.verdict)
    ]
    head = [
        "held out", "learner", "gain in AUROC", "within adapter", "over shuffled explanations", "least gain to be found", "verdict",
        "other learner",
    ]  # fmt: skip
    first = _ordered(honest.verdict)[0]
    said = [f"- {row['protocol']}: {row['sentence']}" for row in _ordered(honest.verdict) if not row["leaky"]]
    intro = (
        "Gain of clean confidence and explanations together over clean confidence alone, in forecasting which inputs the adapter gets "
        "wrong; "
        f"95 % bootstrap over {int(first['n_examples']):,} examples (and {int(first['n_adapters'])} adapters where these are held out), "
        "widened for what training adds. "
        "The rule "
        f"of the verdict was fixed beforehand (`{first['rule']}`), settings `{first['rule_sha256']}`. The learner is the one with the "
        "higher "
        "AUROC on confidence inside the training rows."
    )
    return "\n\n".join([intro, grid(head, rows).rstrip(), "\n".join(said)])


def _compared(honest: Honest, findings: Findings) -> str:
    parts = []
    for name in REGIME_NAMES:
        mine = honest.comparison[
            (honest.comparison["protocol"] == name) & (honest.comparison["is_headline"] | (honest.comparison["model"] == "mean"))
        ]
        known = mine.dropna(subset=["auroc"])
        rows = [_compared_row(row) for row in sorted(known.to_dict("records"), key=_place)]
        if rows:
            first = known.iloc[0]
            what = (
                f"`{name}`{' (leaky: read for comparison only)' if first['leaky'] else ''}: {int(first['n']):,} rows, failure rate "
                f"{first['failure_rate']:.3f}, {int(first['n_blocks'])} test blocks:"
            )
            head = ["features", "AUROC", "within adapter", "AURC", "FPR at 95 % TPR", "Brier", "ECE"]
            parts.append(f"{what}\n\n{grid(head, rows).rstrip()}")
    intro = (
        f"What each set of features of the clean {findings.words.one} foretells, learner of the verdict (positive = wrong). "
        "`corrupted_confidence` looks at the shifted input itself and is a ceiling, no forecast."
    )
    return "\n\n".join([intro, *parts])


def _place(row: Row) -> int:
    name = str(row["features"])
    return LISTED.index(name) if name in LISTED else len(LISTED)


def _compared_row(row: Row) -> list[str]:
    columns = ("auroc", "auroc_within_adapter", "aurc", "fpr95", "brier", "ece")
    return [f"`{row['features']}`", *(_between(row, name) for name in columns)]


def _rejected(honest: Honest) -> str:
    grouped = honest.coverage[honest.coverage["protocol"] == "grouped"]
    lines = []
    for features, mine in grouped.groupby("features", sort=True):
        by_coverage = mine.set_index("coverage")["error"]
        steps = [f"{1 - share:.0%}: {by_coverage[share]:.3f}" for share in sorted(by_coverage.index, reverse=True) if share < 1]
        lines.append(f"- `{features}`: error {mine['error_all'].iloc[0]:.3f} with all rows; rejecting the riskiest {', '.join(steps)}")
    return "What rejecting buys (`grouped`):\n\n" + ("\n".join(lines) or "- not known")


def _checked(honest: Honest) -> str:
    if honest.check.empty:
        return "Forecast failure rates against the truth: none could be made; an adapter must be held out."
    rows = [
        [
            str(row["origin"]), str(row["estimator"]), three(row["mean_estimate"]), three(row["mean_observed"]),
            three(row["mean_absolute_error"]), three(row["spearman_adapters"]), three(row["spearman_cells"]),
            _signed(row, "forecast_error_over", "ci_low", "ci_high"), f"{int(row['n_adapters'])}", f"{int(row['n']):,}",
        ]
        for row in honest.check.sort_values(["origin", "estimator"]).to_dict("records")
    ]  # fmt: skip
    head = [
        "made", "estimate", "mean", "truth", "mean error", "rank correlation over adapters", "over cells", "error of the forecast over it",
        "adapters", "cells",
    ]  # fmt: skip
    forecasts = honest.check[honest.check["estimator"] == "forecast"].to_dict("records")
    said = [f"- {row['origin']}: {row['sentence']}" for row in forecasts]
    intro = (
        "Forecast failure rates of adapters that the forecaster had not seen, against the truth, one figure per adapter, corruption and "
        "severity. `cell_mean` is what the others did there; `atc` and `doc` need the adapter's confidences on the shifted inputs:"
    )
    return "\n\n".join([intro, grid(head, rows).rstrip(), "\n".join(said)])


def _between(row: Row, name: str) -> str:
    if pd.isna(row[f"{name}_ci_low"]):
        return three(row[name])
    return f"{row[name]:.3f} ({row[f'{name}_ci_low']:.3f} to {row[f'{name}_ci_high']:.3f})"


def _signed(row: Row, name: str, low: str | None = None, high: str | None = None) -> str:
    if pd.isna(row[name]):
        return "–"
    ends = row[low or f"{name}_ci_low"], row[high or f"{name}_ci_high"]
    return f"{row[name]:+.3f}" + ("" if pd.isna(ends[0]) else f" ({ends[0]:+.3f} to {ends[1]:+.3f})")


def _word(value: object) -> str:
    return "–" if pd.isna(value) else str(value)  # type: ignore[call-overload]  # a cell of a frame
