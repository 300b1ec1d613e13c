"""What must be known of examples to show them, and how does a picture of any size become a small one?"""

from __future__ import annotations

import base64
import io
from collections.abc import Collection
from dataclasses import dataclass

from PIL import Image

from models.decode import DecodeLimits, decode
from pipelines.report.charts.svg import text
from pipelines.report.failures.details import settings_of
from pipelines.report.markup import Markup, clipped, safe, tag
from pipelines.report.source import Reading

EXAMPLES = "bronze.examples_current"
SHOWN = """
SELECT example_id, label, image, text, settings_id FROM bronze.examples_current WHERE dataset = ? AND list_contains(?, example_id)
"""
FRAME = "frame"  # class of what stands where a picture is no longer in the lake
LETTERS = 4.6  # width of one in a drawing's small print


@dataclass(frozen=True)
class Shown:
    """An example: its label, and its picture as a data address or its text."""

    label: str
    picture: str | None
    text: str | None


def shown_examples(reading: Reading, ids: Collection[str], edge: int) -> dict[str, Shown]:
    """By example_id; examples that are no longer in the lake are left out. Pictures have at most `edge` pixels a side."""
    if not reading.has(EXAMPLES):
        return {}
    limits: dict[str, DecodeLimits] = {}
    found = {}
    for row in reading.rows(SHOWN, reading.dataset, sorted(ids)):
        made_by = row["settings_id"]
        if made_by not in limits:
            limits[made_by] = DecodeLimits(**((settings_of(reading, "bronze.examples", made_by) or {}).get("decode") or {}))
        picture = None if row["image"] is None else address(row["image"], edge, limits[made_by])
        found[row["example_id"]] = Shown(str(row["label"]), picture, row["text"])
    return found


def address(content: bytes, edge: int, limits: DecodeLimits) -> str:
    """The picture, made small with its sides in proportion, as a data address. Raises RejectedInput as `decode` does."""
    image = Image.fromarray(decode(content, limits).image)
    image.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    held = io.BytesIO()
    image.save(held, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(held.getvalue()).decode()


def placed(picture: str | None, x: float, y: float, side: float, title: str) -> Markup:
    """The picture in a drawing, with words as its tooltip; an empty frame where there is none."""
    about = {"x": f"{x:g}", "y": f"{y:g}", "width": f"{side:g}", "height": f"{side:g}"}
    told = tag("title", None, safe(clipped(title)))
    if picture is None:
        return tag("rect", about | {"class": FRAME}, told)
    return tag("image", about | {"href": picture, "class": "pixels"}, told)


def under(label: str, x: float, y: float, side: float) -> Markup:
    """A label in small print, centred, no wider than the picture above it."""
    return text(x + side / 2, y, clipped(safe(label), max(2, int(side / LETTERS))), "tick", "middle")
