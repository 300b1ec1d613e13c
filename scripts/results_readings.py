"""What would KI's readings say of these data, and what does a careful reader say? The same figures, side by side."""

from __future__ import annotations

import pandas as pd
from docs_markdown import grid
from results_honest import Honest
from results_read import Findings

from gold.frames import PROVENANCE_FEATURES

FOREST = "RandomForest"


def readings_section(findings: Findings, honest: Honest | None) -> str:
    """KI's five readings beside the figures that it did not print: the leak, the adapter, confidence, Simpson, directions, and one cell."""
    title = f"### {findings.dataset}: the study's readings, read again"
    lines = [*_leak(findings), _simpson(findings), _deletion(findings), _best(findings), _contrast(findings)]
    table = [] if honest is None else [_side_by_side(honest)]
    return "\n\n".join([title, *table, "\n".join(f"- {line}" for line in lines if line)])


def _side_by_side(honest: Honest) -> str:
    """AUROC of failing, by protocol, of what knows nothing of explanations and of explanations."""
    shown = ("adapter", "confidence", "xai", "confidence+xai")
    rows = []
    for protocol in ("ki", "grouped", "leave_adapter_out"):
        mine = honest.comparison[honest.comparison["protocol"] == protocol]
        found = []
        for features in shown:
            part = mine[mine["features"] == features].dropna(subset=["auroc"])
            best = part[part["is_headline"] | (part["model"] == "mean")]
            found.append("–" if best.empty else f"{best['auroc'].iloc[0]:.3f}")
        forest = mine[(mine["features"] == "xai") & (mine["model"] == FOREST)].dropna(subset=["auroc"])
        rows.append([protocol, *found, "–" if forest.empty else f"{forest['auroc'].iloc[0]:.3f}"])
    head = ["protocol", "adapter alone", "confidence alone", "explanations alone", "both", "explanations (every metric), random forest"]
    return "AUROC of foretelling failure:\n\n" + grid(head, rows).rstrip()


def _leak(findings: Findings) -> list[str]:
    frame = findings.learners[findings.learners["model"] == FOREST].set_index("protocol")
    if not {"ki", "grouped"} <= set(frame.index) or frame["roc_auc"].isna().any():
        return []
    ki, grouped = frame.loc["ki"], frame.loc["grouped"]
    text = (
        f"*Explanations forecast correctness with AUROC {ki['roc_auc']:.3f}* (four attention metrics, random forest, rows split at "
        "random). With "
        f"every {findings.words.one} on one side it is {grouped['roc_auc']:.3f}; knowing only which adapter it is gives "
        f"{grouped['adapter_auc']:.3f}, plain clean confidence {grouped['confidence_auc']:.3f}."
    )
    return [text]


def _simpson(findings: Findings) -> str:
    found = _r(findings, "entropy")
    if found is None:
        return ""
    pooled, within = found
    kept = "the sign is the same within adapters" if pooled * within > 0 else "within adapters the sign is the other one"
    kept += "" if pooled < 0 else "; over all rows it is not KI's"
    return (
        f"*Entropy is the most informative metric* (KI: r = -0.167 over all rows, +0.011 within adapters). Here r = {pooled:+.3f} over "
        "all rows and "
        f"{within:+.3f} within adapters: {kept}. A correlation over all rows mixes what differs between adapters with what happens "
        "inside one; "
        "only the second says anything about a picture."
    ).replace("picture", findings.words.one)


def _deletion(findings: Findings) -> str:
    found = _r(findings, "deletion")
    if found is None:
        return ""
    pooled, within = found
    sided = "higher where the answer is right" if within > 0 else "lower where the answer is right"
    return (
        "*Deletion goes with correctness* (KI: +0.11). Lower deletion is the more faithful explanation, so a positive r does not say "
        "that faithful "
        f"explanations belong to right answers. Here r = {pooled:+.3f} pooled, {within:+.3f} within adapters: deletion is {sided}. A "
        "confident "
        "answer has more to lose when units go, whatever explained it."
    )


def _best(findings: Findings) -> str:
    frame = findings.correlations[
        ~findings.correlations["feature"].isin(["confidence", *PROVENANCE_FEATURES])
    ]  # the study has no exemplars
    pooled, within = (frame[frame["scope"] == scope].dropna(subset=["pearson_r"]) for scope in ("pooled", "within_adapter"))
    if pooled.empty or within.empty:
        return ""
    first, second = (max(part.to_dict("records"), key=lambda row: abs(row["pearson_r"]))["feature"] for part in (pooled, within))
    confidence = findings.correlations[findings.correlations["feature"] == "confidence"].set_index("scope")["pearson_r"]
    return (
        f"*Insertion is best, entropy most informative* (KI, by two orders of the same table). By |r| it is {first} over all rows and "
        f"{second} within "
        f"adapters; clean confidence, which is no explanation, has {confidence.get('pooled', float('nan')):+.3f} and "
        f"{confidence.get('within_adapter', float('nan')):+.3f}. Insertion ends at the clean confidence and so contains it."
    )


def _contrast(findings: Findings) -> str:
    mine = findings.degradation[findings.degradation["corruption"] == "ki_contrast"]
    if mine.empty:
        return ""
    lost = mine.merge(findings.adapters[["adapter_id", "name", "rank"]], on="adapter_id")
    lost = lost.assign(points=100 * lost["drop_from_clean"])
    parts = []
    for severity, rows in lost.groupby("severity", sort=True):
        by_rank = rows.groupby("rank")["points"].mean()
        ranks = ", ".join(f"rank {rank:.0f} {value:.1f}" for rank, value in by_rank.items())
        parts.append(f"severity {severity}: {rows['points'].mean():.1f} points ({ranks})")
    return f"*Contrast costs under 1 %* (KI's own table: 2.06 % for rank 32). Here, mean over adapters, {'; '.join(parts)}."


def _r(findings: Findings, feature: str) -> tuple[float, float] | None:
    mine = findings.correlations[findings.correlations["feature"] == feature].set_index("scope")["pearson_r"]
    if not {"pooled", "within_adapter"} <= set(mine.index) or pd.isna(mine[["pooled", "within_adapter"]]).any():
        return None
    return float(mine["pooled"]), float(mine["within_adapter"])
