"""Small real sources on disk, and the short ways to read them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bronze.readers import reader_named
from bronze.reference import Listing
from bronze.settings import SourceSettings

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture
def shared_images() -> Path:
    """Real data beside the project; it is never part of it."""
    return _shared("images")


@pytest.fixture
def shared_texts() -> Path:
    """The same of texts."""
    return _shared("text")


def _shared(kind: str) -> Path:
    if not (SHARED / kind).is_dir():
        pytest.skip(f"../shared/data/{kind} is absent: real data lies beside the project, not in it")
    return SHARED / kind


@pytest.fixture
def picture() -> Callable[[int], bytes]:
    """Bytes of a small PNG; another number is another picture."""

    def make(number: int) -> bytes:
        pixels = np.full((4, 5, 3), number % 256, dtype=np.uint8)
        pixels[0, 0] = (number // 256, 1, 2)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        return buffer.getvalue()

    return make


@pytest.fixture
def listed() -> Callable[..., Listing]:
    """The listing of a folder by the reader and options given."""

    def make(reader: str, root: Path, options: dict[str, object] | None = None) -> Listing:
        settings = SourceSettings.model_validate({"reader": reader, "root": str(root), **(options or {})})
        return reader_named(reader).listing(settings, root)

    return make
