"""Are Java and the Delta jars found where the operator put them, or named with what to do? Without a JVM."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from lake import jars as lake_jars
from lake.jars import DependencyError
from tests.java_homes import fake_java


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
