"""Do the house's own checks find what they are for: suppressions without a reason, imports against the rules, pins left out?"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines import doctor

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent
Script = Callable[[str], Any]


@pytest.mark.parametrize(
    ("line", "explained"),
    [
        ("x = f()  # type: ignore[no-any-return]  # upstream has no stubs", True),
        ("import y  # noqa: N812 (the usual name)", True),
        ("import y  # noqa: E402, F401  # path is set above", True),
        ("x = f()  # type: ignore", False),
        ("x = f()  # type: ignore[misc]", False),
        ("x = f()  # type: ignore[misc]  # sic", False),
        ("import y  # noqa", False),
        ("import y  # noqa: F401", False),
        ('x = "# noqa"', True),  # a string is no suppression
    ],
)
def test_a_suppression_passes_only_with_its_code_and_a_reason(script: Script, line: str, explained: bool) -> None:
    assert (list(script("reasons").unexplained(line + "\n")) == []) is explained


def room_tree(folder: Path, files: dict[str, str]) -> None:
    """A tree with the rooms of this project, each empty but for `files`, and its import rules."""
    for room in doctor.ROOMS:
        (folder / room).mkdir()
        for name in ("__init__", "specs", "build", "verb"):
            (folder / room / f"{name}.py").touch()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "pyproject.toml", folder)


@pytest.mark.parametrize(
    ("files", "kept"),
    [
        (
            {
                "silver/verb.py": "import bronze.specs, lake.verb, models.verb, xai.verb\n",
                "silver/build.py": "import pyspark, silver.verb\n",
            },
            True,
        ),
        ({"pipelines/verb.py": "import pyspark, gold.build, silver.build\n", "lake/verb.py": "import pyspark\n"}, True),
        ({"silver/build.py": "import lake.verb\n", "lake/verb.py": "import pyspark\n"}, True),
        ({"silver/verb.py": "import ood.specs\n"}, False),  # upwards
        ({"xai/verb.py": "import models.verb\n"}, False),  # a ground room knows another, in each direction
        ({"models/verb.py": "import xai.verb\n"}, False),
        ({"xai/verb.py": "import lake.verb\n"}, False),
        ({"lake/verb.py": "import xai.verb\n"}, False),
        ({"models/verb.py": "import lake.verb\n"}, False),
        ({"lake/verb.py": "import models.verb\n"}, False),
        ({"gold/verb.py": "import silver.verb\n"}, False),  # more than the specs of a lower layer
        ({"ood/verb.py": "import bronze.build\n"}, False),
        ({"gold/verb.py": "import ood.verb\n"}, False),
        ({"silver/verb.py": "import pyspark\n"}, False),  # Spark outside build.py
        ({"silver/verb.py": "import lake.verb\n", "lake/verb.py": "import pyspark\n"}, False),  # Spark through the back door
        ({"models/verb.py": "def late():\n    import delta\n"}, False),
    ],
)
def test_the_import_rules_hold_on_a_tree_that_keeps_them_and_break_on_each_violation(
    files: dict[str, str], kept: bool, tmp_path: Path
) -> None:
    room_tree(tmp_path, files)
    command = [str(BIN / "lint-imports"), "--no-logo", "--no-cache"]
    answer = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert "Analyzed" in answer.stdout, answer.stdout + answer.stderr
    assert (answer.returncode == 0) is kept, answer.stdout


def test_constraints_pin_every_requirement_of_the_project_and_name_no_address() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = {pin.name.lower(): str(pin.specifier) for pin in doctor.pinned(text.splitlines())}
    assert all(re.fullmatch(r"==[\w.]+", specifier) for specifier in pins.values())
    for requirement in [*project["dependencies"], *(name for extra in project["optional-dependencies"].values() for name in extra)]:
        assert re.split(r"[=<>]", requirement)[0].lower() in pins
    assert "://" not in text and "--" not in text


def test_jobs_and_tests_are_never_installed() -> None:
    include = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]["find"]["include"]
    assert sorted(pattern.removesuffix("*") for pattern in include) == sorted(doctor.ROOMS)


def test_every_target_of_the_makefile_calls_a_script_that_exists() -> None:
    scripts = set(re.findall(r"scripts/[\w.]+", (ROOT / "Makefile").read_text(encoding="utf-8"))) - {"scripts/."}
    assert {"scripts/setup", "scripts/check.py"} <= scripts
    assert [name for name in sorted(scripts) if not (ROOT / name).is_file()] == []
