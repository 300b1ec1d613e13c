"""Did steering a text model by priors help, over no prior and over shuffled ones?"""

from __future__ import annotations

from scipy.special import stdtrit

from gold.steering.recipes import LOGISTIC
from pipelines.report.charts.scale import around
from pipelines.report.charts.strips import Point, Strip
from pipelines.report.figures import count, number, percent, signed
from pipelines.report.markup import Content, Markup, data, joined, paragraph, tag
from pipelines.report.section import Section
from pipelines.report.source import Reading, Row
from pipelines.report.tables import Column, html_table

TABLE = "gold.cap_hybrid_arms"
ARM = ("setting", "priors", "fusion", "beta", "n_perturbations", "scorer", "tuning", "ig_steps", "variant")
VALUES = (
    "metric", "mean", "standard_error", "n_seeds", "over_none", "verdict_none", "over_shuffled", "verdict_shuffled", "over_logistic",
    "verdict_logistic", "leaky_prior",
)  # fmt: skip
LEVEL = 0.95
MAIN = "accuracy"
BESIDE = (("adversarial_accuracy", "Attacked"), ("comprehensiveness", "Compreh."), ("sufficiency", "Suffic."))


def draw(reading: Reading) -> Markup | None:
    """A row per arm and choice of texts: accuracy with its interval over trainings, and what it gained over its controls."""
    rows = reading.table(TABLE, (*ARM, *VALUES), ", ".join((*ARM, "metric")))
    arms: dict[tuple[object, ...], dict[str, Row]] = {}
    for row in rows:
        arms.setdefault(tuple(row[name] for name in ARM), {})[row["metric"]] = row
    shown = [found for found in arms.values() if MAIN in found and found[MAIN]["mean"] is not None]
    if not shown:
        return None
    shown.sort(key=lambda found: (str(found[MAIN]["setting"]), -found[MAIN]["mean"], str(found[MAIN]["priors"])))
    ranges = [interval(found[MAIN]) for found in shown]
    values = [value for found, ends in zip(shown, ranges, strict=True) for value in (found[MAIN]["mean"], *ends)]
    strip = Strip(*around(values, 0.1, (0.0, 1.0)), unit="%")
    columns = (
        Column("Arm"), Column(strip.head("% right, clean"), "plot"), Column("Texts"), Column("Accuracy", "num"),
        Column("Over no prior"), Column("Over shuffled"), Column("Over logistic"), *(Column(head, "num") for _, head in BESIDE),
        Column("n", "num"),
    )  # fmt: skip
    body = [_row(found, ends, strip) for found, ends in zip(shown, ranges, strict=True)]
    caption = (
        "Means over n trainings; intervals (95 %, Student's t) are over trainings, and withheld where there is one. Differences in points "
        "of accuracy, paired; a verdict takes three pairs. Logistic regression has no adapter"
    )
    alone = all(row[MAIN]["n_seeds"] == 1 for row in shown)
    words = paragraph("One training per arm: no difference here is evidence for or against a prior.", kind="note") if alone else None
    return joined([html_table(caption, columns, body, reading.source.room.rows), words])


def interval(row: Row) -> tuple[float | None, float | None]:
    """Student's t interval of an arm's mean over its trainings, cut to [0, 1]; none below two."""
    error, n = row["standard_error"], row["n_seeds"]
    if error is None or n is None or n < 2:
        return None, None
    half = float(stdtrit(n - 1, 0.5 + LEVEL / 2)) * error
    return max(0.0, row["mean"] - half), min(1.0, row["mean"] + half)


def _row(found: dict[str, Row], ends: tuple[float | None, float | None], strip: Strip) -> tuple[Content, ...]:
    row = found[MAIN]
    kind = "b" if row["priors"] == LOGISTIC else "a"
    beside = [found[name]["mean"] if name in found else None for name, _ in BESIDE]
    return (
        _name(row), strip.cell(f"{row['priors']}: {percent(row['mean'])}", [Point(row["mean"], *ends, kind)]),
        data(row["setting"], 40), percent(row["mean"]),
        *(_over(row, name) for name in ("none", "shuffled", "logistic")), percent(beside[0]), number(beside[1]), number(beside[2]),
        count(row["n_seeds"]),
    )  # fmt: skip


def _name(row: Row) -> Markup:
    """The priors, and what tells this arm's way of using them apart."""
    settings = [] if row["fusion"] in (None, "none") else [str(row["fusion"]), f"β {row['beta']:g}", f"{row['n_perturbations']} masks"]
    settings += [] if row["tuning"] in (None, "none", "lora") else [str(row["tuning"])]
    settings += ["leaky"] if row["leaky_prior"] else []
    words = str(row["priors"]).replace("_", " ")
    return joined([data(words, 60), tag("span", {"class": "soft under"}, data(", ".join(settings), 60)) if settings else None])


def _over(row: Row, name: str) -> str:
    difference, verdict = row[f"over_{name}"], row[f"verdict_{name}"]
    if difference is None:
        return "–"
    return signed(100 * difference, 1) + (f", {verdict}" if verdict else "")


SECTION = Section("arms", "What steering by priors gained", "The table of steered trainings", (TABLE,), draw, only="text")
