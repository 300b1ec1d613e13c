"""Does a browser without network show the page without a request and without a complaint?"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pipelines.report.command import report
from tests.browser import CHROMIUM, Browser, browser
from tests.report_sources import write_hostile_lake

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the path: apt-get install chromium")


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(browser(tmp_path_factory.mktemp("chromium")))
        except (RuntimeError, TimeoutError, OSError) as error:  # a snap, or a machine that lets no browser start
            pytest.skip(f"{CHROMIUM} does not start here: {error}")
        yield opened


@pytest.fixture
def page(tmp_path: Path, tab: Browser) -> Path:
    write_hostile_lake(tmp_path)
    report(str(tmp_path), None, io.StringIO())
    tab.requests.clear()
    tab.complaints.clear()
    return tmp_path / "report.html"


@pytest.mark.slow
def test_the_page_asks_for_nothing_and_complains_of_nothing(tab: Browser, page: Path):
    tab.open(page.as_uri())
    assert (tab.requests, tab.complaints) == ([], [])
    assert tab.value("document.querySelectorAll('article').length") == 6
    assert tab.value("document.querySelectorAll('script, img').length") == 0
    for shown in ("Foretelling wrong answers", "No evidence that explanations add", "Error among the answers that are kept"):
        assert tab.value(f"document.body.textContent.split({shown!r}).length - 1") == 2  # of both datasets, with what strangers wrote
    assert tab.value("getComputedStyle(document.querySelector('.scroll')).overflowX") == "auto"  # the style sheet passed its own policy
    for width in (360, 1200):
        tab.look(page.with_suffix(".png"), width, 800)
        assert tab.value("document.documentElement.scrollWidth") == width  # nothing sticks out sideways


@pytest.mark.slow
def test_an_address_in_the_page_would_be_seen_as_a_request_or_as_a_complaint(tab: Browser, page: Path, tmp_path: Path):
    outside = "<img src='http://127.0.0.1:9/x.png' alt=''>"
    text = page.read_text(encoding="utf-8")
    script = "<script>console.error('x')</script>"
    page.write_text(text.replace("</main>", f"{outside}{script}</main>"), encoding="utf-8")
    tab.open(page.as_uri())
    refused = [told for told in tab.complaints if "Content Security Policy" in told]
    assert len(refused) == 2 and "console error" not in tab.complaints  # the page's own policy stops the picture and the script

    bare = tmp_path / "bare.html"
    bare.write_text(f"<!DOCTYPE html>{outside}{script}", encoding="utf-8")
    tab.requests.clear()
    tab.complaints.clear()
    tab.open(bare.as_uri())
    assert tab.requests == ["http://127.0.0.1:9/x.png"] and "console error" in tab.complaints
