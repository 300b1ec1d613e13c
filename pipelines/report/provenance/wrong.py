"""Which training examples stand behind wrong answers? A few answers drawn by a rule, each with what a head and kNN name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.report.charts.svg import drawing, text
from pipelines.report.figures import percent, plural
from pipelines.report.markup import Content, Markup, clipped, data, joined, paragraph, safe, tag
from pipelines.report.provenance.examples import EXAMPLES, Shown, placed, shown_examples, under
from pipelines.report.source import Reading, Row

EXEMPLARS, HEADS, PREDICTIONS = "silver.exemplars_current", "silver.heads_current", "silver.predictions_current"
MOST = 5
NAMED = """
SELECT x.example_id, h.name, h.variant, x.rank, x.train_example_id, x.probability, x.predicted_id
FROM silver.exemplars_current x JOIN silver.heads_current h ON h.dataset = x.dataset AND h.head_id = x.head_id
WHERE x.dataset = ? AND list_contains(?, x.example_id) AND list_contains(?, h.name) AND x.rank <= ?
ORDER BY x.example_id, h.name, h.head_id, x.rank
"""
NAMES = """
SELECT DISTINCT h.name, h.variant FROM silver.heads_current h
JOIN silver.exemplars_current x ON x.dataset = h.dataset AND x.head_id = h.head_id
WHERE h.dataset = ? ORDER BY ALL
"""
LABELS = "SELECT DISTINCT label_id, label FROM bronze.examples_current WHERE dataset = ? AND label_id IS NOT NULL ORDER BY ALL"
# Of what any adapter gets wrong on clean inputs: the answer that most of them give. True labels in turn, within a label by a hash.
BY_ADAPTERS = """
SELECT * FROM (
  SELECT p.example_id, e.label, p.predicted_id AS answer_id, COUNT(*) AS wrong, ANY_VALUE(a.n) AS asked
  FROM silver.predictions_current p
  JOIN bronze.examples_current e ON e.dataset = p.dataset AND e.example_id = p.example_id
  JOIN (SELECT example_id, COUNT(*) AS n FROM silver.predictions_current WHERE dataset = ? GROUP BY example_id) a
    ON a.example_id = p.example_id
  WHERE p.dataset = ? AND NOT p.is_correct AND p.example_id IN (SELECT example_id FROM silver.exemplars_current WHERE dataset = ?)
  GROUP BY p.example_id, e.label, p.predicted_id
  QUALIFY row_number() OVER (PARTITION BY p.example_id ORDER BY COUNT(*) DESC, p.predicted_id) = 1
)
ORDER BY row_number() OVER (PARTITION BY label ORDER BY md5(example_id)), md5(example_id) LIMIT ?
"""
SIDE, SMALL, GAP, HEAD, FOOT = 88, 40, 4, 13, 12


def wrong_answers(reading: Reading) -> Markup | None:
    """A card per answer; None where no wrong answer has exemplars."""
    if not reading.has(EXEMPLARS, HEADS, PREDICTIONS, EXAMPLES):
        return None
    dataset, most = reading.dataset, max(1, reading.source.room.failures // 2)
    chosen = reading.rows(BY_ADAPTERS, dataset, dataset, dataset, most)
    heads = _heads(reading)
    if not chosen or not heads:
        return None
    named: dict[tuple[str, str], list[Row]] = {}
    for row in reading.rows(NAMED, dataset, [row["example_id"] for row in chosen], heads, MOST):
        named.setdefault((row["example_id"], row["name"]), []).append(row)
    ids = {row["example_id"] for row in chosen} | {row["train_example_id"] for rows in named.values() for row in rows} - {None}
    examples = shown_examples(reading, ids, reading.source.room.edge // 2)
    labels = {row["label_id"]: str(row["label"]) for row in reading.rows(LABELS, dataset)}
    cards = [_card(row, [(name, named.get((row["example_id"], name), [])) for name in heads], examples, labels) for row in chosen]
    lead = paragraph(
        f"{plural(len(cards), 'clean input')} that adapters get wrong, drawn by a hash over the labels in turn, none for its looks. The "
        "heads read the backbone's embeddings, not the adapter's: they show what the input resembles there. kNN costs nothing.",
        kind="note",
    )
    return joined([tag("h4", None, "Training examples behind wrong answers"), lead, tag("div", {"class": "cards"}, *cards)])


def _heads(reading: Reading) -> list[str]:
    """The first head, class-conditional ones before others, and kNN."""
    rows = reading.rows(NAMES, reading.dataset)
    nets = sorted((row["variant"] != "class_conditional", row["name"]) for row in rows if row["variant"] != "knn")
    return [name for _, name in nets[:1]] + sorted(row["name"] for row in rows if row["variant"] == "knn")[:1]


def _card(row: Row, named: Sequence[tuple[str, list[Row]]], examples: Mapping[str, Shown], labels: Mapping[int, str]) -> Markup:
    own = examples.get(row["example_id"], Shown(str(row["label"]), None, None))
    told = [(_told(name, rows, labels), rows) for name, rows in named]
    inside = _pictures(own, told, examples) if own.text is None else _texts(own, told, examples)
    answer = labels.get(row["answer_id"], f"label {row['answer_id']}")
    said = paragraph(
        "Is ", tag("b", None, data(row["label"], 60)), ", taken for ", tag("b", None, data(answer, 60)),
        f" by {row['wrong']:,} of {plural(row['asked'], 'adapter')}.",
    )  # fmt: skip
    return tag("article", {"class": "card"}, inside, said, paragraph("example ", data(row["example_id"][:12]), kind="soft"))


def _told(name: str, rows: Sequence[Row], labels: Mapping[int, str]) -> str:
    """A head's name, and the class that it tells itself: its exemplars stand behind that one, which need not be the adapter's."""
    known = [labels.get(row["predicted_id"]) for row in rows[:1]]
    return f"{clipped(safe(name), 20)} says {clipped(safe(known[0]), 20)}" if known and known[0] is not None else clipped(safe(name), 40)


def _pictures(own: Shown, named: Sequence[tuple[str, list[Row]]], examples: Mapping[str, Shown]) -> Markup:
    """The input at the left, and beside it a line of exemplars per head, each with its label below."""
    line, start = HEAD + SMALL + FOOT, SIDE + 3 * GAP
    parts = [placed(own.picture, 0, HEAD, SIDE, own.label), under(own.label, 0, HEAD + SIDE + FOOT - 2, SIDE)]
    for place, (name, rows) in enumerate(named):
        y = place * line + HEAD
        parts.append(text(start, y - 4, name, "head"))
        for row in rows:
            x, example = start + (row["rank"] - 1) * (SMALL + GAP), examples.get(row["train_example_id"])
            label = example.label if example else "none"
            parts += [placed(example.picture if example else None, x, y, SMALL, f"{label}, probability {percent(row['probability'])}")]
            parts += [under(label, x, y + SMALL + FOOT - 3, SMALL)]
    height = max(HEAD + SIDE + FOOT, len(named) * line)
    about = f"{own.label}, and the training examples that {' and '.join(name for name, _ in named)} name"
    return drawing(start + MOST * (SMALL + GAP), height, about, *parts)


def _texts(own: Shown, named: Sequence[tuple[str, list[Row]]], examples: Mapping[str, Shown]) -> Markup:
    parts: list[Content] = [tag("p", {"class": "text"}, data(own.text, 400))]
    for name, rows in named:
        parts.append(paragraph(data(name, 50), ":", kind="soft"))
        parts.append(tag("ol", None, *(tag("li", None, *_exemplar(row, examples)) for row in rows)))
    return joined(parts)


def _exemplar(row: Row, examples: Mapping[str, Shown]) -> tuple[Content, ...]:
    example = examples.get(row["train_example_id"])
    if example is None:
        return ("no longer in the lake",)
    told = tag("span", {"class": "soft"}, " ", data(example.label, 60), f", {percent(row['probability'])}")
    return data(example.text, 160), told
