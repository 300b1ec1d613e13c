"""Is the picture in the report the one that the adapter met?"""

from __future__ import annotations

import base64
import io
from importlib.metadata import version

import numpy as np
import pytest
from PIL import Image

from lake.identity import rng
from models.images import to_model_resolution
from ood.corruptions import corrupt
from pipelines.report.failures.details import Failure
from pipelines.report.failures.pictures import DRAWN_BY, VEIL, other_libraries, pair, png, recipe_of, triptych, veil
from tests.report_sources import PREPROCESSING, picture


def failure(corruption: str = "gaussian_noise", values: tuple[float, ...] = (0.1, 0.4, 0.2, 0.0)) -> Failure:
    return Failure("example", corruption, 2, "adapter", "cat", "dog", 0.6, 0.9, values, (), picture(1), None, "s")


@pytest.mark.parametrize("apply_at", ["model", "original"])
def test_the_corrupted_picture_is_the_one_of_its_key(apply_at: str):
    ood = {"apply_at": apply_at, "seed": 5, "preprocessing": PREPROCESSING | {"size": 8, "resize_to": 8}}
    recipe = recipe_of(ood, {"decode": {"max_bytes": 10**6, "max_pixels": 10**6}})
    clean, changed = pair(failure(), recipe)
    with Image.open(io.BytesIO(picture(1))) as opened:
        original = np.array(opened.convert("RGB"))
    small = to_model_resolution(original, recipe.preprocessing)
    noise = rng(5, "example", "gaussian_noise", 2)
    expected = (
        corrupt(small, "gaussian_noise", 2, noise)
        if apply_at == "model"
        else to_model_resolution(corrupt(original, "gaussian_noise", 2, noise), recipe.preprocessing)
    )
    assert np.array_equal(clean, small) and np.array_equal(changed, expected)
    assert not np.array_equal(clean, changed)


def test_libraries_of_another_version_are_named():
    here = {name: version(name) for name in DRAWN_BY}
    assert other_libraries({"libraries": here}) == other_libraries({}) == []
    assert other_libraries({"libraries": here | {"scipy": "0.1"}}) == [f"scipy 0.1 (here {here['scipy']})"]


def test_the_veil_is_as_dense_as_the_attribution_and_none_where_units_are_no_square():
    over = veil((0.1, 0.4, 0.2, -1.0))
    assert over is not None and over.shape == (2, 2, 4)
    # by hand: shares of the largest, 0.4; what speaks against the answer veils nothing; 190 * 0.25 = 47.5, to even 48
    assert over[..., 3].tolist() == [[48, VEIL], [95, 0]]
    assert veil((1.0, 2.0, 3.0)) is None and veil(()) is None
    empty = veil((0.0, 0.0, 0.0, 0.0))
    assert empty is not None and not empty[..., 3].any()


def test_a_picture_is_made_smaller_never_larger():
    def width(address: str) -> int:
        with Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as opened:
            return opened.width

    big = np.zeros((300, 300, 3), dtype=np.uint8)
    assert (width(png(big, 112)), width(png(big[:20, :20], 112))) == (112, 20)


def test_a_picture_stands_in_the_page_once_however_often_it_is_shown():
    recipe = recipe_of({"apply_at": "model", "seed": 0, "preprocessing": PREPROCESSING}, {"decode": {}})
    drawn = triptych(failure(), recipe, 112, "1-0")
    assert drawn.count("data:image/png") == 3 and drawn.count('href="#clean-1-0"') == 1  # clean, veil, corrupted; clean is used again
    assert triptych(failure(), recipe, 112, "1-0") == drawn
