"""Does the setup refuse what it cannot use in one sentence, ask the user's own indexes, and do nothing twice? Without an installation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.java_homes import fake_java

ROOT = Path(__file__).resolve().parents[3]
Script = Callable[[str], Any]


def test_uv_asks_the_indexes_that_pip_is_configured_for_and_the_users_own_uv_settings_win(script: Script) -> None:
    listed = (
        "global.index-url='http://a.invalid/simple'\n"
        "global.extra-index-url='\\nhttp://b.invalid/s\\nhttp://c.invalid/s'\n"  # pip writes line ends of a value as \\n
        ":env:.find-links='/w1 /w2'\n"
    )
    assert script("install").uv_variables(listed, {}) == {
        "UV_DEFAULT_INDEX": "http://a.invalid/simple",
        "UV_INDEX": "http://b.invalid/s http://c.invalid/s",
        "UV_FIND_LINKS": "/w1,/w2",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
    given = {"UV_DEFAULT_INDEX": "own", "UV_INDEX": "own", "UV_FIND_LINKS": "own"}
    assert script("install").uv_variables(listed, given) == {}


def test_the_setup_refuses_a_java_that_spark_cannot_use_in_one_sentence_with_exit_code_69(tmp_path: Path) -> None:
    for name in ("scripts", "lake"):
        shutil.copytree(ROOT / name, tmp_path / name)
    environment = os.environ | {"JAVA_HOME": str(fake_java(tmp_path / "java", 'version "11.0.2"')), "ASSAY_PYTHON": sys.executable}
    answer = subprocess.run([str(tmp_path / "scripts" / "setup")], env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 69
    assert answer.stderr.count("\n") == 1
    assert "found 11. Install a Java 17 runtime" in answer.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_setup_refuses_another_python_in_one_sentence_with_exit_code_69(tmp_path: Path) -> None:
    wrong = tmp_path / "python3.11"  # a Python that answers no to the version question
    wrong.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    wrong.chmod(0o755)
    for name in ("python3", "python"):
        (tmp_path / name).symlink_to(wrong)
    (tmp_path / "dirname").symlink_to(shutil.which("dirname") or "/usr/bin/dirname")
    bash = shutil.which("bash") or "/bin/bash"
    answer = subprocess.run(
        [bash, str(ROOT / "scripts" / "setup")], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 69
    assert "Python 3.11 must be on the path" in answer.stderr


def test_a_finished_setup_is_current_until_an_input_changes_or_a_part_is_gone(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install = script("install")
    for name in (*install.INPUTS, "pyproject.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    venv = tmp_path / ".venv"
    for folder in (venv / "bin", venv / "jars"):
        folder.mkdir(parents=True)
    for name, value in {"ROOT": tmp_path, "VENV": venv, "PYTHON": venv / "bin/python", "STAMP": venv / "setup.sha256"}.items():
        monkeypatch.setattr(install, name, value)
    (venv / "bin" / "python").touch()
    (venv / "bin" / "assay").touch()
    before = install.fingerprint()
    assert not install.is_current(before)
    install.STAMP.write_text(before, encoding="utf-8")
    assert install.is_current(before)
    project = tmp_path / "pyproject.toml"
    lint = project.read_text(encoding="utf-8")
    project.write_text(lint.replace("line-length = 140", "line-length = 100"), encoding="utf-8")
    assert install.fingerprint() == before  # how the code is linted decides nothing about the environment
    project.write_text(lint.replace('"duckdb"', '"duckdb>=2"'), encoding="utf-8")
    assert install.fingerprint() != before
    project.write_text(lint, encoding="utf-8")
    with (tmp_path / "constraints.txt").open("a", encoding="utf-8") as constraints:
        constraints.write("one-more==1\n")
    assert not install.is_current(install.fingerprint())
    (venv / "bin" / "assay").unlink()
    assert not install.is_current(before)


def test_the_setup_needs_nothing_but_the_standard_library() -> None:
    # -S leaves site-packages off the path: what a bare Python 3.11 has.
    program = f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r}); import install"
    answer = subprocess.run([sys.executable, "-S", "-E", "-c", program], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
