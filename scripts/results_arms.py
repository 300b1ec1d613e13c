"""Which arms were trained, and which of their rows does the page show? An arm is a row of gold.cap_hybrid_arms, all metrics together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from results_numbers import difference, signed, with_error

from gold.steering.recipes import LOGISTIC, NOTHING, is_shuffled, sources_of
from models.text_recipe import PriorRecipe

KEY = ("setting", "priors", "fusion", "beta", "n_perturbations", "scorer", "tuning", "ig_steps", "variant")
# metric of gold.cap_hybrid_arms -> what the page calls it; auroc_outside only where the lake has it.
METRICS = {
    "accuracy": "accuracy",
    "adversarial_accuracy": "robustness",
    "comprehensiveness": "comprehensiveness",
    "sufficiency": "sufficiency",
    "auroc_outside": "AUROC outside",
}
DEFAULTS = {"beta": PriorRecipe(sources=("cap",)).beta, "n_perturbations": PriorRecipe(sources=("cap",)).n, "fusion": "mean"}
FAMILIES = ("no prior", "single priors", "fused priors", "shuffled priors", "random priors", "logistic regression")
_SETTING = re.compile(r"(?:(?P<shots>\d+)-shot|full)(?:\+share(?P<share>[\d.]+)%)?(?:\+noise(?P<noise>[\d.]+)%)?")


@dataclass(frozen=True)
class Arm:
    """One arm: the columns of KEY, its rows by metric (columns of gold.cap_hybrid_arms), and whether its prior leaks (None: unknown)."""

    about: Mapping[str, Any]
    by_metric: Mapping[str, Mapping[Hashable, Any]]

    @property
    def key(self) -> tuple[Any, ...]:
        """Its values of KEY."""
        return tuple(self.about[name] for name in KEY)

    @property
    def setting(self) -> str:
        return str(self.about["setting"])

    @property
    def priors(self) -> str:
        return str(self.about["priors"])

    @property
    def has_prior(self) -> bool:
        return self.priors not in (NOTHING, LOGISTIC)

    @property
    def leaky(self) -> bool | None:
        flags = [row["leaky_prior"] for row in self.by_metric.values() if not pd.isna(row["leaky_prior"])]
        return bool(flags[0]) if flags else None

    @property
    def title(self) -> str:
        """As tables name it; a prior whose language model knew more than the training is called leaky."""
        if self.priors == LOGISTIC:
            return "logistic regression on frozen embeddings"
        if self.leaky or not self.has_prior:
            return self.priors + (" (leaky)" if self.leaky else "")
        return self.priors + (" (leak unknown)" if self.leaky is None and self.about["scorer"] != NOTHING else "")

    @property
    def prior_settings(self) -> str:
        """`beta 1, n 100, mean`; a dash without a prior."""
        return prior_settings(self.about)

    @property
    def family(self) -> str:
        """One of FAMILIES."""
        return family_of(self.priors)

    def level(self, metric: str) -> str:
        """`0.912 ± 0.004`: mean over trainings and its standard error."""
        row = self.by_metric.get(metric, {})
        return with_error(row.get("mean"), row.get("standard_error"))

    def pairs(self, other: str, metric: str) -> int:
        """Pairs behind the difference to `none`, `shuffled` or `logistic`."""
        return int(self.value(f"n_pairs_{other}", metric) or 0)

    def by(self, other: str, metric: str) -> str:
        """`+0.012 ± 0.004`: the paired difference alone."""
        return signed(self.value(f"over_{other}", metric), self.value(f"over_{other}_se", metric))

    def over(self, other: str, metric: str) -> str:
        """The paired difference to `none`, `shuffled` or `logistic`, with its pairs and verdict."""
        mean, error = (self.value(f"over_{other}{end}", metric) for end in ("", "_se"))
        return difference(mean, error, self.pairs(other, metric), self.verdict(other, metric))

    def verdict(self, other: str, metric: str) -> str | None:
        """better, worse, no evidence; None where there is none."""
        found = self.by_metric.get(metric, {}).get(f"verdict_{other}")
        return None if found is None or pd.isna(found) else str(found)

    def value(self, column: str, metric: str = "accuracy") -> float | None:
        """A column of a metric's row, None where it is null."""
        found = self.by_metric.get(metric, {}).get(column)
        return None if found is None or pd.isna(found) else float(found)


