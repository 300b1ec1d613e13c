"""Which training pictures stand behind generated ones, by the head and by plain nearness? A row per generated picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gold.provenance.generation_told import generation_told
from models.decode import DecodeLimits
from pipelines.report.charts.svg import drawing, text
from pipelines.report.figures import number, percent, plural
from pipelines.report.markup import Markup, data, joined, tag
from pipelines.report.provenance.examples import Shown, address, placed, shown_examples
from pipelines.report.source import Reading, Row

GENERATED, GENERATION = "gold.provenance_generated", "gold.provenance_generation"
METHODS = {"index_head": "the head's five", "knn_pixel": "nearest in pixels", "knn_latent": "nearest in latent space"}
ROWS = """
SELECT picture, method, rank, train_example_id, probability, pixel_distance, image FROM gold.provenance_generated
WHERE dataset = ? AND seed = (SELECT MIN(seed) FROM gold.provenance_generated WHERE dataset = ?) AND picture < ?
ORDER BY picture, method, rank
"""
SIDE, GAP, FIRST, APART, HEAD = 40, 3, 38, 16, 16  # of a picture, between two, behind the generated one, between methods, above all


def grid(reading: Reading) -> Markup | None:
    """The first pictures of the first seed, and what the table over all seeds says; None without any."""
    rows = _rows(reading)
    told = _told(reading)
    if not rows and told is None:
        return None
    heading = tag("h4", None, "Generated pictures, and the training pictures that they rest on")
    return joined([heading, told, _drawn(reading, rows) if rows else None])


def _rows(reading: Reading) -> list[Row]:
    if not reading.has(GENERATED):
        return []
    return reading.rows(ROWS, reading.dataset, reading.dataset, reading.source.room.failures)


def _told(reading: Reading) -> Markup | None:
    sql = "SELECT * FROM gold.provenance_generation WHERE dataset = ? ORDER BY model, seed"
    said = generation_told(reading.rows(sql, reading.dataset)) if reading.has(GENERATION) else ()
    return tag("ul", None, *(tag("li", None, data(sentence, 600)) for sentence in said)) if said else None


def _drawn(reading: Reading, rows: Sequence[Row]) -> Markup:
    ids = {row["train_example_id"] for row in rows if row["train_example_id"] is not None}
    examples = shown_examples(reading, ids, reading.source.room.edge // 2)
    by_picture: dict[int, list[Row]] = {}
    for row in rows:
        by_picture.setdefault(row["picture"], []).append(row)
    most = max(row["rank"] for row in rows)
    starts = {method: SIDE + FIRST + place * (most * (SIDE + GAP) + APART) for place, method in enumerate(METHODS)}
    width = max(starts.values()) + most * (SIDE + GAP) - GAP
    lines = [_line(found, place, starts, examples) for place, found in enumerate(by_picture.values())]
    heads = [text(0, HEAD - 5, "generated", "name"), *(text(starts[name], HEAD - 5, words, "name") for name, words in METHODS.items())]
    about = f"{plural(len(lines), 'generated picture')}, each with the {most} training pictures that three methods name"
    inside = drawing(width, HEAD + len(lines) * (SIDE + GAP), about, *heads, *lines, kind="chart wide")
    caption = tag(
        "figcaption", None, f"The first {plural(len(lines), 'picture')} drawn from the prior with the first seed, none for its looks. "
        "The head is asked about the latent vector; kNN costs nothing and has no head. Point at a picture for its label.",
    )  # fmt: skip
    return tag("figure", None, tag("div", {"class": "scroll", "tabindex": 0, "role": "region", "aria-label": about}, inside), caption)


def _line(rows: Sequence[Row], place: int, starts: Mapping[str, int], examples: Mapping[str, Shown]) -> Markup:
    y = HEAD + place * (SIDE + GAP)
    made = placed(address(rows[0]["image"], SIDE, DecodeLimits()), 0, y, SIDE, f"generated picture {rows[0]['picture']}")
    known = [row for row in rows if row["method"] in starts]
    return joined([made, *(_exemplar(row, starts[row["method"]], y, examples.get(row["train_example_id"])) for row in known)])


def _exemplar(row: Row, start: int, y: float, example: Shown | None) -> Markup:
    told = f"{example.label if example else 'no longer in the lake'}, at pixel distance {number(row['pixel_distance'], 2)}"
    told += "" if row["probability"] is None else f", probability {percent(row['probability'])}"
    return placed(example.picture if example else None, start + (row["rank"] - 1) * (SIDE + GAP), y, SIDE, told)
