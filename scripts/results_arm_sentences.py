"""What do the arms' figures allow to say? Whether any beats logistic regression, no prior, and its own numbers on other words."""

from __future__ import annotations

from collections.abc import Sequence

from docs_markdown import grid
from results_arms import FAMILIES, METRICS, Arm, metrics_of
from results_numbers import code, counted_pairs


def sentences(arms: Sequence[Arm]) -> str:
    """Markdown: a sentence per setting and family of arms on logistic regression; who is better or worse than what; the reading."""
    head = (
        "Against logistic regression on the frozen embeddings, on the same training texts (accuracy). Arms also chose their epoch on "
        "adapter_val, which the regression does not use:"
    )
    parts = [head, on_logistic(arms, "accuracy")]
    if not any(arm.has_prior for arm in arms):
        parts.append("No arm was steered by a prior.")
    elif not any(arm.verdict(other, metric) for arm in arms if arm.has_prior for other in ("none", "shuffled") for metric in METRICS):
        parts.append("**Reading.** No arm with a prior has enough pairs for a verdict: nothing is shown for or against priors.")
    else:
        parts += ["Which priors are better or worse than no prior, and than their shuffled control:", _verdicts(arms), reading(arms)]
    return "\n\n".join(parts)


def on_logistic(arms: Sequence[Arm], metric: str) -> str:
    """A list with a sentence per setting and family of arms."""
    lines = [
        f"- {setting}, {family}: {against_logistic(_of(arms, setting, family), _of(arms, setting, 'logistic regression'), metric)}"
        for setting in dict.fromkeys(arm.setting for arm in arms)
        for family in FAMILIES
        if family != "logistic regression" and _of(arms, setting, family)
    ]
    return "\n".join(lines)


def _of(arms: Sequence[Arm], setting: str, family: str) -> list[Arm]:
    return [arm for arm in arms if (arm.setting, arm.family) == (setting, family)]


def against_logistic(arms: Sequence[Arm], linear: Sequence[Arm], metric: str) -> str:
    """One sentence on one family in one setting: which arms beat logistic regression, or that none does and how near they come.

    To beat is the verdict `better` of gold.cap_hybrid_arms. `linear`: the arm of logistic regression in that setting.
    """
    compared = [arm for arm in arms if arm.value("over_logistic", metric) is not None]
    if not compared or not linear:
        return "nothing to compare, logistic regression could not be fitted on the same texts."
    floor = f"logistic regression ({linear[0].level(metric)})"
    winners = [arm for arm in compared if arm.verdict("logistic", metric) == "better"]
    if winners:
        losers = sum(arm.verdict("logistic", metric) is not None for arm in compared) - len(winners)
        rest = len(compared) - len(winners) - losers
        others = "" if not losers else f"; not by {losers} other arm{'s' if losers > 1 else ''}"
        others += "" if not rest else f"; without a verdict for {rest} more"
        return f"{floor} is beaten by {_listed(winners, metric)}{others}."
    judged = [arm for arm in compared if arm.verdict("logistic", metric) is not None]
    nearest = max(judged or compared, key=lambda arm: arm.value("over_logistic", metric) or 0.0)
    if judged:
        return f"no arm beats {floor}; the highest is {_one(nearest, metric)}."
    return f"no arm can be said to beat {floor}, for there are too few pairs for a verdict; the highest is {_one(nearest, metric)}."


def _one(arm: Arm, metric: str) -> str:
    return f"{code(arm.title)} with {arm.over('logistic', metric)}"


def _listed(arms: Sequence[Arm], metric: str) -> str:
    figures = [(arm, arm.by("logistic", metric), counted_pairs(arm.pairs("logistic", metric))) for arm in arms]
    return ", ".join(f"{code(arm.title)} ({gain}, {pairs})" for arm, gain, pairs in figures)


def _verdicts(arms: Sequence[Arm]) -> str:
    titles = ["setting", "metric", "better than none", "worse than none", "better than shuffled", "worse than shuffled"]
    rows = []
    for setting in dict.fromkeys(arm.setting for arm in arms):
        mine = [arm for arm in arms if arm.setting == setting and arm.has_prior]
        for metric, title in metrics_of(arms).items() if mine else ():
            if not any(arm.verdict(other, metric) for arm in mine for other in ("none", "shuffled")):
                continue
            cells = [_who(mine, other, metric, said) for other in ("none", "shuffled") for said in ("better", "worse")]
            rows.append([setting, title, *cells])
    return grid(titles, rows).rstrip()


def _who(arms: Sequence[Arm], other: str, metric: str, said: str) -> str:
    """`cap, ig of 5`: who has this verdict, of how many that have one."""
    judged = [arm for arm in arms if arm.verdict(other, metric) is not None]
    if not judged:
        return "no verdict on any"
    found = [arm.title for arm in judged if arm.verdict(other, metric) == said]
    return f"{', '.join(found) or 'no arm'} of {len(judged)}"


def reading(arms: Sequence[Arm]) -> str:
    """Per metric: is any prior better than both no prior and its own numbers on other words? Only then did what it says matter."""
    said = []
    for metric, title in metrics_of(arms).items():
        judged = [arm for arm in arms if arm.verdict("none", metric) is not None and arm.verdict("shuffled", metric) is not None]
        both = [arm for arm in judged if arm.verdict("none", metric) == arm.verdict("shuffled", metric) == "better"]
        if not judged:
            said.append(f"{title}: no arm has both verdicts")
        elif not both:
            said.append(f"{title}: none of {len(judged)} arms")
        else:
            named = ", ".join(f"{arm.title} in {arm.setting}" for arm in both)
            said.append(f"{title}: {named}, {len(both)} of {len(judged)} arms")
    return (
        "**Reading.** A prior's content helped only where the arm is better than `none` and than its shuffled control (better than `none` "
        f"alone may be the regularisation). That holds for: {'; '.join(said)}. Verdicts are one by one, not corrected for their number."
    )
