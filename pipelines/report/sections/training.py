"""How was each adapter trained, and how did it end?"""

from __future__ import annotations

from pipelines.report.figures import count, number, percent, short
from pipelines.report.markup import Content, Markup, data, joined, paragraph
from pipelines.report.section import Section
from pipelines.report.source import Reading, Row
from pipelines.report.tables import Column, html_table

TABLE = "gold.training_summary"
COLUMNS = (
    "name", "recipe", "rank", "alpha", "update_scale", "seed", "use_dora", "use_rslora", "trainable_parameters", "trainable_share",
    "train_loss", "eval_loss", "accuracy", "f1", "minutes", "status", "reason", "backbone", "adapter_id", "n",
)  # fmt: skip
HEADS = (
    Column("Adapter"), Column("Recipe"), Column("Rank", "num"), Column("Alpha", "num"), Column("Scale", "num"), Column("Seed", "num"),
    Column("Kind"), Column("Parameters", "num"), Column("Share", "num"), Column("Loss, train", "num"), Column("Loss, val", "num"),
    Column("Accuracy, val", "num"), Column("F1, val", "num"), Column("Minutes", "num"), Column("Status"),
)  # fmt: skip


def draw(reading: Reading) -> Markup | None:
    """A row per adapter that was offered, the unusable with their reason."""
    rows = reading.table(TABLE, COLUMNS, "name, adapter_id")
    if not rows:
        return None
    backbones = sorted({str(row["backbone"]) for row in rows if row["backbone"]})
    caption = (
        "Losses in nat; accuracy and F1 are measured on the adapters' own validation split, F1 weighted over classes; no interval is stored"
    )
    lines = [part for name in backbones for part in (", ", data(name, 100))][1:]
    about = paragraph("Backbone: ", *lines, f". n = {len(rows):,} adapters.", kind="note") if backbones else None
    return joined([html_table(caption, HEADS, [_row(row) for row in rows], reading.source.room.rows), about])


def _row(row: Row) -> tuple[Content, ...]:
    kind = "DoRA" if row["use_dora"] else "LoRA"
    status: Content = data(row["status"] or "–", 20)
    if row["reason"]:
        status = joined([status, ": ", data(row["reason"], 80)])
    return (
        data(row["name"], 60), data(row["recipe"] or "–", 30), count(row["rank"]), short(row["alpha"]), short(row["update_scale"]),
        "–" if row["seed"] is None else str(row["seed"]), "–" if row["rank"] is None else f"{kind}, rs" if row["use_rslora"] else kind,
        count(row["trainable_parameters"]), percent(row["trainable_share"], 2), number(row["train_loss"]), number(row["eval_loss"]),
        percent(row["accuracy"]), number(row["f1"]), number(row["minutes"], 2), status,
    )  # fmt: skip


SECTION = Section("training", "How the adapters were trained", "The adapters' training table", (TABLE,), draw)
