"""Does the command leave one small file that needs nothing, or say why not?"""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from lake.errors import ConfigError, ContractError
from pipelines.__main__ import main
from pipelines.report import command
from pipelines.report.command import LIMIT, report
from pipelines.report.page import tables_of_page
from pipelines.report.sections import SECTIONS
from pipelines.sql.duck import connect, newest
from pipelines.tables import TABLES, VIEWS
from tests.report_sources import HOSTILE, write_hostile_lake
from tests.small_lake import write_small_lake


class Outline(HTMLParser):
    """What a page is made of: elements, their attributes, headings, ids, and elements that were never closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.unclosed: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((name, dict(attributes)))
        if name != "meta":
            self.open.append(name)

    def handle_endtag(self, name: str) -> None:
        if not self.open or self.open.pop() != name:
            self.unclosed.append(name)


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("hostile")
    write_hostile_lake(root)
    assert report(str(root), None, io.StringIO()) == 0
    return (root / "report.html").read_text(encoding="utf-8")


def test_hostile_names_make_no_element_no_attribute_and_no_address(hostile_page: str):
    outline = Outline(hostile_page)
    names = {name for name, _ in outline.elements}
    assert not names & {"script", "img", "iframe", "object", "link", "form", "input", "a href"}
    attributes = {key for _, found in outline.elements for key in found}
    assert not {key for key in attributes if key.startswith("on")} and "style" not in attributes
    addresses = [value or "" for _, found in outline.elements for key, value in found.items() if key in ("href", "src", "xlink:href")]
    assert addresses and all(address.startswith(("#", "data:image/png;base64,")) for address in addresses)
    assert "\u202e" not in hostile_page and "&lt;script&gt;" in hostile_page
    assert len(hostile_page.encode()) < 300_000  # names of 10,000 characters are cut wherever they stand


def test_the_page_is_well_formed_headed_and_described(hostile_page: str):
    outline = Outline(hostile_page)
    assert outline.unclosed == [] and outline.open == []
    names = [name for name, _ in outline.elements]
    levels = [int(name[1]) for name in names if name in ("h1", "h2", "h3", "h4")]
    assert levels[0] == 1 and levels.count(1) == 1 and all(after - before <= 1 for before, after in pairwise(levels))
    assert names.count("table") == names.count("caption") > 0
    assert all(found.get("aria-label") for name, found in outline.elements if name == "svg")
    assert names.count("svg") <= names.count("title") - 1
    ids = [found["id"] for _, found in outline.elements if "id" in found]
    assert len(ids) == len(set(ids))


def test_both_galleries_are_there(hostile_page: str):
    assert hostile_page.count('<article class="card">') == 6  # three pictures and three texts: an example is shown once
    assert 'class="p5"' in hostile_page and 'class="n3"' in hostile_page and "<mark" in hostile_page  # 0.5 and -0.25 of 0.5
    small_print = re.findall(r'<p class="from">(.*?)</p>', hostile_page)
    assert any("ood.attacked_texts version 0" in said for said in small_print)  # written once: the first version
    assert any("audit.settings version 1" in said for said in small_print)  # once per dataset


def test_the_same_lake_gives_the_same_bytes(tmp_path: Path):
    write_hostile_lake(tmp_path)
    pages = []
    for name in ("first.html", "second.html"):
        report(str(tmp_path), str(tmp_path / name), io.StringIO())
        pages.append((tmp_path / name).read_bytes())
    assert pages[0] == pages[1]


def test_the_last_line_is_the_file_and_stderr_is_silent(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    write_small_lake(tmp_path)
    assert main(["report", "--lake", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[-1] == str(tmp_path / "report.html") and told.err == ""


def test_a_place_without_a_lake_is_missing_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["report", "--lake", str(tmp_path / "none")]) == 66
    assert "must be a lake" in capsys.readouterr().err and not (tmp_path / "none").exists()


def test_a_file_cannot_stand_where_a_folder_is(tmp_path: Path):
    write_small_lake(tmp_path)
    with pytest.raises(ConfigError, match="found the folder"):
        report(str(tmp_path), str(tmp_path), io.StringIO())
    with pytest.raises(ConfigError, match="--out"):
        command._place("s3://bucket/lake", None)
    assert command._place("s3://bucket/lake", "page.html") == Path("page.html")


def test_a_page_that_is_too_large_is_made_with_less_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_hostile_lake(tmp_path)
    report(str(tmp_path), str(tmp_path / "whole.html"), io.StringIO())
    whole = (tmp_path / "whole.html").stat().st_size
    assert whole < LIMIT
    monkeypatch.setattr(command, "LIMIT", whole - 1)
    report(str(tmp_path), str(tmp_path / "less.html"), io.StringIO())
    assert (tmp_path / "less.html").stat().st_size < whole


def test_tables_are_read_at_the_versions_that_the_page_names(tmp_path: Path):
    write_small_lake(tmp_path)
    root, name = str(tmp_path), "gold.degradation"
    before = newest(root, {name})
    write_small_lake(tmp_path)  # everything once more: the next version
    assert newest(root, {name})[name] > before[name]
    count = f"SELECT COUNT(*) FROM {name}"
    connection, found = connect(root, {name}, at=before)
    then = connection.execute(count).fetchall()
    assert found.names == (name,) and connect(root, {name})[0].execute(count).fetchall() == [(2 * then[0][0],)]


def test_a_damaged_table_is_told_with_what_to_do_and_leaves_no_page(tmp_path: Path):
    write_hostile_lake(tmp_path)
    folder = tmp_path / "gold" / "adapter_summary"
    for data in folder.rglob("*.parquet"):
        data.unlink()
    with pytest.raises(ContractError, match=r"gold\.adapter_summary.*No such file.*Restore that file, or move the table's folder away$"):
        report(str(tmp_path), None, io.StringIO())
    log = folder / "_delta_log" / f"{0:020}.json"
    log.write_text(log.read_text()[:200])
    with pytest.raises(ContractError, match=r"^gold\.adapter_summary: the log at [^\n]*Restore it, or move the folder away$"):
        report(str(tmp_path), None, io.StringIO())
    assert not (tmp_path / "report.html").exists()


def test_every_table_that_a_section_names_is_there():
    known = {table.full_name for table in TABLES} | {view.full_name for view in VIEWS}
    assert tables_of_page(SECTIONS) <= known
    assert HOSTILE not in known
