"""What do the priors say: do the sources agree, do they point at words that tell classes apart, at words that decide, and at which?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
from docs_markdown import grid
from results_arms import setting_order, without_noise
from results_numbers import code, three, with_error
from results_steering import Steering

from gold.steering.pairs import Mean, mean_of

LABELS, WORDS = 3, 6  # classes whose best words are shown, and how many of them
CHOICE = ["setting", "n_perturbations"]  # what a row stands for besides its source; seeds are averaged over
MOSTLY = 0.5  # share of a source's masks whose p was clipped, above which the page says so


def priors_section(steering: Steering) -> str:
    """Markdown: how sure the language model is, agreement, homogeneity, precision, top words."""
    parts = [
        _asked(steering),
        _correlations(steering.correlations),
        _homogeneity(steering.homogeneity),
        _precision(steering.precision),
        _top_words(steering),
    ]
    return "\n\n".join(parts)


def _asked(steering: Steering) -> str:
    if steering.asked.empty:
        return "No language model was asked for a prior."
    rows, censored = [], []
    for source, part in steering.asked.groupby("source"):
        weighted = [(part[name] * part["n"]).sum() / part["n"].sum() for name in ("whole_p", "clipped_share")]
        if weighted[1] > MOSTLY:
            censored.append(f"{source} ({weighted[1]:.0%})")
        rows.append([str(source), three(weighted[0]), three(weighted[1]), f"{part['n'].sum():,}", f"{part['settings_id'].nunique()}"])
    titles = ["source", "p of the trained label, whole text", "masks whose p was clipped", "texts", "generations"]
    head = "What the language model answers (LIME's and SHAP's prompt holds no labels):"
    note = f"\n\nMost masks of {', '.join(censored)} were clipped: their priors say little, whatever an arm does." if censored else ""
    return f"{head}\n\n{grid(titles, rows).rstrip()}{note}"


def _correlations(frame: pd.DataFrame) -> str:
    if frame.empty:
        return "Agreement of sources: the lake holds no two sources on the same texts."
    rows = []
    for (setting, n, a, b), part in _ordered(frame.groupby([*CHOICE, "source_a", "source_b"])):
        figures = [three(part[name].mean()) for name in ("pearson_r", "spearman_r", "top10_overlap")]
        rows.append([str(setting), f"{n}", f"{a}, {b}", *figures, f"{part['n'].sum():,}"])
    titles = ["setting", "masks", "sources", "Pearson", "Spearman", "top-10 overlap per class", "texts"]
    head = "Agreement of sources: correlation over the words of a text, mean over texts (and over draws of shots):"
    return f"{head}\n\n{grid(titles, rows).rstrip()}"


def _homogeneity(frame: pd.DataFrame) -> str:
    if frame.empty:
        return "Confusable pairs: arm `none` mistakes no class for another, or none was explained."
    pairs = frame.drop_duplicates(["label_a", "label_b"]).sort_values(["confusions", "label_a", "label_b"], ascending=[False, True, True])
    listed = ", ".join(f"{code(row['label_a'])} and {code(row['label_b'])} ({row['confusions']})" for row in pairs.to_dict("records"))
    head = (
        "Homogeneity: share of |prior| on words that two confusable classes have in common, and on words of one of them alone, which can "
        "tell them apart; the rest lies on words of neither. Mean over pairs; ± standard error over language models, twins or adapters "
        "(`self:…`: integrated gradients of the trained model on meta; `self:none` is the model before any steering, the others after). "
        f"Pairs by mistakes of arm `none` (how many): {listed}."
    )
    titles = ["setting", "masks", "source", "on common words", "on discriminating words", "models", "pairs", "texts"]
    return f"{head}\n\n{grid(titles, homogeneity_rows(frame)).rstrip()}\n\n{before_and_after(frame)}"


def homogeneity_rows(frame: pd.DataFrame) -> list[list[str]]:
    """A row per setting and source: mean over the pairs of a model, then mean and standard error over models."""
    rows = []
    for (setting, n, source), part in _ordered(frame.groupby([*CHOICE, "source"])):
        shared, telling = (by_model(part, name) for name in ("shared_mass", "discriminating_mass"))
        n_pairs = part[["label_a", "label_b"]].drop_duplicates()
        shares = [with_error(found.mean, found.standard_error) for found in (shared, telling)]
        rows.append([str(setting), f"{n}", code(source), *shares, f"{shared.n}", f"{len(n_pairs)}", f"{part['n'].sum():,}"])
    return rows


def by_model(part: pd.DataFrame, column: str) -> Mean:
    """Mean over pairs of each model (scorer, draw), then over models."""
    per_model = part.dropna(subset=[column]).groupby(["scorer", "shots_seed", "label_noise_seed"])[column].mean()
    return mean_of(per_model.tolist())


def before_and_after(frame: pd.DataFrame) -> str:
    """In words: where did steering move the models' own attributions, against arm `none` of the same setting?"""
    said = []
    for setting, part in _ordered(frame[frame["source"].str.startswith("self:")].groupby(["setting"])):
        before = by_model(part[part["source"] == "self:none"], "discriminating_mass")
        if before.mean is None:
            continue
        for source, own in part[part["source"] != "self:none"].groupby("source"):
            after = by_model(own, "discriminating_mass")
            if after.mean is not None:
                said.append(f"{setting[0]}, {source}: {after.mean - before.mean:+.3f}")
    if not said:
        return "Before against after training: no setting holds both `self:none` and a steered arm."
    return (
        "After steering minus before (`self:none`), on discriminating words: "
        f"{'; '.join(said)}. Differences of means, not of pairs; negative: the steered model looks less at what tells the classes apart."
    )


