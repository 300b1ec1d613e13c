"""Does the page say of the standing test what gold's rows say, and read the study's figures with care?"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pandas as pd

Script = Callable[[str], Any]
FIGURES = ("auroc", "auroc_within_adapter", "aurc", "fpr95", "brier", "ece")


def compared(protocol: str, features: str, model: str, auroc: float | None, headline: bool = True) -> dict[str, object]:
    figures = dict.fromkeys(FIGURES, 0.25) | {"auroc": auroc}
    ends = {f"{name}_ci_{side}": None for name in FIGURES for side in ("low", "high")}
    if auroc is not None:
        ends |= {"auroc_ci_low": auroc - 0.1, "auroc_ci_high": auroc + 0.1}
    counts = {"n": 1000, "n_blocks": 5, "failure_rate": 0.3, "leaky": protocol == "ki"}
    return {"protocol": protocol, "features": features, "model": model, "is_headline": headline, **figures, **ends, **counts}


def judged(protocol: str, verdict: str | None, sentence: str) -> dict[str, object]:
    gains = {
        f"{name}{end}": 0.01
        for name in ("delta_auroc", "delta_within_adapter", "delta_over_control")
        for end in ("", "_ci_low", "_ci_high")
    }
    told = {"model": "XGBoost", "verdict": verdict, "sentence": sentence, "other_model": "LogisticRegression", "other_verdict": None}
    figures = {"ci_low": -0.02, "ci_high": 0.04, "min_detectable_delta": 0.05, "rule": "{}", "rule_sha256": "f" * 16}
    return {"protocol": protocol, "leaky": protocol == "ki", **gains, **told, **figures, "n_examples": 40, "n_adapters": 9}


def honest(script: Script) -> Any:
    comparison = [
        compared("grouped", "adapter", "mean", 0.55, headline=False),
        compared("grouped", "xai|cell", "XGBoost", 0.66),
        compared("grouped", "confidence", "XGBoost", 0.65),
        compared("grouped", "confidence", "LogisticRegression", 0.64, headline=False),
        compared("grouped", "embedding", "XGBoost", None),
        compared("ki", "xai", "RandomForest", 0.81, headline=False),
        compared("ki", "xai", "XGBoost", 0.79),
    ]
    coverage = [
        {"protocol": "grouped", "features": "confidence", "coverage": share, "error": error, "error_all": 0.3}
        for share, error in ((1.0, 0.3), (0.9, 0.25), (0.5, 0.1))
    ]
    check = {"origin": "held_out", "mean_estimate": 0.2, "mean_observed": 0.3, "n_adapters": 9, "n": 81, "ci_low": None, "ci_high": None}
    check |= {"mean_absolute_error": 0.1, "spearman_adapters": None, "spearman_cells": 0.5, "forecast_error_over": None}
    checks = [
        {**check, "estimator": "forecast", "sentence": "The forecast is closer."},
        {**check, "estimator": "cell_mean", "sentence": "No."},
    ]
    verdicts = [
        judged("leave_adapter_out", None, "No verdict."),
        judged("grouped", "underpowered", "Cannot tell."),
        judged("ki", None, "Leaky."),
    ]
    return script("results_honest").Honest(*map(pd.DataFrame, (comparison, verdicts, coverage, checks)))


def test_a_lake_without_forecasts_says_so(script: Script) -> None:
    findings = SimpleNamespace(dataset="pets", words=SimpleNamespace(one="picture"))
    text = script("results_honest").honest_section(findings, None)
    assert text.startswith("### pets: ") and "run its configuration again" in text


def test_the_section_gives_verdicts_in_order_the_headline_learner_and_what_rejecting_buys(script: Script) -> None:
    findings = SimpleNamespace(dataset="pets", words=SimpleNamespace(one="picture"))
    text = script("results_honest").honest_section(findings, honest(script))
    assert text.index("| ki (leaky) | XGBoost |") < text.index("| grouped | XGBoost |") < text.index("| leave_adapter_out |")
    assert "+0.010 (-0.020 to +0.040) | +0.010 (+0.010 to +0.010)" in text and "| 0.050 | underpowered | LogisticRegression: – |" in text
    assert "- grouped: Cannot tell." in text and "- ki:" not in text  # a leaky protocol has no say
    assert text.index("| `adapter` | 0.550 (0.450 to 0.650)") < text.index("| `confidence` | 0.650") < text.index("| `xai\\|cell` | 0.660")
    assert "0.640" not in text  # the other learner's
    assert "`embedding`" not in text.split("What each set")[1].split("`ki`")[0]  # nothing could be computed
    assert "- `confidence`: error 0.300 with all rows; rejecting the riskiest 10%: 0.250, 50%: 0.100" in text
    assert (
        "| held_out | forecast | 0.200 | 0.300 | 0.100 | – | 0.500 | – | 9 | 81 |" in text and "- held_out: The forecast is closer." in text
    )


def test_the_studys_readings_stand_beside_what_it_did_not_print(script: Script) -> None:
    correlations = [
        {"feature": name, "scope": scope, "pearson_r": value}
        for name, values in {"entropy": (-0.2, 0.1), "deletion": (0.3, 0.2), "confidence": (0.5, 0.4)}.items()
        for scope, value in zip(("pooled", "within_adapter"), values, strict=True)
    ]
    learners = pd.DataFrame(
        [
            {"protocol": name, "model": "RandomForest", "roc_auc": auroc, "confidence_auc": 0.7, "adapter_auc": 0.6}
            for name, auroc in (("ki", 0.8), ("grouped", 0.65))
        ]
    )
    degradation = [
        {"adapter_id": name, "corruption": "ki_contrast", "severity": 1, "drop_from_clean": drop}
        for name, drop in (("a", 0.02), ("b", 0.04))
    ]
    findings = SimpleNamespace(
        dataset="pets",
        words=SimpleNamespace(one="picture"),
        correlations=pd.DataFrame(correlations),
        learners=learners,
        degradation=pd.DataFrame(degradation),
        adapters=pd.DataFrame({"adapter_id": ["a", "b"], "name": ["a", "b"], "rank": [4, 32]}),
    )
    text = script("results_readings").readings_section(findings, honest(script))
    assert "AUROC 0.800*" in text and "on one side it is 0.650" in text and "gives 0.600, plain clean confidence 0.700" in text
    assert "Here r = -0.200 over all rows and +0.100 within adapters: within adapters the sign is the other one" in text
    assert "r = +0.300 pooled, +0.200 within adapters: deletion is higher where the answer is right" in text
    assert "By |r| it is deletion over all rows and deletion within adapters" in text and "has +0.500 and +0.400" in text
    assert "severity 1: 3.0 points (rank 4 2.0, rank 32 4.0)" in text
    assert "| ki | – | – | 0.790 | – | 0.810 |" in text and "| grouped | 0.550 | 0.650 | – | – | – |" in text
