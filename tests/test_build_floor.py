"""Does the build floor keep its promises: setup, checks, jars, doctor? Without a network, a JVM session or an installation."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib import util
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from lake import jars as lake_jars
from lake.jars import DependencyError
from pipelines import doctor

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def script(name: str) -> ModuleType:
    """A file of scripts/ as a module (they are no package)."""
    spec = util.spec_from_file_location(f"scripts_{name}", ROOT / "scripts" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fake_java(folder: Path, banner: str) -> Path:
    """A JAVA_HOME whose `java` writes `banner` to stderr, as every JVM does for -version."""
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho '{banner}' >&2\n", encoding="utf-8")
    java.chmod(0o755)
    return folder


# lake.jars


@pytest.mark.parametrize(
    ("banner", "feature"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_402"', 8),  # before Java 9 the feature number came second
        ('openjdk version "21-ea" 2023-09-19', 21),
        ("no version here", None),
    ],
)
def test_the_feature_version_is_read_from_every_form_of_the_java_banner(
    banner: str, feature: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "java", banner)))
    assert lake_jars.java_version() == feature


def test_a_java_home_without_java_is_no_java_even_when_the_path_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Spark starts $JAVA_HOME/bin/java and nothing else when JAVA_HOME is set.
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(fake_java(tmp_path / "other", 'version "17"') / "bin"))
    assert lake_jars.java_version() is None


def test_missing_jars_are_named_with_the_command_that_fetches_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = lake_jars.jar_names()
    for name in names[1:]:
        (tmp_path / "jars" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "jars" / name).touch()
    monkeypatch.delenv("ASSAY_JARS", raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(DependencyError, match=rf"{re.escape(names[0])}\. Run `make setup`"):
        lake_jars.jars()
    (tmp_path / "jars" / names[0]).touch()
    assert [path.name for path in lake_jars.jars()] == sorted(names)


def test_a_folder_of_the_users_own_jars_wins_and_an_empty_one_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_JARS", str(tmp_path))
    with pytest.raises(DependencyError, match="ASSAY_JARS must name a folder"):
        lake_jars.jars()
    (tmp_path / "own.jar").touch()
    assert lake_jars.jars() == [tmp_path.resolve() / "own.jar"]


def test_the_class_archive_is_used_where_it_lies_and_a_path_with_blanks_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "a b"
    folder.mkdir()
    monkeypatch.setenv("ASSAY_JARS", str(folder))
    monkeypatch.delenv("ASSAY_ARCHIVE_CLASSES_TO", raising=False)
    quick = [
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-XX:ReservedCodeCacheSize=256m",
        "-XX:MinHeapFreeRatio=10",
        "-XX:MaxHeapFreeRatio=20",
    ]
    assert lake_jars.java_options() == quick
    (folder / lake_jars.ARCHIVE).touch()
    options = lake_jars.java_options()
    assert options[: len(quick)] == quick
    assert options[-1] == f'-XX:SharedArchiveFile="{folder.resolve() / lake_jars.ARCHIVE}"'
    assert "-Xshare:auto" in options  # an archive that does not fit is left aside instead of stopping the JVM


# scripts/fetch_jars.py


@pytest.mark.parametrize(("of", "taken"), [("central", True), ("*", True), ("external:*", True), ("internal", False)])
def test_the_mirror_of_maven_central_is_taken_from_the_users_settings(of: str, taken: bool, tmp_path: Path) -> None:
    settings = tmp_path / "settings.xml"
    namespace = 'xmlns="http://maven.apache.org/SETTINGS/1.0.0"'
    mirror = f"<mirror><mirrorOf>{of}</mirrorOf><url>http://mirror.invalid/m2</url></mirror>"
    settings.write_text(f"<settings {namespace}><mirrors>{mirror}</mirrors></settings>", encoding="utf-8")
    assert script("fetch_jars").mirror_url(settings) == ("http://mirror.invalid/m2" if taken else None)


def test_no_maven_settings_mean_no_mirror(tmp_path: Path) -> None:
    assert script("fetch_jars").mirror_url(tmp_path / "settings.xml") is None


def test_exactly_the_wanted_jars_are_asked_for_and_nothing_they_depend_on() -> None:
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


# scripts/install.py


def test_uv_asks_the_indexes_that_pip_is_configured_for_and_the_users_own_uv_settings_win() -> None:
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


def test_a_finished_setup_is_current_until_an_input_changes_or_a_part_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


# scripts/reasons.py


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
def test_a_suppression_passes_only_with_its_code_and_a_reason(line: str, explained: bool) -> None:
    assert (list(script("reasons").unexplained(line + "\n")) == []) is explained


# import rules


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


# files


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


# pipelines/doctor.py


def only(findings: list[doctor.Finding]) -> doctor.Finding:
    (finding,) = findings
    return finding


def project_tree(folder: Path) -> Path:
    (folder / "pyproject.toml").write_text('[project]\ndependencies = ["Direct_one>=1"]\n', encoding="utf-8")
    pins = "direct-one==1.0\nother==2.0\nelsewhere==3 ; sys_platform == 'emscripten'\n"
    (folder / "constraints.txt").write_text(pins, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("versions", "what", "state"),
    [
        ({"direct-one": "1.0", "other": "2.0"}, "packages", "ok"),
        ({"direct-one": "1.0+cpu", "other": "2.0"}, "packages", "ok"),  # a local build of the pinned version
        ({"direct-one": "1.0"}, "packages", "ok"),  # not required by us: another torch build needs fewer
        ({"direct-one": "1.1", "other": "2.0"}, "direct-one", "warn"),
        ({"other": "2.0"}, "direct-one", "bad"),
    ],
)
def test_a_missing_requirement_is_bad_and_another_version_worth_knowing(
    versions: dict[str, str], what: str, state: str, tmp_path: Path
) -> None:
    finding = only(doctor.package_findings(project_tree(tmp_path), versions.get))
    assert (finding.what, finding.state) == (what, state)


def refuse() -> list[Path]:
    raise DependencyError("run `make setup`")


@pytest.mark.parametrize(
    "look",
    [
        lambda: doctor.python_finding((3, 12)),
        lambda: doctor.java_finding(None),
        lambda: doctor.java_finding(11),
        lambda: doctor.jars_finding(refuse),
        lambda: doctor.temp_finding(Path("/nonexistent")),
    ],
)
def test_what_assay_cannot_run_without_is_bad_and_comes_with_a_fix(look: Callable[[], doctor.Finding]) -> None:
    finding = look()
    assert finding.state == "bad"
    assert finding.fix


def test_more_threads_than_cores_and_little_memory_are_worth_knowing() -> None:
    assert doctor.threads_finding(2, None).state == doctor.threads_finding(2, "2").state == "ok"
    assert doctor.threads_finding(2, "3").state == doctor.threads_finding(2, "many").state == "warn"
    assert doctor.memory_finding(int(3.9 * 2**30)).state == "warn"
    assert doctor.memory_finding(4 * 2**30).state == "ok"


def test_a_container_limit_below_the_machines_memory_is_what_counts(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text("1048576\n", encoding="ascii")
    assert doctor.memory_bytes(limit) == 1048576
    limit.write_text("max\n", encoding="ascii")
    assert doctor.memory_bytes(limit) == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_a_cpu_without_native_bf16_is_told_to_compute_in_float32() -> None:
    assert doctor.cpu_finding("model name\t: Fast\nflags\t\t: sse avx2 amx_bf16\n") == doctor.Finding("cpu", "ok", "Fast; avx2, amx_bf16")
    assert doctor.cpu_finding("model name\t: Old\nflags\t\t: sse avx2\n").state == "warn"


def test_a_foreign_room_is_bad_before_our_root_and_worth_knowing_after_it(tmp_path: Path) -> None:
    foreign, ours = tmp_path / "foreign", tmp_path / "ours"
    (foreign / "models").mkdir(parents=True)
    (foreign / "models" / "__init__.py").touch()
    (foreign / "gold").mkdir()  # a folder without code shadows nothing
    (ours / "models").mkdir(parents=True)
    (ours / "models" / "__init__.py").touch()
    before = only(doctor.shadow_findings([str(foreign), str(ours)], ours))
    assert (before.what, before.state) == ("models", "bad")
    assert str(foreign) in before.fix
    assert only(doctor.shadow_findings([str(ours), str(foreign)], ours)).state == "warn"
    assert only(doctor.shadow_findings([str(ours)], ours)).state == "ok"


def test_the_report_exits_69_only_when_something_is_bad_and_prints_each_fix() -> None:
    good, odd, bad = doctor.Finding("a", "ok", "1"), doctor.Finding("b", "warn", "2", "mend b"), doctor.Finding("c", "bad", "3", "mend c")
    stream = io.StringIO()
    assert doctor.report([good, odd], io.StringIO()) == 0
    assert doctor.report([good, odd, bad], stream) == 69
    assert "-> mend b" in stream.getvalue() and "-> mend c" in stream.getvalue()
    assert stream.getvalue().endswith("1 ok, 1 to know, 1 to mend\n")
