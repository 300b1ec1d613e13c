"""Does the whole page of a lake of texts say what its tables hold, and leave other sections alone?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.text_results_lake import write_text_lake

SAID = (
    "- Texts: adapter_train 2, adapter_val 1, meta 3, outside 1; 2 classes.",
    "- Training texts per setting, chosen from adapter_train: full 2.",
    "- Refused: bronze.examples: 1 × empty_text; ood.predictions: 1 × nonfinite.",
    "1 of 1 trainings flagged leaky",
    # Arms: no error of one training; half a point lost to no prior in one pair.
    "| full | cap (leaky) | beta 1, n 100 | 1 | 0.500 | – | 30 |",
    "| full | cap (leaky) | beta 1, n 100 | 1 | -0.500: no verdict |",
    "| full | logistic regression on frozen embeddings | – | 1 | 0.750 | – | – |",
    "nothing is shown for or against priors.",
    # Priors: of gold's generation alone, whose p is 0.75, not the older one's 0.1.
    "| cap | 0.750 | 0.000 | 1 | 1 |",
    "| full | 100 | cap, lime | 0.250 | 0.500 | 0.750 | 2 |",
    "| full | 100 | `cap` | – | – | 0.500 | 0.250 | – | 1 | 1 | 2 |",
    "| full | 100 | cap | 0.625 | 0.125 | +0.500 | 2 |",
    "| `l0` | cap | `tea` 0.38 | 2 |",
    # typos: m1 right by both adapters, m2 by none; only m1 was edited. m3 is of a larger run.
    "Attacked and explained: 2 texts.",
    "| typos | 0.500 (0.000 to 1.000) |",
    "| typos | 1 | 0.500 | – | 1.000 | 2 |",
    "### intents: explanations of clean texts against being right under attack",
    "no figure on these texts is known to us",
    "assay run configs/demo_texts.yaml --lake lake",
    "Versions: torch 9.9.",
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, script: Callable[[str], Any]) -> Path:
    """The page of the lake, added to one that holds another dataset."""
    folder = tmp_path_factory.mktemp("page")
    write_text_lake(folder / "lake", "demo_texts.yaml")
    out = folder / "page.md"
    other = "<!-- dataset: digits; image; build/demo-lake -->\n## digits\n\nas it was\n<!-- end of digits -->\n"
    rows = "<!-- summary: image -->\n| dataset |\n| --- |\n| [digits](#digits) | 0.5 |\n<!-- end of summary -->\n"
    out.write_text(f"# Results\n\n{rows}\n{other}")
    assert script("results").main(["--lake", str(folder / "lake"), "--out", str(out)]) == 0
    return out


@pytest.mark.parametrize("line", SAID)
def test_the_page_says_what_the_lake_holds(page: Path, line: str) -> None:
    assert line in page.read_text()


def test_what_was_on_the_page_stays(page: Path) -> None:
    text = page.read_text()
    assert "| [digits](#digits) | 0.5 |\n" in text and "\n## digits\n\nas it was\n" in text
    assert "--lake build/demo-lake --lake lake --out page.md" in text  # both lakes make the page


def test_the_summary_has_a_row_per_setting_and_the_chart_lies_beside_the_page(page: Path) -> None:
    text = page.read_text()
    (line,) = (line for line in text.splitlines() if line.startswith("| [intents](#intents) |"))
    assert "| 0.750 | 0.625 (0.125) | full | 0.750 | 1.000 | 0.500 (leaky) | -0.500 (1 pair): no verdict | – | – | – |" in line
    assert "<svg" in (page.parent / "page" / "intents-arms.svg").read_text()
    assert str(page.parent) not in text and "/a/machine" not in text  # no machine's own paths
