"""What is the page's answer for texts in one table? A row per dataset and setting, such that language models stand beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from results_arms import Arm, arms_of, setting_order, usual
from results_numbers import NOTHING, short_name, three
from results_paper import most_sources
from results_read import Findings
from results_steering import Steering

from gold.steering.recipes import LOGISTIC

TITLES = (
    "dataset",
    "texts",
    "encoder",
    "language model",
    "p of the label",
    "CAP precision@k (random words)",
    "setting",
    "logistic regression",
    "none",
    "cap",
    "cap over none",
    "cap over shuffled",
    "most sources",
    "most sources over none",
)
ABOVE = (
    "Texts: accuracy on meta, mean ± standard error over trainings; differences are paired. Rows with the same settings under *texts* read "
    "the same texts, so that language models (scorers) can be held beside each other. p of the label: what the language model gives the "
    "trained label of a whole text, with the labels in its prompt. Each tuning has a row of its own. An arm that was trained with several "
    "values of beta, masks, fusion, language model or recipe stands here with those that were trained most often.\n\n"
)


def text_rows(findings: Findings, steering: Steering) -> list[list[str]]:
    """One row per setting and tuning; the first cell is a link to the dataset's section."""
    arms = usual(arms_of(steering.arms))
    settings = findings.settings_ids["bronze.examples"]
    about = [
        f"[{findings.dataset}](#{findings.dataset})",
        f"{_reader(findings.config)}{findings.n_labels} classes, {findings.n_meta:,} of meta, settings `{settings[:8]}`",
        encoder_name(findings.config),
        scorer_name(findings.config),
        _sure(steering),
    ]
    rows = []
    for setting in dict.fromkeys(arm.setting for arm in arms):
        mine = [arm for arm in arms if arm.setting == setting]
        tunings = sorted({arm.tuning for arm in mine if arm.priors != LOGISTIC}) or [NOTHING]
        for tuning in tunings:
            name = setting if len(tunings) == 1 else f"{setting}, tuning {tuning}"
            own = [arm for arm in mine if arm.tuning == tuning or arm.priors == LOGISTIC]
            rows.append([*about, _precision(steering, setting), name, *_figures(own)])
    return rows


def row_order(line: str) -> tuple[Any, ...]:
    """Lines of the table that speak of the same texts and setting beside each other."""
    cells = dict(zip(TITLES, line.strip("| ").split(" | "), strict=False))
    setting, _, tuning = cells["setting"].partition(", ")
    return (cells["texts"], setting_order(setting), tuning)


def _figures(arms: Sequence[Arm]) -> list[str]:
    """`arms`: of one setting and tuning, each once."""
    by_priors = {arm.priors: arm for arm in arms}
    fused = most_sources([arm for arm in arms if "+" in arm.priors])
    cap = by_priors.get("cap")
    return [
        _level(by_priors.get("logistic_regression")),
        _level(by_priors.get("none")),
        f"{_level(cap)}{' (leaky)' if cap is not None and cap.leaky else ''}",
        *(NOTHING if cap is None else cap.over(other, "accuracy") for other in ("none", "shuffled")),
        f"{fused[0].title}: {_level(fused[0])}" if fused else NOTHING,
        fused[0].over("none", "accuracy") if fused else NOTHING,
    ]


def _level(arm: Arm | None) -> str:
    return NOTHING if arm is None else arm.level("accuracy")


def _sure(steering: Steering) -> str:
    cap = steering.asked[steering.asked["source"] == "cap"] if len(steering.asked) else steering.asked
    return NOTHING if cap.empty else three((cap["whole_p"] * cap["n"]).sum() / cap["n"].sum())


def _precision(steering: Steering, setting: str) -> str:
    frame = steering.precision
    mine = frame[(frame["setting"] == setting) & (frame["source"] == "cap")]
    return NOTHING if mine.empty else f"{three(mine['precision_at_k'].mean())} ({three(mine['chance'].mean())})"


def _reader(config: Mapping[str, Any] | None) -> str:
    return "" if config is None else f"reader {config['source']['reader']}, "


def encoder_name(config: Mapping[str, Any] | None) -> str:
    """The last part of the backbone's name, or that of the one made here."""
    if config is None:
        return NOTHING
    own = config["backbone"]
    return short_name(str(own["name"])) if own.get("pretrain") is None else f"{own['pretrain']['name']}, made here"


def scorer_name(config: Mapping[str, Any] | None) -> str:
    """The last part of the language model's name; of one trained here its width, depth and epochs."""
    own = (config or {}).get("priors", {}).get("scorer")
    if own is None:
        return NOTHING
    made = own.get("train")
    if made is None:
        return short_name(str(own["name"]))
    return f"{made['name']}, trained here, {made['depth']} x {made['width']}, {made['epochs']} epochs"
