"""A JAVA_HOME without Java, for tests of what is said of its version."""

from __future__ import annotations

from pathlib import Path


def fake_java(folder: Path, banner: str) -> Path:
    """A JAVA_HOME whose `java` writes `banner` to stderr, as every JVM does for -version."""
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho '{banner}' >&2\n", encoding="utf-8")
    java.chmod(0o755)
    return folder
