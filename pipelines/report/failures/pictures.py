"""What did the adapter see? The clean picture, what it looked at, and the very corrupted picture, made again from the record's key."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.decode import DecodeLimits, decode
from models.images import Preprocessing, to_model_resolution
from ood.picture_shifts import met
from ood.settings import CorruptionSettings
from pipelines.report.charts.svg import drawing, text
from pipelines.report.failures.details import Failure
from pipelines.report.markup import Markup, tag

SIDE, GAP, HEAD = 100, 6, 14  # of each of the three pictures, in the units of the drawing
LOOKED_AT = (0, 114, 178)  # blue over the whole, as strong as the attribution
VEIL = 190  # opacity of the largest attribution, of 255

DRAWN_BY = ("numpy", "pillow", "scipy")

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Recipe:
    """How the pipeline made the pictures of one generation: limits of decoding, size, where corruptions apply and their seed."""

    limits: DecodeLimits
    preprocessing: Preprocessing
    corruptions: CorruptionSettings


def recipe_of(ood: dict[str, Any], examples: dict[str, Any]) -> Recipe:
    """From the settings that the lake has of ood.predictions and of bronze.examples."""
    corruptions = CorruptionSettings(apply_at=ood["apply_at"], seed=ood["seed"])
    return Recipe(DecodeLimits(**examples["decode"]), Preprocessing(**ood["preprocessing"]), corruptions)


def other_libraries(ood: dict[str, Any]) -> list[str]:
    """Of the libraries that draw a corruption, those that have another version here than when the lake's row was made."""
    then = ood.get("libraries", {})
    here = {name: version(name) for name in DRAWN_BY}
    return [f"{name} {then[name]} (here {here[name]})" for name in DRAWN_BY if then.get(name) not in (None, here[name])]


def pair(failure: Failure, recipe: Recipe) -> tuple[Picture, Picture]:
    """The clean and the corrupted picture uint8[size, size, 3], as the adapter met them, before normalisation."""
    decoded = decode(failure.image or b"", recipe.limits).image
    clean = to_model_resolution(decoded, recipe.preprocessing)
    base = decoded if recipe.corruptions.apply_at == "original" else clean
    changed = met(base, failure.example_id, failure.corruption, failure.severity, recipe.corruptions, recipe.preprocessing)
    return clean, changed


def veil(values: tuple[float, ...]) -> Picture | None:
    """The attribution as a picture uint8[side, side, 4], one pixel per patch: the larger, the less transparent. None for no square."""
    side = math.isqrt(len(values))
    if not side or side * side != len(values):
        return None
    grid = np.clip(np.nan_to_num(np.asarray(values, dtype=np.float64)), 0.0, None).reshape(side, side)
    strength = np.round(VEIL * grid / grid.max()) if grid.max() > 0 else np.zeros_like(grid)
    return np.dstack([*(np.full_like(strength, part) for part in LOOKED_AT), strength]).astype(np.uint8)


def png(picture: Picture, edge: int) -> str:
    """The picture as a data address, at most so many pixels wide."""
    image = Image.fromarray(picture)
    if max(image.size) > edge:
        image = image.resize((edge, edge), Image.Resampling.LANCZOS)
    held = io.BytesIO()
    image.save(held, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(held.getvalue()).decode()


def triptych(failure: Failure, recipe: Recipe, edge: int, number: str) -> Markup:
    """Clean, looked at, corrupted. `number` tells its picture from others of the page."""
    clean, changed = pair(failure, recipe)
    held = tag("image", _place(0) | {"href": png(clean, edge), "id": f"clean-{number}", "class": "pixels"})
    looked: list[Markup] = []
    if (over := veil(failure.values)) is not None:
        looked = [
            tag("use", {"href": f"#clean-{number}", "x": SIDE + GAP}),
            tag("image", _place(1) | {"href": png(over, edge), "class": "pixels"}),
        ]
    after = tag("image", _place(2) | {"href": png(changed, edge), "class": "pixels"})
    heads = [
        text(place * (SIDE + GAP), HEAD - 4, words, "head") for place, words in enumerate(("clean", "looked at", failure.corruption[:20]))
    ]
    about = f"{failure.label}, clean and under {failure.corruption} {failure.severity}, where it is taken for {failure.answer}"
    return drawing(3 * SIDE + 2 * GAP, SIDE + HEAD, about, *heads, held, *looked, after)


def _place(number: int) -> dict[str, object]:
    return {"x": number * (SIDE + GAP), "y": HEAD, "width": SIDE, "height": SIDE}