def _precision(frame: pd.DataFrame) -> str:
    if frame.empty:
        return "Precision on decisive words: nobody knows which words decide in these texts."
    rows = []
    for (setting, n, source), part in _ordered(frame.groupby([*CHOICE, "source"])):
        gained = (part["precision_at_k"] - part["chance"]).mean()
        figures = [three(part["precision_at_k"].mean()), three(part["chance"].mean()), f"{gained:+.3f}"]
        rows.append([str(setting), f"{n}", str(source), *figures, f"{part['n'].sum():,}"])
    titles = ["setting", "masks", "source", "precision@k", "random words", "over them", "texts"]
    head = "Precision on decisive words, which the makers of these texts know: share of a text's k best words that decide, k = how many do."
    return f"{head}\n\n{grid(titles, rows).rstrip()}"


def _top_words(steering: Steering) -> str:
    frame = steering.top_words
    if frame.empty:
        return "Top words: no prior is in the lake."
    setting = max(frame["setting"].unique(), key=lambda name: (name == without_noise(name), setting_order(name)))
    chosen = frame[frame["setting"] == setting]
    first = chosen.sort_values(["n_perturbations", "shots_seed", "label_noise_seed", "scorer"], ascending=[False, True, True, True])
    labels = shown_labels(steering.homogeneity, sorted(chosen["label"].unique()))
    rows = []
    for label in labels:
        for source, part in first[first["label"] == label].groupby("source"):
            own = part[part["scorer"] == part["scorer"].iloc[0]]
            for name in ("n_perturbations", "shots_seed", "label_noise_seed"):  # one draw: that of the first row
                own = own[own[name] == own[name].iloc[0]]
            own = own.sort_values("rank").head(WORDS)
            words = ", ".join(f"{code(row['word'])} {row['score']:.2f}" for row in own.to_dict("records"))
            rows.append([code(label), str(source), words, f"{own['n'].iloc[0]}"])
    head = (
        f"Top words of {len(labels)} classes (those most often mistaken for each other), setting {setting}, one draw: the word's share of "
        "a text's prior, averaged over the class's texts."
    )
    return f"{head}\n\n{grid(['class', 'source', 'words', 'texts'], rows).rstrip()}"


def shown_labels(homogeneity: pd.DataFrame, known: list[str]) -> list[str]:
    """The classes of the pairs most often mistaken, as many as LABELS; without pairs the first of the alphabet."""
    ranked = homogeneity.sort_values(["confusions", "label_a", "label_b"], ascending=[False, True, True])
    named = [label for row in ranked.to_dict("records") for label in (row["label_a"], row["label_b"])]
    return [label for label in dict.fromkeys([*named, *known]) if label in known][:LABELS]


def _ordered(groups: Iterable[tuple[Any, pd.DataFrame]]) -> list[tuple[Any, pd.DataFrame]]:
    """The (key, rows) of a groupby whose first key is the setting, settings from few shots to all texts."""
    return sorted(groups, key=lambda found: (setting_order(str(found[0][0])), *map(str, found[0][1:])))
