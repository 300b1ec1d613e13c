"""Do the sections of lakes that are not at hand survive, byte for byte?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lake.errors import ContractError

ROOT = Path(__file__).resolve().parents[3]
ABOVE = {"image": "| a |\n| --- |\n", "text": "| b |\n| --- |\n"}
HEAD = "# Results\n"


def section(script: Callable[[str], Any], dataset: str, modality: str, body: str, rows: int = 1) -> Any:
    lines = tuple(f"| [{dataset}](#{dataset}) | {number} |" for number in range(rows))
    return script("results_sections").Section(dataset, modality, f"build/{dataset}", lines, f"## {dataset}\n\n{body}\n")


@pytest.fixture
def page(script: Callable[[str], Any], tmp_path: Path) -> tuple[Path, list[Any]]:
    """A page of three datasets; the body of one holds what splits lines elsewhere, and a table with a link to another."""
    odd = "| [digits](#digits) | not a row of the summary |\n\nfirst\u2028second\x0bthird"
    found = [section(script, *given) for given in (("digits", "image", "old"), ("intents", "text", odd, 2), ("pets", "image", "p"))]
    out = tmp_path / "page.md"
    out.write_text(script("results_sections").page_of(HEAD, ABOVE, found), encoding="utf-8")
    return out, found


def test_what_is_read_from_a_page_is_what_was_written(script: Callable[[str], Any], page: tuple[Path, list[Any]]) -> None:
    assert script("results_sections").found_on(page[0]) == page[1]


def test_a_dataset_given_again_takes_its_old_place_and_all_others_stay(script: Callable[[str], Any], page: tuple[Path, list[Any]]) -> None:
    sections = script("results_sections")
    now = [section(script, "new", "image", "n"), section(script, "digits", "image", "newer")]
    found = sections.merged(sections.found_on(page[0]), now)
    assert [one.dataset for one in found] == ["digits", "intents", "pets", "new"]
    assert found[0] == now[1] and found[1:3] == page[1][1:]
    text = sections.page_of(HEAD, ABOVE, found)
    assert "old" not in text
    # Without its markers the page is head, summaries and sections with an empty line between them, as it was before there were markers.
    plain = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("<!-- "))
    assert plain.startswith("# Results\n\n| a |\n| --- |\n| [digits](#digits) | 0 |\n| [pets](#pets) | 0 |\n| [new](#new) | 0 |\n\n| b |\n")
    assert plain.endswith("\n\n## pets\n\np\n\n## new\n\nn\n")


def test_rows_of_a_summary_are_ordered_where_an_order_is_given(script: Callable[[str], Any], page: tuple[Path, list[Any]]) -> None:
    text = script("results_sections").page_of(HEAD, ABOVE, page[1], {"image": lambda line: "digits" in line})
    assert text.index("| [pets](#pets) | 0 |") < text.index("| [digits](#digits) | 0 |")


def test_a_page_that_would_be_lost_is_refused(script: Callable[[str], Any], page: tuple[Path, list[Any]]) -> None:
    found_on, text = script("results_sections").found_on, page[0].read_text()
    page[0].write_text(text.replace("<!-- end of pets -->\n", ""))
    with pytest.raises(ContractError, match="'<!-- end of pets -->' must close"):
        found_on(page[0])
    page[0].write_text("".join(line for line in text.splitlines(keepends=True) if not line.startswith("<!-- ")))
    with pytest.raises(ContractError, match="between markers"):
        found_on(page[0])
    assert found_on(page[0].with_name("none.md")) == []


def test_the_page_that_ships_can_be_added_to(script: Callable[[str], Any]) -> None:
    found = script("results_sections").found_on(ROOT / "docs" / "results.md")
    assert {"digits", "caltech101"} <= {one.dataset for one in found}
    assert all(one.rows and one.text.startswith(f"## {one.dataset}\n") for one in found)
