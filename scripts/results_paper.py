"""What did the paper of CAP report on the same data, and what is different here? Only figures that METHODS 5 states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from docs_markdown import grid
from results_arms import Arm, arms_of, usual
from results_numbers import NOTHING, short_name, with_error
from results_page import backbone_text
from results_read import Findings
from results_steering import Steering

from gold.steering.recipes import is_shuffled, sources_of

PAPER = "Hybrid Attribution Priors for Explainable and Robust Model Training, arXiv 2512.14719"


class Known(NamedTuple):
    """One figure of the paper: its setting, its arm, the metric as the page names it, the column here, the value in [0, 1]."""

    setting: str
    arm: str
    metric: str
    column: str
    value: float


# METHODS 5, "known results of the paper, for orientation only"; percent there. Dataset names begin with the key.
KNOWN: dict[str, tuple[Known, ...]] = {
    "banking77": (
        Known("full", "baseline", "accuracy", "accuracy", 0.9263),
        Known("full", "CAP Hybrid", "accuracy", "accuracy", 0.9351),
        Known("full", "baseline", "robustness", "adversarial_accuracy", 0.7029),
        Known("full", "CAP Hybrid", "robustness", "adversarial_accuracy", 0.8497),
        Known("5-shot", "CAP Hybrid", "accuracy", "accuracy", 0.7909),
        Known("5-shot", "CAP Hybrid", "comprehensiveness", "comprehensiveness", 0.6912),
        Known("5-shot", "CAP Hybrid", "sufficiency", "sufficiency", 0.3066),
    )
}


def paper_section(findings: Findings, steering: Steering) -> str:
    """Markdown: the paper's figures beside ours, and what differs; that there are none, where METHODS states none for these data."""
    known = next((rows for name, rows in KNOWN.items() if findings.dataset.startswith(name)), ())
    if not known:
        return f"Beside the paper ({PAPER}): no figure on these texts is known to us."
    arms = usual(arms_of(steering.arms))
    titles = ["setting", "metric", "paper's arm", "paper", "arm here", "here", "here minus paper"]
    return "\n\n".join([_head(findings), grid(titles, [row for one in known for row in rows_of(one, arms)]).rstrip()])


def _head(findings: Findings) -> str:
    return (
        f"Beside the paper ({PAPER}), for orientation only; its own figures are those METHODS 5 states. What differs: the paper trains "
        "RoBERTa with priors of Llama-3-8B-Instruct and lets a language model write its attacks; here the encoder is "
        f"{backbone_text(findings)} Language model: {scorer_text(findings)} Attacks here are keyword edits by rule, test texts are the "
        "split meta, every arm chooses its epoch on adapter_val, and how the paper averages comprehensiveness and sufficiency is not known "
        "to us. A gap says nothing of the method where encoder and language model differ."
    )


def scorer_text(findings: Findings) -> str:
    """One sentence: which causal language model was asked for the priors."""
    priors = (findings.config or {}).get("priors")
    if not priors:
        return "not on record."
    own = priors["scorer"]
    if own.get("train") is None:
        revision = f" at {own['revision']}" if own.get("revision") else ""
        return f"{short_name(str(own['name']))}{revision}, given."
    settings = ", ".join(f"{name} {value}" for name, value in own["train"].items() if name not in ("name", "prompt"))
    return f"{own['train']['name']}, trained here on exactly the texts of each recipe's own choice: {settings}."


def rows_of(known: Known, arms: Sequence[Arm]) -> list[list[str]]:
    """The figure beside ours: `none` for its baseline, the arm of most sources for its hybrid; a row of its own where we have none."""
    head = [known.setting, known.metric, known.arm, f"{known.value:.3f}"]
    mine = [arm for arm in arms if arm.setting == known.setting and arm.value("mean", known.column) is not None]
    mine = [arm for arm in mine if arm.priors == "none"] if known.arm == "baseline" else most_sources(mine)
    if not mine:
        return [[*head, "not trained here", "–", "–"]]
    return [
        [
            *head,
            _named(arm, several=len({one.tuning for one in mine}) > 1),
            with_error(arm.value("mean", known.column), arm.value("standard_error", known.column)),
            f"{(arm.value('mean', known.column) or 0.0) - known.value:+.3f}",
        ]
        for arm in mine
    ]


def _named(arm: Arm, several: bool) -> str:
    """`cap (beta 1, n 100)`, with its tuning where arms of several stand here."""
    parts = [*([] if arm.prior_settings == NOTHING else [arm.prior_settings]), *([f"tuning {arm.tuning}"] if several else [])]
    return arm.title + (f" ({', '.join(parts)})" if parts else "")


def most_sources(arms: Sequence[Arm]) -> list[Arm]:
    """The steered arms, controls aside, with most sources: fixed before the figures are seen, not the best of them."""
    steered = [arm for arm in arms if sources_of(arm.priors) and not is_shuffled(arm.priors)]
    most = max((len(sources_of(arm.priors)) for arm in steered), default=0)
    return [arm for arm in steered if len(sources_of(arm.priors)) == most]
