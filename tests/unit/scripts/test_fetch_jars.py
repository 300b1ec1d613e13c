"""Do the jars come from the mirror that the user's Maven is told of, exactly those, and what when they cannot? Without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from lake import jars as lake_jars

ROOT = Path(__file__).resolve().parents[3]
Script = Callable[[str], Any]


@pytest.mark.parametrize(("of", "taken"), [("central", True), ("*", True), ("external:*", True), ("internal", False)])
def test_the_mirror_of_maven_central_is_taken_from_the_users_settings(script: Script, of: str, taken: bool, tmp_path: Path) -> None:
    settings = tmp_path / "settings.xml"
    namespace = 'xmlns="http://maven.apache.org/SETTINGS/1.0.0"'
    mirror = f"<mirror><mirrorOf>{of}</mirrorOf><url>http://mirror.invalid/m2</url></mirror>"
    settings.write_text(f"<settings {namespace}><mirrors>{mirror}</mirrors></settings>", encoding="utf-8")
    assert script("fetch_jars").mirror_url(settings) == ("http://mirror.invalid/m2" if taken else None)


def test_no_maven_settings_mean_no_mirror(script: Script, tmp_path: Path) -> None:
    assert script("fetch_jars").mirror_url(tmp_path / "settings.xml") is None


def test_exactly_the_wanted_jars_are_asked_for_and_nothing_they_depend_on(script: Script) -> None:
    wanted = lake_jars.coordinates()
    asked = ElementTree.fromstring(script("fetch_jars").ivy_module(wanted)).findall("dependencies/dependency")
    assert tuple(f"{one.get('org')}:{one.get('name')}:{one.get('rev')}" for one in asked) == wanted
    assert {one.get("transitive") for one in asked} == {"false"}


def test_an_unreachable_repository_leaves_the_jars_that_are_there_and_says_what_to_do(tmp_path: Path) -> None:
    # Port 9 of the loopback is closed: the answer is immediate, and no other place is asked.
    (tmp_path / "old.jar").touch()
    program = "import sys, pathlib; sys.path.insert(0, sys.argv[1]); import fetch_jars; fetch_jars.fetch(pathlib.Path(sys.argv[2]))"
    environment = os.environ | {"ASSAY_MAVEN_URL": "http://127.0.0.1:9/m2"}
    answer = subprocess.run(
        [sys.executable, "-c", program, str(ROOT / "scripts"), str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode != 0
    assert "ASSAY_MAVEN_URL" in answer.stderr.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["old.jar"]
