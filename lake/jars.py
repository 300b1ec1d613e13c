"""Which Java, jars and JVM options does an embedded Spark session start with? Found on this machine, without a network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCALA = "2.13"
ARCHIVE = "driver.jsa"
JAVA_VERSIONS = (17, 21)  # what Spark 4.2 supports; the checks run on 17


class DependencyError(RuntimeError):
    """Something Assay stands on (jars, Java) is missing or of another version. The message says how to get it. Exit code 69."""


def coordinates() -> tuple[str, ...]:
    """Maven coordinates `group:artifact:version` of the jars a session needs, fixed by the installed pyspark and delta-spark.

    These five suffice: what else Delta depends on stands in pyspark's own jars. Raises DependencyError where one is not installed.
    """
    try:
        spark, delta = version("pyspark"), version("delta-spark")
    except PackageNotFoundError as missing:
        raise DependencyError(f"package {missing.name} must be installed in {sys.prefix}; run `make setup`") from missing
    spark_minor = ".".join(spark.split(".")[:2])
    kernel = (f"delta-kernel-{part}" for part in ("api", "defaults", "unitycatalog"))
    return tuple(f"io.delta:{artifact}:{delta}" for artifact in (f"delta-spark_{spark_minor}_{SCALA}", "delta-storage", *kernel))


def jar_names() -> tuple[str, ...]:
    """File names of `coordinates()` as a Maven repository and `make setup` name them."""
    return tuple("{1}-{2}.jar".format(*coordinate.split(":")) for coordinate in coordinates())


def jars_folder() -> Path:
    """Where the jars lie: $ASSAY_JARS, else `jars` in the running environment, else in the checkout's `.venv`."""
    if given := os.environ.get("ASSAY_JARS"):
        return Path(given)
    own = Path(sys.prefix) / "jars"
    return own if own.is_dir() else ROOT / ".venv" / "jars"


def jars() -> list[Path]:
    """The local Delta jars, absolute and sorted. A folder given as $ASSAY_JARS is taken as it is, with all its jars.

    Raises DependencyError when one is missing or of another version.
    """
    folder = jars_folder().resolve()
    if os.environ.get("ASSAY_JARS"):
        if found := sorted(folder.glob("*.jar")):
            return found
        raise DependencyError(f"ASSAY_JARS must name a folder that holds the Delta jars; {folder} holds none. Correct or unset it")
    wanted = sorted(folder / name for name in jar_names())
    if lacking := [path.name for path in wanted if not path.is_file()]:
        raise DependencyError(f"{folder} must hold {len(wanted)} Delta jars; missing: {', '.join(lacking)}. Run `make setup`")
    return wanted


def java_command() -> str | None:
    """The `java` that Spark will start: $JAVA_HOME's, else the first on the path, else None."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")


def java_version() -> int | None:
    """Feature version (17, 21, …) of `java_command()`; None when there is none or it does not say. Costs one JVM start (0.1 s)."""
    command = java_command()
    if command is None:
        return None
    answer = subprocess.run([command, "-version"], capture_output=True, text=True, check=False, timeout=60)
    match = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    return int(match[1]) if match else None


HEAP = ("-XX:MinHeapFreeRatio=10", "-XX:MaxHeapFreeRatio=20")


def java_options() -> list[str]:
    """JVM options of an embedded driver: a quick start first, and the class archive that `make setup` made, where there is one.

    For short sessions on a few cores: C1 alone and the serial collector start faster than they would run hot. The archive is validated by
    the JVM itself (same Java, same jars) and silently left aside where it does not fit; without `-Xlog` the JVM would say so on stdout.
    With C1 alone the code cache is 48 MB by default: a whole run fills it, and the JVM then stops compiling and interprets.
    HEAP keeps the heap near what lives in it: by default it grows with every burst of garbage (bronze of 10,000 pictures had 1.22 times
    the memory of 1,000, with it 1.10).
    """
    options = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:ReservedCodeCacheSize=256m", *HEAP]
    archive = jars_folder().resolve() / ARCHIVE
    if target := os.environ.get("ASSAY_ARCHIVE_CLASSES_TO"):  # set by scripts/archive_classes.py alone
        return [*options, *_quiet(), _path_option("-XX:ArchiveClassesAtExit", Path(target))]
    if archive.is_file():
        return [*options, *_quiet(), "-Xshare:auto", _path_option("-XX:SharedArchiveFile", archive)]
    return options


def _quiet() -> tuple[str, ...]:
    return "-Xlog:disable", "-Xlog:all=error:stderr"


def _path_option(name: str, path: Path) -> str:
    # Spark splits the options like a shell; a quote inside double quotes is written with a backslash.
    text = str(path)
    if re.fullmatch(r"[\w./+=:@,-]+", text):
        return f"{name}={text}"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'
