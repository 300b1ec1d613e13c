"""Do explanations of clean pictures go together with being right under corruption, and do they foresee it? Said as the figures allow."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd
from docs_markdown import grid
from results_read import Findings, Words

Row = dict[Hashable, Any]


def forecast_section(findings: Findings) -> str:
    """Markdown: correlations, the learners of both protocols, and what they allow to say."""
    ids, words = findings.settings_ids, findings.words
    method = "Attention" if findings.method == "attention" else f"`{findings.method}`"
    shifted = "corrupted" if findings.modality == "image" else "attacked"
    association = (
        f"{method} metrics of the clean {words.one} (preset `{findings.metric_group}`) and its clean confidence, against `is_correct` over "
        f"all {shifted} rows. Pearson's r, 95 % bootstrap over {words.many}; *within*: without what differs between adapters; "
        f"split meta, settings `{ids['gold.correlations']}`."
    )
    forecast = (
        f"Forecasting *right* from four explanation metrics: AUROC on held-out rows of meta, 95 % bootstrap over {words.many}, beside "
        "plain clean confidence, the adapter's own accuracy and the majority answer on the same rows. Protocol `ki` is leaky (a "
        f"{words.one} is on both sides) and there for comparison; `grouped` keeps a {words.one} on one side. Settings "
        f"`{ids['gold.classifier_comparison']}`."
    )
    title = f"### {findings.dataset}: explanations of clean {words.many} against being right under {words.change}"
    tables = (
        association,
        _correlations(findings.correlations, words),
        forecast,
        _learners(findings.learners),
        reading(findings.learners, words.one),
    )
    return "\n\n".join([title, *tables])


def _correlations(frame: pd.DataFrame, words: Words) -> str:
    """One line per metric, and per head of silver.heads where it is of exemplars."""
    rows = []
    methods = frame.groupby("feature")["method"].nunique().to_dict()
    for (feature, method), part in frame.groupby(["feature", "method"], sort=True):
        scopes = {str(row["scope"]): row for row in part.to_dict("records")}
        pooled = scopes["pooled"]
        shown = [_r(scopes[scope]) for scope in ("pooled", "within_adapter")]
        name = f"{feature} of {method}" if methods[feature] > 1 else str(feature)
        rows.append([name, *shown, f"{int(pooled['n']):,}", f"{int(pooled['n_examples']):,}"])
    return grid([f"metric of the clean {words.one}", "r pooled", "r within adapter", "rows", words.many], rows).rstrip()


def _r(row: Row) -> str:
    if pd.isna(row["pearson_r"]):
        return f"not known: {row['reason']}"
    return f"{row['pearson_r']:+.3f} ({row['pearson_ci_low']:+.3f} to {row['pearson_ci_high']:+.3f})"


def _learners(frame: pd.DataFrame) -> str:
    titles = ["protocol", "learner", "AUROC", "confidence alone", "adapter alone", "accuracy", "always the majority", "test rows"]
    rows = []
    for row in frame.to_dict("records"):
        known = not pd.isna(row["roc_auc"])
        auroc = f"{row['roc_auc']:.3f} ({row['ci_low']:.3f} to {row['ci_high']:.3f})" if known else f"not known: {row['reason']}"
        figures = [_three(row[name]) for name in ("confidence_auc", "adapter_auc", "accuracy", "majority_accuracy")]
        rows.append(
            [str(row["protocol"]), str(row["model"]), auroc, *figures, "–" if pd.isna(row["n_test"]) else f"{int(row['n_test']):,}"]
        )
    return grid(titles, rows).rstrip()


def _three(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.3f}"


def reading(frame: pd.DataFrame, one: str = "picture") -> str:
    """One paragraph: the grouped learner that was best inside the training rows, against confidence on the same test rows; then the leak.

    The learner is chosen by cross-validation on training rows, so that test rows choose nothing.
    """
    chosen = headline(frame, "grouped")
    if chosen is None:
        return "**Reading.** Nothing could be learned under the grouped protocol; the column says why."
    text = (
        f"**Reading.** {chosen['model']} was the best learner inside the training rows. Split by {one}, explanations alone reach "
        f"{chosen['roc_auc']:.3f} ({chosen['ci_low']:.3f} to {chosen['ci_high']:.3f}); {_against_confidence(chosen)}"
    )
    leaky = frame[(frame["protocol"] == "ki") & (frame["model"] == chosen["model"])].dropna(subset=["roc_auc"])
    if len(leaky):
        gap = float(leaky["roc_auc"].iloc[0]) - chosen["roc_auc"]
        said = f"{gap:+.3f} that is not foresight" if gap > 0 else f"{gap:+.3f}"
        text += f" The published split of rows gives the same learner {leaky['roc_auc'].iloc[0]:.3f}: {said}.{_widest_leak(frame)}"
    return text + " Whether explanations add to confidence is another question, which this table does not answer."


def _widest_leak(frame: pd.DataFrame) -> str:
    """What the split of rows gives to the learner that gains most by it: some remember rows, some cannot."""
    known = frame.dropna(subset=["roc_auc"])
    ki, grouped = (known[known["protocol"] == name].set_index("model")["roc_auc"].to_dict() for name in ("ki", "grouped"))
    gaps = {str(model): float(ki[model]) - float(grouped[model]) for model in ki if model in grouped}
    if not gaps or max(gaps.values()) <= 0:
        return ""
    most = max(sorted(gaps), key=lambda model: gaps[model])
    return f" It gives {most} most: {grouped[most]:.3f} with examples apart, {ki[most]:.3f} by row."


def headline(frame: pd.DataFrame, protocol: str) -> Row | None:
    """The row of the learner with the highest cross-validated AUROC inside the training rows; None where none could be fitted."""
    known = frame[frame["protocol"] == protocol].dropna(subset=["roc_auc", "cv_auc_mean"])
    if known.empty:
        return None
    return dict(known.sort_values(["cv_auc_mean", "model"], ascending=[False, True]).iloc[0])


def _against_confidence(row: Row) -> str:
    confidence = row["confidence_auc"]
    if pd.isna(confidence):
        return "plain confidence could not be computed on the same rows."
    same = f"plain clean confidence, which costs nothing, has {confidence:.3f} on the same test rows"
    if row["ci_high"] < confidence:
        return f"{same}, above that interval: explanations alone do not beat it."
    if row["ci_low"] > confidence:
        return f"{same}, below that interval: here explanations alone rank better than it."
    return f"{same}, inside that interval: this does not show that explanations alone beat it, nor that they cannot."
