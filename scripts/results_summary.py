"""What is the page's answer for pictures in one table, a row per dataset?"""

from __future__ import annotations

import pandas as pd
from results_forecast import Row, headline
from results_intervals import counted, failed, shown
from results_page import verdict
from results_probe import Probe
from results_read import Findings

TITLES = (
    "dataset",
    "classes",
    "pictures of meta",
    "raw-pixel probe",
    "adapters, clean",
    "backbone",
    "wrong under corruption",
    "explanations, AUROC",
    "confidence, AUROC",
)


def picture_row(findings: Findings, probe: Probe | None) -> list[str]:
    """What the section says at length. AUROC: of foreseeing *right under corruption* on unseen pictures (grouped)."""
    accuracies = findings.adapters["clean_accuracy"]
    best = headline(findings.learners, "grouped")
    auroc = ("–", "–") if best is None else (f"{best['roc_auc']:.3f} ({best['ci_low']:.3f} to {best['ci_high']:.3f})", _confidence(best))
    return [
        f"[{findings.dataset}](#{findings.dataset})",
        f"{findings.n_labels}",
        f"{findings.n_meta:,}",
        "–" if probe is None else shown(counted(int(probe.right.sum()), len(probe.right))),
        f"{len(accuracies)}: {accuracies.min():.3f} to {accuracies.max():.3f}",
        verdict(findings, probe).partition(":")[0].rstrip(".").lower(),
        shown(failed(findings.failures, "wrong")),
        *auroc,
    ]


def _confidence(best: Row) -> str:
    return "–" if pd.isna(best["confidence_auc"]) else f"{best['confidence_auc']:.3f}"
