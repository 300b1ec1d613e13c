"""Does the doctor tell what Assay cannot run without from what is worth knowing, each with its fix?"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lake.jars import DependencyError
from pipelines import doctor


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
