"""A shifted source for the small lake: digits that it does not hold, turned to their negative, in a manifest that says which camera."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sklearn.datasets import load_digits

from models.decode import encode_png
from tests.lakes import N_DIGITS

GOOD = tuple(range(N_DIGITS, N_DIGITS + 20))
CAMERAS = ("north", "south")
REJECTED_SHIFTED = {
    # the record behind the good ones, and why it makes no example
    "list.csv#20": "not_shifted",
    "list.csv#21": "label_unknown",
    "list.csv#22": "decode_error",
}


def make_shifted(root: Path) -> Path:
    """20 good pictures and one of each fault: a picture that the dataset holds, an unknown label, and bytes that are no picture."""
    root.mkdir(parents=True)
    found = load_digits()
    lines = ["path,label,camera,serial"]
    for place, number in enumerate(GOOD):
        (root / f"{number}.png").write_bytes(encode_png((255 - found.images[number] * 255 / 16).round().astype("uint8")))
        lines.append(f"{number}.png,{found.target[number]},{CAMERAS[place % 2] if place else ''},{number}")
    (root / "same.png").write_bytes(encode_png((found.images[7] * 255 / 16).round().astype("uint8")))  # as tests.lakes.make_source has it
    (root / "bad.png").write_bytes(b"no picture")
    lines += [f"same.png,{found.target[7]},north,7", "120.png,ten,north,1", "bad.png,0,north,2"]
    (root / "list.csv").write_text("\n".join(lines) + "\n")
    return root


def shifted(root: Path, name: str = "negative", **manifest: Any) -> dict[str, Any]:
    """The configuration of such a source."""
    options = {"file": "list.csv", "metadata": ["camera", "serial"]} | manifest
    return {"name": name, "source": {"reader": "manifest", "root": str(root), "manifest": options}}
