"""What do the priors say: do the sources agree, do they point at words that tell classes apart, at words that decide, and at which?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
from docs_markdown import grid
from results_arms import setting_order, without_noise
from results_numbers import NOTHING, code, counted_pairs, signed, three, with_error
from results_steering import Steering

from gold.steering.pairs import Mean, mean_of
from gold.steering.recipes import NOTHING as NO_FUSION
from gold.tables.prior_homogeneity import OF_TRAINING

LABELS, WORDS = 3, 6  # classes whose best words are shown, and how many of them
CHOICE = ["setting", "n_perturbations"]  # what a row stands for besides its source; seeds are averaged over
MOSTLY = 0.5  # share of a source's masks whose p was clipped, above which the page says so
SELF, BEFORE, TELLING = "self:", "self:none", "discriminating_mass"
OF_CLASS = "integrated gradients of the trained model for the text's own class, on the texts of meta that it gets right"
OF_ANSWER = "integrated gradients of the trained model for the class it predicts, right or wrong, on meta"


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
        "tell them apart; the rest lies on words of neither. Mean over class pairs; ± standard error over language models, twins or "
        f"adapters (`self:…`: {OF_CLASS if _has_pairing(frame) else OF_ANSWER}; `self:none` is the model before any steering, the others "
        f"after). Class pairs by mistakes of arm `none` (how many): {listed}."
    )
    titles = ["setting", "masks", "source", "beta", "fusion", "on common words", "on discriminating words", "over `self:none`"]
    return f"{head}\n\n{grid([*titles, 'models', 'class pairs', 'texts'], homogeneity_rows(frame)).rstrip()}\n\n{_legend(frame)}"


def homogeneity_rows(frame: pd.DataFrame) -> list[list[str]]:
    """A row per setting, source, beta and fusion: mean over the class pairs of a model, then mean and standard error over models."""
    frame = with_trainings(frame)
    rows = []
    for (setting, n, source, beta, fusion), part in _ordered(frame.groupby([*CHOICE, "source", "beta", "fusion"], dropna=False)):
        shared, telling = (by_model(part, name) for name in ("shared_mass", "discriminating_mass"))
        n_pairs = part[["label_a", "label_b"]].drop_duplicates()
        shares = [with_error(found.mean, found.standard_error) for found in (shared, telling)]
        steered = [NOTHING if pd.isna(beta) else f"{beta:g}", NOTHING if pd.isna(fusion) or fusion == NO_FUSION else str(fusion)]
        before = frame[(frame["source"] == BEFORE) & (frame["setting"] == setting)]
        over = _moved(part, before) if source.startswith(SELF) and source != BEFORE else NOTHING
        counts = [f"{shared.n}", f"{len(n_pairs)}", f"{part['n'].sum():,}"]
        rows.append([str(setting), f"{n}", code(source), *steered, *shares, over, *counts])
    return rows


def with_trainings(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with the columns that say which training they are of: null where gold was made before it had them."""
    return frame.assign(**{name: None for name in OF_TRAINING if name not in frame.columns})


def by_model(part: pd.DataFrame, column: str) -> Mean:
    """Mean over class pairs of each model (scorer, draw), then over models."""
    per_model = part.dropna(subset=[column]).groupby(["scorer", "shots_seed", "label_noise_seed"])[column].mean()
    return mean_of(per_model.tolist())


def after_minus_before(after: pd.DataFrame, before: pd.DataFrame) -> Mean:
    """Difference on discriminating words over trainings that share all but the prior: per pair of trainings the mean over the class pairs
    that both have, then over pairs (n of them). Of rows without a pairing the difference of means, n = 0 and no error."""
    if after["pair_id"].isna().all():
        means = [by_model(part, TELLING).mean for part in (after, before)]
        return Mean(None if None in means else means[0] - means[1], None, 0)  # type: ignore[operator]  # neither is None
    keys = ["pair_id", "label_a", "label_b"]
    steered, plain = (part.dropna(subset=["pair_id", TELLING]).groupby(keys)[TELLING].mean() for part in (after, before))
    both = pd.merge(steered.rename("after").reset_index(), plain.rename("before").reset_index(), on=keys)
    return mean_of((both["after"] - both["before"]).groupby(both["pair_id"]).mean().tolist())


def _moved(after: pd.DataFrame, before: pd.DataFrame) -> str:
    """`+0.046 ± 0.004 (3 pairs)`; a difference of means stands alone."""
    found = after_minus_before(after, before)
    return signed(found.mean, found.standard_error) + (f" ({counted_pairs(found.n)})" if found.n else "")


def _has_pairing(frame: pd.DataFrame) -> bool:
    return bool(with_trainings(frame)["pair_id"].notna().any())


def _legend(frame: pd.DataFrame) -> str:
    if not frame["source"].str.startswith(SELF).any():
        return "Before against after training: no trained model was explained."
    how = (
        "mean over pairs of trainings that share all but the prior ± its standard error; each pair over the class pairs that both have"
        if _has_pairing(frame)
        else "a difference of means, not of pairs, over every beta and fusion, since gold was made before it told them apart"
    )
    return f"Over `{BEFORE}`: on discriminating words, {how}. Negative: the steered model looks less at what tells the classes apart."


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
