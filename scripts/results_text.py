"""What does the page say about one dataset of texts? Its parts in order, and its chart written beside the page."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from docs_markdown import grid
from results_arm_sentences import sentences
from results_arm_tables import arms_section, recipe_texts, texts_behind
from results_arms import arms_of, setting_order, unscored, usual
from results_arms_chart import arms_chart
from results_corruption import accuracy_by_severity
from results_forecast import forecast_section
from results_honest import honest_section, read_honest
from results_made import made_section
from results_numbers import three
from results_outside import outside_section
from results_page import backbone_text, refused_text
from results_paper import paper_section, scorer_text
from results_priors import priors_section
from results_provenance import provenance_part
from results_read import Findings
from results_sensitivity import sensitivity_section
from results_steering import Steering

SPLITS = ("adapter_train", "adapter_val", "meta", "outside")


def text_section(root: Path, findings: Findings, steering: Steering, out: Path) -> str:
    """All of one dataset of texts in Markdown."""
    name = findings.dataset
    parts = [
        f"## {name}\n",
        _data(findings, steering),
        f"\n### {name}: arms\n",
        *_arms(findings, steering, out),
        f"\n### {name}: priors\n",
        priors_section(steering),
        f"\n### {name}: sensitivity and wrong labels\n",
        sensitivity_section(steering),
        f"\n### {name}: texts of no class\n",
        outside_section(steering),
        f"\n### {name}: degradation\n",
        accuracy_by_severity(findings),
        "",
        _reach(steering.reach),
        "",
        forecast_section(findings),
        "",
        honest_section(findings, read_honest(findings.lake, findings.dataset)),
        f"\n### {name}: beside the paper\n",
        paper_section(findings, steering),
        *([named] if (named := provenance_part(findings.lake, name)) else []),
        f"\n### {name}: how it was made\n",
        made_section(root, findings),
    ]
    return "\n".join(parts) + "\n"


def _arms(findings: Findings, steering: Steering, out: Path) -> list[str]:
    arms = usual(arms_of(steering.arms))
    if not arms:
        return [unscored(steering.arms) or "No adapter was trained from a recipe: there are no arms."]
    title = f"{findings.dataset}: accuracy of each arm, with Student's t interval over trainings, 95 %"
    what = "In brackets: trainings. Intervals are of arms, not of their paired differences."
    accuracy, _, _ = texts_behind(steering.training).partition(" **")
    note = f"{what} {accuracy} Settings {steering.settings_id}"
    folder = out.parent / out.stem
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{findings.dataset}-arms.svg").write_text(
        arms_chart(title, note, arms, recipe_texts(steering.training, steering.recipes)), encoding="utf-8"
    )
    return [f"![{title}]({out.stem}/{findings.dataset}-arms.svg)\n", arms_section(findings, steering), "", sentences(arms)]


def _data(findings: Findings, steering: Steering) -> str:
    """Texts, classes, what was refused, encoder, language model and whether its priors leak."""
    splits = ", ".join(f"{name} {findings.splits.get(name, 0):,}" for name in SPLITS if name != "outside" or findings.splits.get(name))
    ids, scoring = findings.settings_ids, findings.scoring
    scored = (
        f"- Scored in {scoring['dtype']} with batches of {scoring['batch_size']}, padded to {scoring['buckets']} tokens; settings "
        f"`{ids['silver.predictions']}`."
    )
    lines = [
        f"- Texts: {splits}; {findings.n_labels} classes. Settings `{ids['bronze.examples']}`.",
        f"- Training texts per setting, chosen from adapter_train: {trained_on(steering.training)}.",
        f"- Refused: {refused_text(findings)}.",
        f"- Encoder: {backbone_text(findings)}",
        scored,
        f"- Language model behind the priors: {scorer_text(findings)}{_prompted(findings)}",
        f"- Leaky priors (the language model saw more labelled texts than the training): {leaks(steering.training)}.",
    ]
    return "\n".join(lines)


def _prompted(findings: Findings) -> str:
    own = (findings.config or {}).get("priors")
    return "" if not own else f" p of a label: {own['scoring']['label_probability']}, {own['scoring']['dtype']}."


def trained_on(training: pd.DataFrame) -> str:
    """`5-shot 385, full 8,002`: texts a training of each setting sees; the range where draws differ."""
    if training.empty:
        return "none was trained"
    ends = training.groupby("setting")["n_train"].agg(["min", "max"]).astype(int)
    rows = sorted(ends.to_dict("index").items(), key=lambda found: setting_order(str(found[0])))
    return ", ".join(f"{name} {row['min']:,}" + (f" to {row['max']:,}" if row["max"] > row["min"] else "") for name, row in rows)


def leaks(training: pd.DataFrame) -> str:
    """Which trainings with a language model's prior are flagged leaky, which not, and of which nobody knows."""
    asked = training[~training["scorer"].isin(["none"])]
    if asked.empty:
        return "no training has a language model's prior"
    counts = {
        "flagged leaky": int((asked["leaky_prior"].astype("boolean").fillna(False)).sum()),
        "not leaky": int((~asked["leaky_prior"].astype("boolean").fillna(True)).sum()),
        "not known": int(asked["leaky_prior"].isna().sum()),
    }
    return ", ".join(f"{n} of {len(asked)} trainings {said}" for said, n in counts.items() if n)


def _reach(frame: pd.DataFrame) -> str:
    """How many texts each attack could edit at all, and the accuracy on those."""
    if frame.empty:
        return "How far the attacks reached is not on record."
    rows = [
        [
            str(row["attack"]),
            f"{row['severity']}",
            *(three(row[name]) for name in ("edited_share", "kept_share", "accuracy_edited")),
            f"{int(row['n']):,}",
        ]
        for row in frame.to_dict("records")
    ]
    titles = ["attack", "severity", "texts edited", "label proved kept", "accuracy on edited texts", "texts"]
    head = (
        "How far the attacks reached, mean over adapters (a text that offers no hold stays as it was and flatters the accuracy). That an "
        "edited text still has its label is proved on a grammar's texts alone; elsewhere (–) a replaced or deleted keyword may have taken "
        "the label with it, and accuracy under attack is then no measure of the model alone:"
    )
    return f"{head}\n\n{grid(titles, rows).rstrip()}"
