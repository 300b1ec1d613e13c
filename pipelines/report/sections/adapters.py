"""How good is each adapter on clean inputs, and what is left of it under corruption?"""

from __future__ import annotations

from pipelines.report.charts.scale import around
from pipelines.report.charts.strips import Point, Strip
from pipelines.report.figures import count, percent, percent_within, short
from pipelines.report.markup import Markup, data, joined, paragraph, tag
from pipelines.report.section import Section
from pipelines.report.source import Reading, Row
from pipelines.report.tables import LONG, Column, html_table

SUMMARY, ADAPTERS = "gold.adapter_summary", "silver.adapters_current"
ENDS = LONG // 2
COLUMNS = (
    "adapter_id", "name", "rank", "update_scale", "clean_accuracy", "accuracy", "ci_low", "ci_high", "flip_rate", "n_examples", "n",
)  # fmt: skip


def draw(reading: Reading) -> Markup | None:
    """A row per adapter, best under corruption first."""
    rows = reading.table(SUMMARY, COLUMNS, "accuracy DESC NULLS LAST, adapter_id")
    if not rows:
        return None
    trained = reading.table(ADAPTERS, ("adapter_id", "recipe", "seed"), "adapter_id") if reading.has(ADAPTERS) else []
    about = {row["adapter_id"]: row for row in trained}
    values = [row[name] for row in rows for name in ("clean_accuracy", "accuracy", "ci_low", "ci_high")]
    strip = Strip(*around(values, 0.2, (0.0, 1.0)), unit="%")
    columns = (
        Column("Adapter"), Column(strip.head("% right"), "plot"), Column("Clean", "num"), Column("Corrupted", "num"),
        Column("95 % interval", "num"), Column("Flipped", "num"), Column("n", "num"), Column("Recipe"), Column("Rank", "num"),
        Column("Scale", "num"), Column("Seed", "num"),
    )  # fmt: skip
    body = [_row(row, about.get(row["adapter_id"], {}), strip) for row in ends_first(rows)]
    caption = (
        f"Share of right answers on {count(rows[0]['n_examples'])} clean examples and over all their corrupted forms (n rows per adapter); "
        "the interval treats the rows of one example as one. Flipped: right when clean, wrong when corrupted"
    )
    if len(rows) > LONG:
        caption += f". The best {ENDS} and the worst {ENDS}; those between are folded"
    return joined([_said(rows), html_table(caption, columns, body, reading.source.room.rows), _key()])


def _said(rows: list[Row]) -> Markup | None:
    """Which adapter holds best, and which breaks."""
    known = [row for row in rows if row["accuracy"] is not None and row["clean_accuracy"] is not None]
    if len(known) < 2:
        return None
    best, worst = known[0], known[-1]
    fell = max(known, key=lambda row: (row["clean_accuracy"] - row["accuracy"], str(row["name"])))
    return paragraph(
        data(best["name"], 60), f" holds best under corruption: {percent(best['accuracy'])} right. ", data(worst["name"], 60),
        f" has least: {percent(worst['accuracy'])}. ", data(fell["name"], 60),
        f" falls furthest, by {100 * (fell['clean_accuracy'] - fell['accuracy']):.1f} points from clean.",
    )  # fmt: skip


def ends_first(rows: list[Row]) -> list[Row]:
    """The rows as they are, or, of more than stand open, the first and the last `ENDS` before those between."""
    return rows if len(rows) <= LONG else [*rows[:ENDS], *rows[-ENDS:], *rows[ENDS:-ENDS]]


def _row(row: Row, about: Row, strip: Strip) -> tuple[Markup | str, ...]:
    title = f"{percent(row['clean_accuracy'])} clean, {percent(row['accuracy'])} corrupted"
    points = [Point(row["clean_accuracy"], kind="hollow"), Point(row["accuracy"], row["ci_low"], row["ci_high"])]
    seed = about.get("seed")
    return (
        data(row["name"], 60), strip.cell(title, points), percent(row["clean_accuracy"]), percent(row["accuracy"]),
        percent_within(row["ci_low"], row["ci_high"]), percent(row["flip_rate"]), count(row["n"]), data(about.get("recipe") or "–", 30),
        count(row["rank"]), short(row["update_scale"]), "–" if seed is None else str(seed),
    )  # fmt: skip


def _key() -> Markup:
    clean = tag("span", None, tag("i", {"class": "hollow"}), "clean")
    return tag("p", {"class": "key"}, clean, tag("span", None, tag("i", {"class": "a"}), "corrupted, with interval"))


SECTION = Section("adapters", "Adapters, clean and under corruption", "The table of adapters", (SUMMARY,), draw, also=(ADAPTERS,))
