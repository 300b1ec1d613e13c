"""The results page says what the causal check says, also of a dataset without adapters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lake.errors import MissingInputError
from tests.text_results_lake import NAME, write_text_lake
from tests.unit.scripts.provenance_rows import causal, embedded, seeds, write_lake, write_pictures

SENTENCE = (
    "**There is no evidence that predictions rest on the training examples that the index head names more than on random ones of the "
    "class, in any check (mean difference of p +0.0010).**"
)
NONE = (0.001, -0.02, 0.022)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A lake of pictures without adapters, but with networks and a causal check."""
    write_pictures(tmp_path / "lake", "mnist")
    checks = [causal("head", "index_head", 5, NONE, None), causal("head", "random", 5, None, NONE)]
    write_lake(tmp_path / "lake", "mnist", summary=[*seeds(), *seeds("plain")], causal=checks)
    return tmp_path / "lake"


def test_a_dataset_without_adapters_comes_out_with_its_causal_check(script: Callable[[str], Any], bare: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.md"
    assert script("results").main(["--lake", str(bare), "--dataset", "mnist", "--out", str(out)]) == 0
    text = out.read_text(encoding="utf-8")
    assert SENTENCE in text and "[provenance.md](provenance.md)" in text and f"Settings `{'5' * 16}`" in text
    assert "| head | 5 | the index head | -0.1000 (-0.2000 to +0.0000) | +0.0010 (-0.0200 to +0.0220) | – | 60 | 3 |" in text
    assert "| plain | 3 | 0.900 (0.900 to 0.900) | – | – |" in text
    assert "| [mnist](#mnist) | 2 | 1 | – | none | not judged | – | – | – |" in text
    assert "- Pictures: adapter_train 2, meta 1; 2 classes." in text and " nan" not in text
    found = script("results_sections").found_on(out)
    assert [one.dataset for one in found] == ["mnist"] and len(found[0].rows) == 1


def test_a_dataset_with_adapters_gets_the_section_between_its_own(script: Callable[[str], Any], tmp_path: Path) -> None:
    write_text_lake(tmp_path / "lake", "demo_texts.yaml")
    rows = [
        embedded("class_conditional", (0.9, 0.87, 0.93), (0.9, 0.87, 0.93)),
        embedded("knn_plain", (0.8, 0.76, 0.84), (0.8, 0.76, 0.84)),
    ]
    write_lake(tmp_path / "lake", NAME, summary=rows)
    out = tmp_path / "page.md"
    assert script("results").main(["--lake", str(tmp_path / "lake"), "--out", str(out)]) == 0
    text = out.read_text(encoding="utf-8")
    assert text.index(f"### {NAME}: beside the paper") < text.index(f"### {NAME}: provenance") < text.index(f"### {NAME}: how it was made")
    assert "class accuracy is above kNN's" in text and "The causal check" not in text


def test_a_lake_that_holds_none_of_it_has_no_section(script: Callable[[str], Any], tmp_path: Path) -> None:
    write_pictures(tmp_path, "mnist")
    assert script("results_provenance").provenance_part(tmp_path, "mnist") == ""
    with pytest.raises(MissingInputError, match="has no rows"):
        script("results_read").datasets(tmp_path)
