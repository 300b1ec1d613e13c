"""docs/inversion.md: its costs are the code's, its picture is where the figures say, and its page can be made from a world's rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

from gold.inversion.build import _reason
from gold.inversion.judge import judge
from gold.inversion.settings import InversionSettings, SizeSettings
from gold.inversion.tables import inversion_summary, inversion_sweep, inversion_verdict
from gold.inversion.worlds import product
from gold.table import as_table

Script = Callable[[str], ModuleType]
SETTINGS = InversionSettings(
    seeds=(0,), examples=SizeSettings(tabular=3), trained_on=50, psi=(0.0, 0.8), pokes=3, repeats=1, sweep_examples=1, sweep_repeats=(1,)
)


def test_the_costs_on_the_page_are_those_of_the_code(script: Script) -> None:
    page = script("inversion_page")
    text = page.DOCUMENT.read_text(encoding="utf-8")
    assert page.costs() in text


def test_the_page_says_what_a_world_said(script: Script) -> None:
    records = judge(product.WORLD, "formula", 0, SETTINGS)
    rows = [one | {"reason": _reason(one)} for one in records.summary]
    tables = {
        inversion_summary.SPEC: rows,
        inversion_sweep.SPEC: inversion_sweep.swept(records.sweep),
        inversion_verdict.SPEC: inversion_verdict.verdicts(pd.DataFrame(rows), 0.95),
    }
    frames = [as_table(spec, "world_product", own).assign(settings_id="abc") for spec, own in tables.items()]
    text = script("inversion_page").page(*frames)
    assert "### product, formula" in text and "| occlusion | 1.000 | 1.000 | 0.707 |" in text and "product abc" in text
    assert "No verdict from 1 seed" in text and "/" + "work" not in text


def drawn(script: Script, *points: tuple[str, str, float, float, float]) -> ElementTree.Element:
    chart: Any = script("inversion_chart")
    return ElementTree.fromstring(chart.plane("a title", "a note", [chart.Point(*point) for point in points]))  # noqa: S314  # our own text


def test_a_point_lies_where_its_figures_say_and_equal_ones_share_a_label(script: Script) -> None:
    chart: Any = script("inversion_chart")
    svg = drawn(script, ("a", "method", 1.0, 1.0, 0.707), ("b", "control", 1.0, 1.0, 0.707), ("c", "control", 0.25, 0.5, 0.4))
    space = "{http://www.w3.org/2000/svg}"
    dots = [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in svg.iter(f"{space}circle") if dot.attrib["r"] == "4"]
    right, top = chart.LEFT + chart.SIDE, chart.TOP
    assert dots == [(right, top), (right, top), (chart.LEFT + 0.25 * chart.SIDE, chart.TOP + 0.5 * chart.SIDE)]
    assert {"1, 2", "3", "1  a: IS 0.707"} <= {text.text for text in svg.iter(f"{space}text")}


def test_a_figure_that_cannot_be_is_refused(script: Script) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        drawn(script, ("a", "method", 1.2, 0.0, 0.5))


def test_pictures_named_on_the_page_are_there(script: Script) -> None:
    page = script("inversion_page")
    assert "(inversion.svg)" in page.DOCUMENT.read_text(encoding="utf-8") and Path(page.PICTURE).is_file()
