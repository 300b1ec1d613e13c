"""Rows of gold.cap_hybrid_arms and gold.cap_hybrid_training by hand, as DuckDB gives them."""

from __future__ import annotations

from typing import Any

import pandas as pd

PLAIN = {"fusion": "none", "beta": 0.0, "n_perturbations": 0, "scorer": "none", "ig_steps": 0}
STEERED = {"fusion": "mean", "beta": 1.0, "n_perturbations": 100, "scorer": "llama", "ig_steps": 8}
OTHERS = ("none", "shuffled", "logistic")


def row(priors: str, mean: float | None, metric: str = "accuracy", setting: str = "full", **given: Any) -> dict[str, Any]:
    """One arm and metric. `none=(difference, error, pairs, verdict)`, and so `shuffled` and `logistic`; the rest are columns."""
    linear = priors == "logistic_regression"
    about = PLAIN if linear or priors == "none" else STEERED | ({"n_perturbations": 0, "scorer": "none"} if priors == "random" else {})
    found = {"setting": setting, "priors": priors, "tuning": "none" if linear else "lora", "variant": "none" if linear else "v", **about}
    found |= {"metric": metric, "mean": mean, "standard_error": None, "n_seeds": 3, "leaky_prior": None, "shuffled_control": None}
    for other in OTHERS:
        difference, error, pairs, verdict = given.pop(other, (None, None, 0, None))
        found |= {f"over_{other}": difference, f"over_{other}_se": error, f"n_pairs_{other}": pairs, f"verdict_{other}": verdict}
    return found | given


def arms(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(rows))


def training(*rows: dict[str, Any]) -> pd.DataFrame:
    """Rows of gold.cap_hybrid_training: what a test names over what all share."""
    shared = {"setting": "full", "priors": "cap+ig", **STEERED, "scorer_name": "llama", "tuning": "lora", "variant": "v", "name": "r"}
    shared |= {
        "accuracy": None,
        "adversarial_accuracy": None,
        "comprehensiveness": None,
        "sufficiency": None,
        "seconds": 60.0,
        "leaky_prior": None,
        "n": 200,
    }
    frame = pd.DataFrame([shared | one for one in rows])
    figures = ["accuracy", "adversarial_accuracy", "comprehensiveness", "sufficiency"]
    return frame.astype(dict.fromkeys(figures, "float64"))