def prior_settings(about: Mapping[Any, Any]) -> str:
    """`beta 1, n 100, mean` of a row of any table about trainings; a dash without a prior."""
    if str(about["priors"]) in (NOTHING, LOGISTIC) or pd.isna(about["beta"]):
        return "–"
    parts = [f"beta {about['beta']:g}"]
    parts += [f"n {about['n_perturbations']:.0f}"] if about["n_perturbations"] else []
    parts += [str(about["fusion"])] if len(sources_of(str(about["priors"]))) > 1 else []
    return ", ".join(parts)


def family_of(priors: str) -> str:
    """The one of FAMILIES that an arm belongs to, by its name."""
    named = {NOTHING: "no prior", "random": "random priors", LOGISTIC: "logistic regression"}
    if priors in named:
        return named[priors]
    return "shuffled priors" if is_shuffled(priors) else "fused priors" if len(sources_of(priors)) > 1 else "single priors"


def arms_of(frame: pd.DataFrame) -> list[Arm]:
    """All arms: settings from few shots to all texts, in each no prior first, then single priors, fused ones, controls, no adapter."""
    found = []
    for values, rows in frame.groupby(list(KEY), sort=True):
        by_metric = {str(row["metric"]): row for row in rows.to_dict("records")}
        found.append(Arm(dict(zip(KEY, values, strict=True)), by_metric))
    return sorted(found, key=lambda arm: (setting_order(arm.setting), FAMILIES.index(arm.family), *arm.key))


def setting_order(setting: str) -> tuple[float, float, float, str]:
    """Few shots before many before all texts, smaller shares before larger, true labels before noise."""
    match = _SETTING.fullmatch(setting)
    if match is None:
        return (float("inf"), float("inf"), 0.0, setting)
    numbers = match.groupdict()
    return (float(numbers["shots"] or "inf"), float(numbers["share"] or 100), float(numbers["noise"] or 0), setting)


def without_noise(setting: str) -> str:
    """`full` of `full+noise5%`."""
    return re.sub(r"\+noise[\d.]+%$", "", setting)


def metrics_of(arms: Sequence[Arm]) -> dict[str, str]:
    """METRICS without those that no arm has."""
    return {name: title for name, title in METRICS.items() if any(arm.value("mean", name) is not None for arm in arms)}


def usual(arms: Sequence[Arm]) -> list[Arm]:
    """Of every arm the rows whose beta, masks and fusion are those that most arms of the setting have; all where it has no such row.

    Of values that as many arms have the default counts, else the smallest. A grid of values is another table's.
    """
    kept = []
    for setting in dict.fromkeys(arm.setting for arm in arms):
        mine = [arm for arm in arms if arm.setting == setting]
        values = {name: _most_common(mine, name) for name in DEFAULTS}
        plain = [arm for arm in mine if all(not _speaks(arm, name) or arm.about[name] == values[name] for name in DEFAULTS)]
        there = {arm.priors for arm in plain}
        kept += [arm for arm in mine if arm in plain or arm.priors not in there]
    return kept


def _speaks(arm: Arm, name: str) -> bool:
    """Does this choice mean anything for the arm?"""
    return {
        "beta": arm.has_prior,
        "n_perturbations": bool(arm.about["n_perturbations"]),
        "fusion": len(sources_of(arm.priors)) > 1,
    }[name]


def _most_common(arms: Sequence[Arm], name: str) -> Any:
    counts = Counter(value for _, value in {(arm.priors, arm.about[name]) for arm in arms if _speaks(arm, name)})
    ranked = sorted(counts, key=lambda value: (-counts[value], value != DEFAULTS[name], value))
    return ranked[0] if ranked else None
