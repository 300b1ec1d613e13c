"""Which arms were trained, and which of their rows does the page show? An arm is a row of gold.cap_hybrid_arms, all metrics together."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from results_numbers import difference, signed, with_error

from gold.steering.recipes import LOGISTIC, NOTHING, is_shuffled, sources_of

KEY = ("setting", "priors", "fusion", "beta", "n_perturbations", "scorer", "tuning", "ig_steps", "variant")
# metric of gold.cap_hybrid_arms -> what the page calls it; auroc_outside only where the lake has it.
METRICS = {
    "accuracy": "accuracy",
    "adversarial_accuracy": "robustness",
    "comprehensiveness": "comprehensiveness",
    "sufficiency": "sufficiency",
    "auroc_outside": "AUROC outside",
}
GRID = ("beta", "n_perturbations", "fusion")  # what the page shows as `beta 1, n 100, mean`
CHOICES = (*GRID, "scorer", "ig_steps", "variant")  # of which an arm may have been trained with several values
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
    def tuning(self) -> str:
        """lora or full; none for logistic regression."""
        return str(self.about["tuning"])

    @property
    def n_trainings(self) -> int:
        """Trainings that have a figure, of the metric that most have."""
        return max(int(self.value("n_seeds", metric) or 0) for metric in self.by_metric)

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
    """All arms with a figure: settings from few shots to all texts, in each no prior first, then single priors, fused ones, controls, no
    adapter. Of the others `unscored` tells."""
    found = []
    for values, rows in frame.groupby(list(KEY), sort=True):
        by_metric = {str(row["metric"]): row for row in rows.to_dict("records")}
        found.append(Arm(dict(zip(KEY, values, strict=True)), by_metric))
    found = [arm for arm in found if _scored(arm)]
    return sorted(found, key=lambda arm: (setting_order(arm.setting), FAMILIES.index(arm.family), *arm.key))


def unscored(frame: pd.DataFrame) -> str:
    """A sentence on the arms that are left out because no adapter of theirs has a scored row, as after a change of the configuration;
    empty where there are none."""
    found = [rows for _, rows in frame.groupby(list(KEY)) if rows["mean"].isna().all()]
    n_adapters = sum(int(rows["n"].max()) for rows in found)
    adapters = f"{n_adapters} adapter{'s' if n_adapters != 1 else ''} without a scored row"
    return f"Left out, here and below: {len(found)} arm{'s' if len(found) != 1 else ''} of {adapters}." if found else ""


def _scored(arm: Arm) -> bool:
    return any(arm.value("mean", metric) is not None for metric in arm.by_metric)


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
    """Of every arm, in each setting and tuning, the one row of beta, masks, fusion, scorer, steps and recipe that was trained most often.

    Of rows trained as often the one whose choices most other arms of the setting have too, then the smallest values: nothing is a default,
    and no figure decides.
    """
    chosen: dict[tuple[str, str, str], Arm] = {}
    for arm in sorted(arms, key=lambda arm: (-arm.n_trainings, -_sharing(arm, arms), arm.key)):
        chosen.setdefault((arm.setting, arm.priors, arm.tuning), arm)
    kept = {arm.key for arm in chosen.values()}
    return [arm for arm in arms if arm.key in kept]


def _sharing(arm: Arm, arms: Sequence[Arm]) -> int:
    """How many other arms of its setting and tuning have a row that agrees with it in every choice that means anything for both."""
    others = (one for one in arms if (one.setting, one.tuning) == (arm.setting, arm.tuning) and one.priors != arm.priors)
    return len({one.priors for one in others if _agree(arm, one)})


def _agree(one: Arm, other: Arm) -> bool:
    return all(one.about[name] == other.about[name] for name in CHOICES if _speaks(one, name) and _speaks(other, name))


def _speaks(arm: Arm, name: str) -> bool:
    """Does this choice mean anything for the arm?"""
    asked = bool(arm.about["n_perturbations"])
    said = {"n_perturbations": asked, "scorer": asked, "fusion": len(sources_of(arm.priors)) > 1, "variant": arm.priors != LOGISTIC}
    return said.get(name, arm.has_prior)
