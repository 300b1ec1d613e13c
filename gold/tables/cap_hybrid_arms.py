"""Which prior helped, by how much, over no prior, over shuffled priors, and over no adapter at all?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from gold.frames import Frames
from gold.settings import GoldSettings
from gold.steering.pairs import Mean, mean_of, verdict_of
from gold.steering.recipes import LOGISTIC, NOTHING, is_shuffled, sources_of
from gold.table import TAIL, GoldTable, as_table, count
from lake.spec import DATASET, Column, Table

# metric -> whether higher is better
METRICS = {
    "accuracy": True,
    "adversarial_accuracy": True,
    "comprehensiveness": True,
    "sufficiency": False,
    "comprehensiveness_20": True,
    "sufficiency_20": False,
    "comprehensiveness_ig": True,
    "sufficiency_ig": False,
    "auroc_outside": True,
}
OF_OUTSIDE = ("auroc_outside",)  # no rows where the dataset has no inputs of no class
RULE = (
    "better or worse where Student's t interval of the paired differences (gold.confidence_level) leaves out 0, else no evidence; null "
    "below gold.steering.min_pairs pairs"
)
GROUP = ("setting", "priors", "fusion", "beta", "n_perturbations", "scorer_name", "tuning", "ig_steps", "variant")
_OF_SEEDS = "over trainings (seeds, shots); the test texts are the same, so their chance is not in it"


def _against(name: str, what: str) -> tuple[Column, ...]:
    return (
        Column(f"over_{name}", "double", f"mean paired difference: this arm minus {what}"),
        Column(f"over_{name}_se", "double", f"its standard error {_OF_SEEDS}; null below two pairs", low=0.0),
        count(f"n_pairs_{name}", "pairs behind it"),
        Column(f"verdict_{name}", "string", RULE, allowed=("better", "no evidence", "worse")),
    )


SPEC = Table(
    layer="gold",
    name="cap_hybrid_arms",
    comment="arms of gold.cap_hybrid_training averaged over seeds and compared in pairs that share all but the prior; empty for pictures",
    key=("dataset", "setting", "priors", "fusion", "beta", "n_perturbations", "scorer", "tuning", "ig_steps", "variant", "metric"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        Column("setting", "string", "texts trained on, as in gold.cap_hybrid_training"),
        Column("priors", "string", "the arm: none, cap, cap+ig, …, shuffled:cap+ig, random, logistic_regression"),
        Column("fusion", "string", "mean or max; none where there is no source"),
        Column("beta", "double", "weight of the attribution loss", low=0.0),
        Column("n_perturbations", "bigint", "masks behind the prior", unit="masks", low=0),
        Column(
            "scorer", "string", "the language model as configured (scorer_name of gold.cap_hybrid_training): one per choice of texts is one"
        ),
        Column("tuning", "string", "lora or full; none for logistic regression"),
        Column("ig_steps", "bigint", "midpoints of the integrated gradients in the loss", low=0),
        Column("variant", "string", "hash of the rest of the recipe"),
        Column("metric", "string", "column of gold.cap_hybrid_training", allowed=tuple(METRICS)),
        Column("direction", "string", "which end of the metric is good", allowed=("higher", "lower"), nullable=False),
        Column("mean", "double", "mean of the metric over trainings"),
        Column("standard_error", "double", f"standard error {_OF_SEEDS}; null below two trainings", low=0.0),
        count("n_seeds", "trainings that have the metric"),
        *_against("none", "arm none"),
        *_against("shuffled", "the control of the same numbers on other words (shuffled_control)"),
        Column(
            "shuffled_control",
            "string",
            "the arm compared with: shuffled priors of the same sources, or else of the most; then verdict_shuffled is null",
        ),
        *_against("logistic", "logistic regression on the same texts"),
        Column(
            "beats_logistic_regression", "boolean", "over_logistic is above 0, for accuracy; says nothing of chance: see verdict_logistic"
        ),
        Column(
            "leaky_prior", "boolean", "a scorer of the arm saw more labels than the training: its gain is not the prior's; null if unknown"
        ),
        *TAIL,
    ),
)


def build(frames: Frames) -> pd.DataFrame:
    """One row per arm and metric; n = trainings of the arm."""
    training = frames.built.get("cap_hybrid_training")
    if training is None or not len(training):
        return as_table(SPEC, frames.dataset, [])
    return as_table(SPEC, frames.dataset, list(_records(training, frames.settings)))


def _records(training: pd.DataFrame, settings: GoldSettings) -> Iterator[dict[str, Any]]:
    metrics = {metric: higher for metric, higher in METRICS.items() if metric not in OF_OUTSIDE or training[metric].notna().any()}
    for values, group in training.groupby(list(GROUP)):
        about = dict(zip(GROUP, values, strict=True))
        control = _control(about, group, training)
        for metric, higher in metrics.items():
            mean = mean_of(group[metric].dropna().tolist())
            found = {"mean": mean.mean, "standard_error": mean.standard_error, "n_seeds": mean.n}
            compared, why = _compared(about, group, training, metric, control, settings)
            beats = None if metric != "accuracy" or compared["over_logistic"] is None else compared["over_logistic"] > 0
            reasons = [*_mean_reasons(mean), *why]
            yield {
                **{("scorer" if name == "scorer_name" else name): value for name, value in about.items()},
                **found,
                **compared,
                "metric": metric,
                "direction": "higher" if higher else "lower",
                "shuffled_control": None if control is None else control["priors"].iloc[0],
                "beats_logistic_regression": beats,
                "leaky_prior": _leaky(group),
                "n": len(group),
                "reason": "; ".join(reasons) or None,
            }


def _leaky(group: pd.DataFrame) -> bool | None:
    known = group["leaky_prior"].dropna()
    return True if known.astype(bool).any() else None if len(known) < len(group) else False


def _mean_reasons(mean: Mean) -> list[str]:
    return {0: ["no training has this metric"], 1: ["one training has no standard error"]}.get(mean.n, [])


def _control(about: dict[str, Any], group: pd.DataFrame, training: pd.DataFrame) -> pd.DataFrame | None:
    """The shuffled trainings that an arm with sources is compared with; None where it has none or is one.

    Of those that share everything but the prior, beta and steps included, the arm with the same sources; without it the one with most.
    Of several, those of the same fusion, masks and scorer first.
    """
    own = sources_of(about["priors"])
    if not own or is_shuffled(about["priors"]):
        return None
    like = training["pair_id"].isin(group["pair_id"]) & (training["beta"] == about["beta"]) & (training["ig_steps"] == about["ig_steps"])
    found = training[like & training["priors"].map(is_shuffled)]

    def preference(key: tuple[Any, ...]) -> tuple[Any, ...]:
        other = dict(zip(GROUP, key, strict=True))
        sources = sources_of(other["priors"])
        same = (other[name] != about[name] for name in ("fusion", "n_perturbations", "scorer_name"))
        return (sources != own, -len(sources), *same, *map(str, key))

    groups = {tuple(key): rows for key, rows in found.groupby(list(GROUP))}
    return groups[min(groups, key=preference)] if groups else None


def _compared(
    about: dict[str, Any],
    group: pd.DataFrame,
    training: pd.DataFrame,
    metric: str,
    control: pd.DataFrame | None,
    settings: GoldSettings,
) -> tuple[dict[str, Any], list[str]]:
    """The columns of the three comparisons, and why some are null."""
    arm, nothing = about["priors"], training[:0]
    plain = nothing if arm in (NOTHING, LOGISTIC) else training[training["priors"] == NOTHING]
    linear = nothing if arm == LOGISTIC else training[training["priors"] == LOGISTIC]
    others = {
        "none": (plain, ["pair_id"]),
        "shuffled": (nothing if control is None else control, ["pair_id"]),
        "logistic": (linear, ["setting", "shots_seed", "label_noise_seed"]),
    }
    found: dict[str, Any] = {}
    reasons = []
    for name, (other, shared) in others.items():
        differences = _differences(group, other, metric, shared)
        mean = mean_of(differences)
        verdict = verdict_of(differences, METRICS[metric], settings.confidence_level, settings.steering.min_pairs)
        foreign = name == "shuffled" and verdict is not None and not _is_own(control, arm)
        if foreign:
            verdict = None
            reasons.append("shuffled: the control has other sources, which is no verdict on this arm's")
        found |= {f"over_{name}": mean.mean, f"over_{name}_se": mean.standard_error}
        found |= {f"n_pairs_{name}": mean.n, f"verdict_{name}": verdict}
        if verdict is None and not foreign:
            reasons.append(f"{name}: {mean.n} pairs, a verdict needs {settings.steering.min_pairs}")
    return found, reasons


def _is_own(control: pd.DataFrame | None, arm: str) -> bool:
    """Are the control's numbers those of the arm, on other words?"""
    return control is not None and sources_of(control["priors"].iloc[0]) == sources_of(arm)


def _differences(group: pd.DataFrame, other: pd.DataFrame, metric: str, shared: Sequence[str]) -> list[float]:
    """This arm minus the other for every training that has a partner, in the order of the group."""
    mine = group.dropna(subset=[metric])
    theirs = other.dropna(subset=[metric]).groupby(list(shared))[metric].mean()
    keys = mine[shared[0]] if len(shared) == 1 else pd.MultiIndex.from_frame(mine[list(shared)])
    partner = theirs.reindex(keys).to_numpy(dtype="float64")
    return pd.Series(mine[metric].to_numpy(dtype="float64") - partner).dropna().tolist()


TABLE = GoldTable(SPEC, build)
