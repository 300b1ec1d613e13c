"""One real picture for the tests of corruptions."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Pillow
from sklearn.datasets import load_sample_image

from ood.corruptions import Image


@pytest.fixture(scope="module")
def photo() -> Image:
    """A real, non-square picture, 60 x 84."""
    return np.array(Pillow.fromarray(load_sample_image("china.jpg")).resize((84, 60), Pillow.Resampling.BICUBIC))
