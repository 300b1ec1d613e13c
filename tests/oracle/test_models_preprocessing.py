"""Do our pictures equal those of transformers' own image processors?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from models.images import Preprocessing, preprocessing_of, to_model_resolution
from models.images import normalise as normalised

SHAPES = [(56, 56), (97, 131), (131, 97), (300, 200), (37, 500), (511, 33), (30, 41), (7, 9), (16, 1), (1, 1), (255, 256), (640, 427)]
PROCESSORS: list[Any] = [
    BitImageProcessorPil(size={"shortest_edge": 64}, crop_size={"height": 56, "width": 56}),
    BitImageProcessorPil(size={"shortest_edge": 256}, crop_size={"height": 224, "width": 224}),
    BitImageProcessorPil(size={"shortest_edge": 61}, crop_size={"height": 56, "width": 56}, resample=2),
    ViTImageProcessorPil(size={"height": 56, "width": 56}),
]


@pytest.mark.parametrize("processor", PROCESSORS, ids=["bit 56", "bit 224", "bit odd margin", "vit"])
@pytest.mark.parametrize("shape", SHAPES)
def test_pictures_agree_with_transformers(processor: Any, shape: tuple[int, int], tmp_path: Any) -> None:
    processor.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "dinov2", "image_size": 518}')
    image = np.random.default_rng(shape[0] * 1000 + shape[1]).integers(0, 256, (*shape, 3), dtype=np.uint8)
    expected = processor(Image.fromarray(image), return_tensors="np")["pixel_values"]
    settings = preprocessing_of(tmp_path)
    found = normalised(to_model_resolution(image, settings)[None], settings)
    # A difference of one grey level would be 1/255/0.23 = 0.017: the resampled bytes are equal, the rest is float32 rounding.
    np.testing.assert_allclose(found, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("shape", [(10, 600), (900, 20), (3, 50), (1400, 33)])
def test_very_long_pictures_agree_with_transformers_within_two_grey_levels(shape: tuple[int, int]) -> None:
    processor = PROCESSORS[0]
    image = np.random.default_rng(3).integers(0, 256, (*shape, 3), dtype=np.uint8)
    kept = processor(Image.fromarray(image), do_rescale=False, do_normalize=False, return_tensors="np")["pixel_values"][0]
    found = to_model_resolution(image, Preprocessing(size=56, resize_to=64)).transpose(2, 0, 1)
    difference = np.abs(found.astype(int) - kept.astype(int))
    assert difference.max() <= 2
    assert (difference > 0).mean() < 0.01
