"""How well do provenance networks classify and name training examples, beside the plain classifier and kNN?"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from pipelines.report.figures import count, known, number, percent, short
from pipelines.report.markup import Content, Markup, data, joined, paragraph, tag
from pipelines.report.source import Reading, Row
from pipelines.report.tables import Column, html_table

SUMMARY, VERDICT = "gold.provenance_summary", "gold.provenance_verdict"
FACTORS = (
    "variant", "name", "model_size", "subset", "alpha", "sharing_level", "lambda_class", "lambda_index", "selection", "teacher_forcing",
)  # fmt: skip
FIGURES = ("class_accuracy", "top1_index", "top5_index", "class_match_top1", "class_match_top5", "membership_auc")
ORDER = ("plain", "single_branch", "two_branch", "class_conditional")
SIZES = ("small", "medium", "large", "x_large")
KNN = "knn"
SENTENCES = 12
NO_TWIN = (
    "0.5 says nothing, near 1 tells who was in the training set, a privacy leak as much as a feature; no plain classifier stands beside it."
)


def networks(reading: Reading) -> Markup | None:
    """A row per network, means over its seeds, kNN over the same features behind it; None without any."""
    rows = (
        reading.table(SUMMARY, (*FACTORS, "seed", *FIGURES, "n", "privacy"), ", ".join((*FACTORS, "seed"))) if reading.has(SUMMARY) else []
    )
    if not rows:
        return None
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in FACTORS), []).append(row)
    ordered = sorted(groups.values(), key=lambda group: _place(group[0]))
    heads = (
        "Subset",
        "α",
        "Shared",
        "λ class",
        "λ index",
        "Right",
        "Top 1",
        "Top 5",
        "Class of 1",
        "Class of 5",
        "Member AUC",
        "Seeds",
        "n",
    )
    columns = (Column("Network"), Column("Size"), *(Column(head, None if head == "Shared" else "num") for head in heads))
    caption = (
        "Means over seeds. Right: class accuracy on held-out inputs. Top 1 and 5: training inputs that are named themselves. Class of 1 "
        "and 5: held-out inputs whose first, or any of five, named examples has their class. knn: nearest in the same features, no head"
    )
    table = html_table(caption, columns, [_row(group) for group in ordered], reading.source.room.rows)
    heading = tag("h4", None, "Networks that name training examples")
    return joined([heading, _verdicts(reading), table, _privacy(rows)])


def _place(row: Row) -> tuple[object, ...]:
    variant = str(row["variant"])
    base = variant.removeprefix(f"{KNN}_")
    order = ORDER.index(base) if base in ORDER else len(ORDER)
    size = SIZES.index(row["model_size"]) if row["model_size"] in SIZES else len(SIZES)
    numbers = tuple(-1.0 if row[name] is None else float(row[name]) for name in ("subset", "alpha", "lambda_class", "lambda_index"))
    words = tuple(str(row[name]) for name in ("model_size", "sharing_level", "selection", "teacher_forcing"))
    return order, base, size, numbers, words, variant.startswith(KNN)


def _row(group: Sequence[Row]) -> tuple[Content, ...]:
    row = group[0]
    means = {name: _mean(group, name) for name in FIGURES}
    shares = (percent(means[name]) for name in FIGURES[:-1])
    factors = (
        percent(row["subset"], 0),
        short(row["alpha"]),
        _word(row["sharing_level"]),
        short(row["lambda_class"]),
        short(row["lambda_index"]),
    )
    tail = (number(means["membership_auc"]), count(len({one["seed"] for one in group})), count(_mean(group, "n")))
    return _name(row), _word(row["model_size"]), *factors, *shares, *tail


def _name(row: Row) -> Markup:
    """The variant, and what is unusual about this network."""
    unusual = [] if row["model_size"] != "embeddings" else [str(row["name"])]
    unusual += [] if row["selection"] in (None, "stratified") else [str(row["selection"])]
    unusual += ["told the predicted class in training"] if row["teacher_forcing"] is False else []
    more = tag("span", {"class": "soft under"}, data(", ".join(unusual), 60)) if unusual else None
    return joined([data(str(row["variant"]).replace("_", " "), 60), more])


def _word(value: object) -> Content:
    return "–" if value is None else data(str(value).replace("_", " "), 30)


def _mean(group: Sequence[Row], name: str) -> float | None:
    values = [row[name] for row in group if known(row[name])]
    return fmean(values) if values else None


def _verdicts(reading: Reading) -> Markup | None:
    rows = reading.table(VERDICT, ("sentence", "question", "variant"), "question, variant") if reading.has(VERDICT) else []
    said = [str(row["sentence"]) for row in rows if row["sentence"]]
    more = f"{len(said) - SENTENCES:,} further comparisons are in {VERDICT}." if len(said) > SENTENCES else None
    items = [tag("li", None, data(sentence, 400)) for sentence in said[:SENTENCES]]
    return joined([tag("ul", None, *items), paragraph(more, kind="note") if more else None]) if said else None


def _privacy(rows: Sequence[Row]) -> Markup | None:
    leaks = [row for row in rows if known(row["membership_auc"]) and not str(row["variant"]).startswith(KNN)]
    if not leaks:
        return None
    worst = max(leaks, key=lambda row: (row["membership_auc"], str(row["variant"])))
    return paragraph(
        f"The largest membership AUC of a network is {number(worst['membership_auc'])}, of ",
        data(str(worst["variant"]).replace("_", " "), 60), ": ", data(str(worst["privacy"] or NO_TWIN), 500),
        " kNN keeps the training examples themselves, so that its AUC is 1.", kind="note",
    )  # fmt: skip
