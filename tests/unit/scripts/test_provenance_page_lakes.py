"""scripts/provenance_page.py as a command: page and drawing from lakes, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from lake.errors import ConfigError, MissingInputError
from tests.unit.scripts.provenance_rows import causal, embedded, key, net, other, seeds, write_lake

Script = Callable[[str], ModuleType]
LESS, NONE, MORE = (-0.03, -0.05, -0.01), (0.001, -0.02, 0.022), (0.04, 0.01, 0.07)


def test_page_and_drawing_are_made_from_lakes(script: Script, tmp_path: Path) -> None:
    epochs = [other("epochs", **key(seed=s), epoch=e, class_accuracy=0.5, top5_index=0.25, n=500) for s in range(3) for e in (1, 2)]
    write_lake(tmp_path / "one", "mnist", summary=seeds(), epochs=epochs, causal=[causal("head", "index_head", 5, LESS, None)])
    write_lake(tmp_path / "two", "caltech101", summary=[embedded("knn_plain", (0.8, 0.7, 0.9), (0.8, 0.7, 0.9))])
    out = tmp_path / "provenance.md"
    given = ["--lake", str(tmp_path / "one"), "--also", str(tmp_path / "two"), "--out", str(out)]
    assert script("provenance_page").main(given) == 0
    text = out.read_text(encoding="utf-8")
    assert "from `one`, `two`" in text and f"mnist `{'5' * 16}`" in text and str(tmp_path) not in text
    assert "- mnist, class_conditional: class accuracy 0.500 (0.500 to 0.500), top-5 index 0.250 (0.250 to 0.250) after epoch 2." in text
    assert "| caltech101 | kNN | 3,000 | 338 | 0.800 (0.700 to 0.900) |" in text and "**Predictions rest on" in text
    assert "mnist: top-5 index accuracy" in out.with_suffix(".svg").read_text(encoding="utf-8")


def test_a_lake_without_networks_and_a_dataset_in_two_lakes_are_refused(script: Script, tmp_path: Path) -> None:
    read = script("provenance_read").read_studies
    for name in ("one", "two"):
        write_lake(tmp_path / name, "mnist", summary=[net()])
    with pytest.raises(ConfigError, match="mnist in several lakes"):
        read([tmp_path / "one", tmp_path / "two"])
    with pytest.raises(MissingInputError, match="found no rows"):
        read([tmp_path])
    assert script("provenance_page").main(["--lake", str(tmp_path), "--out", str(tmp_path / "p.md")]) == 66
    assert not (tmp_path / "p.md").exists()
